"""What an on-call team hears through a rough half hour, beside what its receivers are told again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from livekpi.alerts import listing
from livekpi.alerts.delivery.stored_outbox import StoredOutbox
from livekpi.alerts.listing import Wanted
from livekpi.definition.load import parse_definition
from livekpi.scripts.rehearsal import Rehearsal
from tests.alerts.judging.test_desk import known, ruled, spans, step_to, told
from tests.rehearsed import rehearsed

RATE = {"rate": "value: count(*) filter (where bad) / count(*), unit: ratio, by: [shop]"}


def again(server: Rehearsal, receiver: str = "am") -> list[str]:
    """What a receiver that is told again and again is told next."""
    return [notice.summary for notice in StoredOutbox(server.store.beside, server.definition).firing(receiver)]


def listed(server: Rehearsal) -> list[str]:
    """What `livekpi alerts`, the API and the page say."""
    with server.cursor() as cursor:
        return [each.summary for each in listing.current(cursor, server.definition, Wanted(), server.clock.now_us())]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Rehearsal]:
    """At shop a every event since 12:01 is bad."""
    with rehearsed(tmp_path, ruled("when: rate > 0.4, by: [shop]", kpis=RATE)) as server:
        step_to(server, "12:00:30", {"shop": "a", "bad": False}, {"shop": "b", "bad": False})
        step_to(server, "12:01:30", {"shop": "a", "bad": True})
        step_to(server, "12:02:30", {"shop": "a", "bad": True}, {"shop": "b", "bad": False})
        yield server


def test_a_number_that_is_corrected_is_seen_at_once_and_is_no_message(shop: Rehearsal) -> None:
    assert [message.worst.summary for message in told(shop)] == ["a: rate = 100 % (> 40 %), shop = a"]
    late = {"ts": "2026-03-01T12:01:40Z", "shop": "a", "bad": False}
    step_to(shop, "12:02:40", late)
    assert listed(shop) == again(shop) == ["a: rate = 50 % (> 40 %), shop = a"]
    assert [alert.value for alert in known(shop)] == [0.5]
    assert len(told(shop)) == 1
    # the next message has it, too
    step_to(shop, "12:03:30", {"shop": "b", "bad": True})
    step_to(shop, "12:06:30", {"shop": "b", "bad": True}, {"shop": "a", "bad": True})
    assert {notice.series["shop"] for notice in told(shop)[-1].firing} == {"a", "b"}
    assert len(told(shop)) == 2


def test_a_number_that_goes_on_is_told_with_what_comes_next(shop: Rehearsal) -> None:
    step_to(shop, "12:03:10", {"shop": "a", "bad": False}, {"shop": "a", "bad": True}, {"shop": "b", "bad": True})
    step_to(shop, "12:04:10", {"shop": "a", "bad": True})
    last = told(shop)[-1]
    assert [notice.summary for notice in last.firing] == ["a: rate = 100 % (> 40 %), shop = b", "a: rate = 50 % (> 40 %), shop = a"]
    assert (len(told(shop)), last.firing[1].value, last.firing[1].unit, last.firing[1].threshold) == (2, 0.5, "ratio", 0.4)


MONEY = {"takings": "value: sum(ms), unit: EUR, by: [shop]"}


def test_revenue_that_falls_to_nothing_at_one_shop_is_told_while_others_go_on(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: takings < 5, by: [shop]", kpis=MONEY)) as server:
        step_to(server, "12:00:30", {"shop": "a", "ms": 9}, {"shop": "b", "ms": 9})
        for minute in range(1, 4):
            step_to(server, f"12:0{minute}:30", {"shop": "b", "ms": 9})
        (message,) = told(server)
        assert [notice.summary for notice in message.notices] == ["a: takings = 0.00 EUR (< 5.00 EUR), shop = a"]
        assert spans(server) == [("12:02", None)]
        step_to(server, "12:04:30", {"shop": "a", "ms": 9}, {"shop": "b", "ms": 9})
        step_to(server, "12:05:30", {"shop": "b", "ms": 9})
        assert spans(server) == [("12:02", "12:05")]


def test_that_nothing_was_summed_is_not_that_the_sum_is_0(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: 'absent(takings, 2m)'", "when: takings < 5", kpis=MONEY)) as server:
        step_to(server, "12:00:30", {"ms": 9})
        for minute in range(1, 4):
            step_to(server, f"12:0{minute}:30", {"ms": 3}, {"ms": -3})
        assert (spans(server, "a"), spans(server, "b")) == ([], [("12:02", None)])
        for minute in range(4, 7):
            step_to(server, f"12:0{minute}:30", {"shop": "a"})
        assert (spans(server, "a"), spans(server, "b")) == ([("12:06", None)], [("12:02", None)])


def test_a_rule_that_is_renamed_while_it_fires_ends_and_begins_in_one_step(tmp_path: Path) -> None:
    before = ruled("when: rate > 0.4, by: [shop]", kpis=RATE)
    with rehearsed(tmp_path, before) as server:
        step_to(server, "12:00:30", {"shop": "a", "bad": True})
        step_to(server, "12:01:30", {"shop": "a", "bad": True})
        server.definition = parse_definition(before.text.replace("  a: {", "  z: {").encode(), before.path, {})
        server.restart()
        step_to(server, "12:01:40", {"shop": "a", "bad": True})
        assert [(message.rule, message.status) for message in told(server)] == [("a", "firing"), ("a", "resolved"), ("z", "firing")]
        assert again(server) == ["z: rate = 100 % (> 40 %), shop = a"]
