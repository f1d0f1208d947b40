"""What somebody may say of alerts."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.query.steps import QueryError
from livekpi.web.objects.words import LONGEST, MOST_CHARACTERS, Asked, checked
from tests.rehearsed import NOON_US, definition

SHOP = definition(
    "country: string, plan: string",
    {"visits": "value: count(*), by: [country, plan]"},
    rest="alerts: { few: { when: visits < 5, by: [country] }, none: { when: 'absent(visits, 1h)' } }\n",
)
HOUR_US = 3_600_000_000
ANN = {"author": "Ann", "reason": "a release"}


def asked(**given: Any) -> Asked:
    return Asked(**{**ANN, **given})


def test_times_are_from_now_unless_said() -> None:
    assert checked(SHOP, "silences", asked(for_="2h"), NOON_US).until_us == NOON_US + 2 * HOUR_US
    later = checked(SHOP, "silences", asked(from_="2026-03-01T14:00:00Z", for_="2h"), NOON_US)
    assert (later.from_us, later.until_us) == (NOON_US + 2 * HOUR_US, NOON_US + 4 * HOUR_US)
    assert checked(SHOP, "silences", asked(until="2026-03-01T13:00:00Z"), NOON_US).until_us == NOON_US + HOUR_US
    assert checked(SHOP, "acknowledgements", asked(rule="few"), NOON_US).until_us == NOON_US + 24 * HOUR_US


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "a silence has an end"),
        ({"for_": "1h", "until": "2026-03-01T13:00:00Z"}, "not both"),
        ({"for_": "soon"}, "for: 'soon': expected a duration"),
        ({"for_": "0s"}, "until: expected a time to come"),
        ({"for_": "400d"}, "within 366d"),
        ({"for_": "1000y"}, "within 366d"),
        ({"from_": "2199-12-31T00:00:00Z", "for_": "300d"}, "until: expected a time before 2200"),
        ({"until": "2026-03-01T11:00:00Z"}, "until: expected a time to come"),
        ({"until": "2026-03-01T13:00:00Z", "from_": "2026-03-01T13:00:00Z"}, "after `from`"),
        ({"from_": "-3h", "for_": "1h"}, "until: expected a time to come"),
        ({"until": "whenever"}, "until: 'whenever' is no time"),
        ({"from_": "whenever", "for_": "1h"}, "from: 'whenever' is no time"),
        ({"for_": "1h", "author": ""}, "author: expected who says so"),
        ({"for_": "1h", "reason": "\t"}, "reason: expected why"),
        ({"for_": "1h", "reason": "x" * (MOST_CHARACTERS["reason"] + 1)}, "reason: expected at most 2000"),
        ({"for_": "1h", "author": "\ud800"}, "author: expected text"),
        ({"for_": "1h", "series": {"country": "\ud800"}}, "country: expected text"),
        ({"for_": "1h", "rule": "fev"}, "no alert rule 'fev'; did you mean 'few'?"),
        ({"for_": "1h", "rule": "few", "series": {"plan": "x"}}, "few has no dimension 'plan'; it has country"),
        ({"for_": "1h", "rule": "none", "series": {"country": "x"}}, "none has no dimension 'country'"),
        ({"for_": "1h", "series": {"plan": "x"}}, "no rule has the dimension 'plan'"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], says: str) -> None:
    with pytest.raises(QueryError) as error:
        checked(SHOP, "silences", asked(**given), NOON_US)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [({}, "rule: expected"), ({"rule": "few", "from_": "-1h"}, "begins at once"), ({"rule": "few", "for_": "25h"}, "within 1d")],
)
def test_an_acknowledgement_is_of_what_fires_now(given: dict[str, Any], says: str) -> None:
    with pytest.raises(QueryError) as error:
        checked(SHOP, "acknowledgements", asked(**given), NOON_US)
    assert says in str(error.value)


TIMES = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["1h", "2d", "-1h", "now", "2026-03-01T13:00:00Z", "9999-12-31T23:59:59Z", "99999999999"])
)


@given(
    st.builds(Asked, author=st.text(max_size=5), reason=st.text(max_size=5), from_=TIMES, until=TIMES, for_=TIMES),
    st.sampled_from(["silences", "acknowledgements"]),
)
def test_whatever_is_asked_is_refused_or_holds_for_a_while(given: Asked, kind: Any) -> None:
    given.rule = "few"
    try:
        found = checked(SHOP, kind, given, NOON_US)
    except QueryError:
        return
    assert NOON_US < found.until_us <= found.from_us + LONGEST[kind] // timedelta(microseconds=1)
    assert found.from_us < found.until_us
    assert found.author
    assert found.reason
