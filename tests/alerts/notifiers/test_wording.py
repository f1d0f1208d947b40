import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.alerts.notifiers.wording import address, clean, cut, cut_apart, headline, line, moment, shown, title
from tests.alerts.made import TEXTS, message, notice, resolved


@given(TEXTS)
def test_a_clean_text_can_be_written_and_stays_clean(text: str) -> None:
    found = clean(text)
    found.encode()
    assert clean(found) == found
    assert len(found) == len(text)
    assert not set(found) & {"\x00", "\x1b", "\u2028"}
    assert "\n" not in line(text)


@given(TEXTS, st.integers(min_value=20, max_value=3_000))
def test_what_is_cut_is_no_longer_than_it_may_be(text: str, characters: int) -> None:
    assert len(cut(text, characters)) <= characters
    assert len(cut_apart(text, characters)) <= characters
    assert (cut(text, characters) == text) == (len(text) <= characters)


def test_what_differs_behind_the_cut_stays_different() -> None:
    assert cut_apart("x" * 99 + "a", 50) != cut_apart("x" * 99 + "b", 50)


@pytest.mark.parametrize(
    ("at_us", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (1_800_000_000_123_999, "2027-01-15T08:00:00.123Z"), (-1, "1969-12-31T23:59:59.999Z")],
)
def test_a_moment(at_us: int, text: str) -> None:
    assert moment(at_us) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.071, "0.071"), (1234567.0, "1.23457e+06"), (12345.0, "12,345"), (1 / 3, "0.333333"), (0.0, "0")]
)
def test_a_number(value: float | None, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("given", ["https://example.com/a?b=1&c=%20#d", "http://localhost:3000/x", "http://[::1]/~me"])
def test_an_address(given: str) -> None:
    assert address(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "javascript:alert(1)", "https://a b", "https://a|b", "https://a>b", 'https://a"b', "https://a\n", "x"]
)
def test_what_is_no_address(given: str | None) -> None:
    assert address(given) is None


def test_a_headline_names_the_worst_and_counts_the_rest() -> None:
    assert headline(message()) == "critical: error_rate is 0.071 at checkout"
    assert headline(message(notice(), notice(), resolved())) == "critical: error_rate is 0.071 at checkout (and 1 more)"
    assert headline(message(resolved(), resolved())) == "resolved: error_rate is 0.071 at checkout (and 1 more)"
    assert headline(message(acknowledged_by="ada")) == "critical: error_rate is 0.071 at checkout [ada looks after it]"
    assert headline(message(notice(summary=""))) == "critical: errors_high"


def test_a_digest_on_a_line() -> None:
    assert title([message()]) == headline(message())
    assert title([message(), message(resolved())]) == "2 messages, 1 of them of what fires; the last: " + headline(message(resolved()))
