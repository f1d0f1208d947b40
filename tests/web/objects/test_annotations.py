"""What is checked of an annotation, whichever way it comes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.query.steps import QueryError
from livekpi.web.objects.annotations import MOST_CHARACTERS, Asked, checked
from tests.rehearsed import NOON_US, definition

SHOP = definition("country: string", {"visits": "value: count(*), by: [country]", "people": "value: count(distinct country)"})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text": "\n"}, "text: expected what happened"),
        ({"text": "x" * (MOST_CHARACTERS["text"] + 1)}, "text: expected at most 1000"),
        ({"text": "\ud800"}, "text: expected text, not half a character"),
        ({"author": "x" * 201}, "author: expected at most 200"),
        ({"kind": ""}, "kind: '': expected a word"),
        ({"kind": "two words"}, "kind: 'two words': expected a word"),
        ({"kind": "x" * 41}, "expected a word of at most 40"),
        ({"kpis": ("visit",)}, "kpis: there is no KPI 'visit'; did you mean 'visits'?"),
        ({"link": "javascript:alert(1)"}, "link: 'javascript:alert(1)': expected an address"),
        ({"link": "https://"}, "expected an address"),
        ({"link": "https://a b"}, "expected an address"),
        ({"link": "https://a/" + "x" * 2_000}, "link: expected at most 2000"),
        ({"time": "soon"}, "time: 'soon' is no time"),
        ({"end": "soon"}, "end: 'soon' is no time"),
        ({"time": "0001-01-01T00:00:00Z"}, "time: '0001-01-01T00:00:00Z' is not from 1970 to 2199"),
        ({"time": "1969-12-31T23:59:59Z"}, "time: '1969-12-31T23:59:59Z' is not from 1970"),
        ({"end": "2200-01-01"}, "end: '2200-01-01' is not from 1970 to 2199"),
        ({"end": "now"}, "end: expected a time after `time`"),
        ({"time": "-1h", "end": "-2h"}, "end: expected a time after `time`"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], says: str) -> None:
    with pytest.raises(QueryError) as error:
        checked(SHOP, Asked(**{"text": "x", **given}), NOON_US)
    assert says in str(error.value)


def test_what_is_to_come_can_be_noted() -> None:
    found = checked(SHOP, Asked(text="sale", kind="campaign-2", time="2026-12-24", end="2026-12-27", kpis=("people", "visits")), NOON_US)
    assert (found.at_us, found.end_us, found.kpis) == (1_798_070_400_000_000, 1_798_329_600_000_000, ("people", "visits"))


TIMES = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["-1h", "now", "2026-03-01T13:00:00Z", "2199-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "0"])
)


@given(st.builds(Asked, text=st.text(), kind=st.text(max_size=5), time=TIMES, end=TIMES, author=st.text(), link=st.none() | st.text()))
def test_whatever_is_asked_is_refused_or_fits(asked: Asked) -> None:
    try:
        found = checked(SHOP, asked, NOON_US)
    except QueryError:
        return
    assert 0 < len(found.text) <= MOST_CHARACTERS["text"]
    assert found.end_us is None or found.end_us > found.at_us
    assert found.link is None or found.link.startswith(("https://", "http://"))
