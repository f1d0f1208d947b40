"""When history is long enough to doubt a rule by, and from what share on a rule is said to fire nearly always."""

from dataclasses import replace

import pytest

from livekpi.alerts.backtest.doubts import enough, held_nearly_always, never_held
from livekpi.alerts.backtest.trial import Tally, Tried
from livekpi.definition.rules.rules import Rule
from tests.rehearsed import DAY_US, MINUTE_US, NOON_US, definition


@pytest.fixture(scope="module")
def rule() -> Rule:
    rest = "alerts: { busy: { when: visits > 2, notify: [am] } }\nnotify: { am: { webhook: { url: 'https://example.com' } } }"
    return definition("", {"visits": "value: count(*)"}, rest=rest).rules["busy"]


@pytest.mark.parametrize(
    ("every_us", "buckets", "says"),
    [(MINUTE_US, 1_440, True), (MINUTE_US, 1_439, False), (DAY_US, 20, True), (DAY_US, 19, False)],
)
def test_a_day_and_twenty_buckets_are_enough(rule: Rule, every_us: int, buckets: int, says: bool) -> None:
    tried = Tried(replace(rule, every_us=every_us), NOON_US, NOON_US + DAY_US, tally=Tally(buckets, buckets))
    assert enough(tried) is says
    assert enough(replace(tried, problem="not there")) is False


@pytest.mark.parametrize(("held", "says"), [(89, None), (90, "90 %"), (999, "99 %"), (1_000, "100 %")])
def test_nearly_always_begins_at_nine_in_ten(rule: Rule, held: int, says: str | None) -> None:
    known = 100 if held < 100 else 1_000
    text = held_nearly_always(Tried(rule, NOON_US, NOON_US + DAY_US, tally=Tally(50, known, held)))
    assert text is None if says is None else text is not None and f"held {says} of the time" in text


def test_what_is_known_of_nothing_is_neither(rule: Rule) -> None:
    tried = Tried(rule, NOON_US, NOON_US + DAY_US, tally=Tally(0, 0, 0))
    assert (never_held(tried), held_nearly_always(tried)) == (None, None)
