"""The oracle of incidents must see what a fault could do to alerts."""

import random

from tests.faults.incidents import LEVEL, RULES, Event, Story, expected
from tests.faults.traffic import SECOND_US

BEGIN_S = 1_760_000_000


def seconds(*given: str, levels: tuple[int, ...] = ()) -> list[Event]:
    """A service's seconds: `x` an error, `.` a request that went well."""
    return [
        Event(
            (BEGIN_S + second) * SECOND_US + place,
            f"e{second}.{place}",
            "cart",
            500 if sign == "x" else 200,
            (*levels, 100)[min(second, len(levels))],
        )
        for second, signs in enumerate(given)
        for place, sign in enumerate(signs)
    ]


def incidents(events: list[Event], rule: str) -> list[tuple[int, int]]:
    return sorted(
        (begin_us // SECOND_US - BEGIN_S, end_us // SECOND_US - BEGIN_S) for name, _, begin_us, end_us in expected(events) if name == rule
    )


def test_a_count_fires_at_once_and_ends_with_a_second_without_events() -> None:
    assert incidents(seconds(".", "xxx", "xxxx", "xx", "xxx", "", "."), "errors_many") == [(2, 4), (5, 6)]


def test_a_ratio_must_hold_and_stays_for_a_while_and_what_is_not_known_changes_nothing() -> None:
    assert incidents(seconds("x", "x", ".", "x", "", "x", "x", ".", ".", ".", "."), "errors_long") == [(6, 10)]
    assert incidents(seconds("x", "x", "x", ".", "x", ".", ".", ".", "."), "errors_long") == [(3, 8)]
    assert incidents(seconds("x", "x", "x", ".", "", "", "x", "."), "errors_long") == [(3, 6)]


def test_a_level_is_carried_on() -> None:
    assert incidents(seconds(".", ".", "", ".", ".", levels=(30, 10, 10, 40)), LEVEL) == [(2, 4)]


def test_a_story_has_incidents_of_every_rule_and_ends_well() -> None:
    story = Story(random.Random(1), BEGIN_S * SECOND_US)
    come = [event for _ in range(300) for event in story.second()] + [event for events in story.end() for event in events]
    assert sorted(event.name for event in come) == sorted(event.name for event in story.events)
    assert len({event.time_us for event in come if event.service == "cart"}) == len([event for event in come if event.service == "cart"])
    found = expected(story.events)
    assert {rule for rule, *_ in found} == set(RULES)
    assert all(sum(rule == each[0] for each in found) > 20 for rule in RULES)
    [late] = [event for event in story.events if event.service == "cart" and event.status >= 500][:1]
    assert late in come
