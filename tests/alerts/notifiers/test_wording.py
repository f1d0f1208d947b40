import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.alerts.message import Message, Severity
from livekpi.alerts.notifiers.wording import address, by_incident, clean, cut, cut_apart, headline, line, moment, others, raw, title
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
    ("value", "text"), [(None, ""), (0.071, "0.071"), (1234567.0, "1234567.0"), (1 / 3, "0.3333333333333333"), (float("inf"), "")]
)
def test_a_number_for_programs(value: float | None, text: str) -> None:
    assert raw(value) == text


@pytest.mark.parametrize("given", ["https://example.com/a?b=1&c=%20#d", "http://localhost:3000/x", "http://[::1]/~me"])
def test_an_address(given: str) -> None:
    assert address(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "javascript:alert(1)", "https://a b", "https://a|b", "https://a>b", 'https://a"b', "https://a\n", "x"]
)
def test_what_is_no_address(given: str | None) -> None:
    assert address(given) is None


def test_a_headline_names_the_worst_and_counts_the_rest() -> None:
    assert headline(message()) == "critical: error_rate is 7.1 % at checkout"
    assert headline(message(notice(), notice(), resolved())) == "critical: error_rate is 7.1 % at checkout (and 1 more)"
    assert headline(message(resolved(), resolved())) == "resolved: error_rate is 7.1 % at checkout (and 1 more)"
    assert headline(message(acknowledged_by="ada")) == "critical: error_rate is 7.1 % at checkout [ada looks after it]"
    assert headline(message(notice(summary=""))) == "critical: errors_high"


def test_a_digest_on_a_line() -> None:
    assert title([message()]) == headline(message())
    assert title([message(), message(resolved(), key="other")]) == "1 rule fires, 1 over: " + headline(message())
    assert title([message(), message(resolved())]) == headline(message(resolved()))


def test_a_digest_by_incident_has_what_fires_first_and_the_worst_of_it_before_all() -> None:
    def about(key: str, severity: Severity, *, over: bool = False) -> Message:
        made = resolved if over else notice
        return message(made(key=key, severity=severity), key=key)

    digest = [about("a", "critical", over=True), about("b", "info"), about("c", "critical"), about("d", "warning")]
    assert [each.key for each in by_incident(digest)] == ["c", "d", "b", "a"]


def test_of_an_incident_nothing_that_ceased_is_lost() -> None:
    first = message(notice(key="a"), notice(key="b"), number=1)
    second, third = message(notice(key="b"), resolved(key="a"), number=2), message(resolved(key="b"), number=3)
    (found,) = by_incident([first, second, third])
    assert (found.number, [(each.key, each.status) for each in found.notices]) == (3, [("b", "resolved"), ("a", "resolved")])
    (found,) = by_incident([second, message(notice(key="b"), notice(key="c"), number=4)])
    assert [(each.key, each.status) for each in found.notices] == [("b", "firing"), ("c", "firing"), ("a", "resolved")]


def test_what_there_is_no_room_for_is_named_or_counted() -> None:
    many = [message(notice(rule=f"rule{number}"), key=str(number)) for number in range(30)]
    assert others([*many[:2], message(resolved(rule="x"))], 100) == "3 more: rule0, rule1, x (over)"
    assert others(many, 60) == "30 more: rule0, rule1 and 28 that there is no room for"
