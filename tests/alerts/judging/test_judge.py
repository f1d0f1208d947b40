"""Verdicts of several rules together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livekpi.alerts.judging.held import Held
from livekpi.alerts.judging.judge import Ask, Judge, Verdicts
from livekpi.alerts.judging.machine import Run
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, definition, rehearsed, send

RULES = """
alerts:
  many: { when: hits > 1, by: [shop] }
  few: { when: hits < 2, clear: total > 10, by: [shop] }
  grown: { when: "rising(hits, 50, 1m)", by: [shop] }
  at_noon: { when: hits > 0, by: [shop], only: { hours: "12:00-12:01" } }
"""
KPIS = {"hits": "value: count(*), by: [shop]", "total": "value: sum(n), by: [shop]"}


def served(tmp_path: Path) -> Any:
    """At shop a 1, 3 and 3 events a minute of 1 each; at b one in the last."""
    return rehearsed(tmp_path, definition("shop: string, n: integer", KPIS, source="late: 20m,", rest=RULES))


def feed(server: Rehearsal) -> None:
    for minute, shops in enumerate(["a", "aaa", "aaab"]):
        server.clock.set_us(NOON_US + minute * MINUTE_US)
        send(server, *({"shop": shop, "n": 1} for shop in shops))


def verdicts(server: Rehearsal, asks: Sequence[Ask]) -> list[Verdicts]:
    with server.query() as query, server.cursor() as cursor:
        return Judge(server.definition).verdicts(cursor, query, Held().over(query), asks)


def ask(server: Rehearsal, rule: str, begin: int = 0, end: int = 3, **more: Any) -> Ask:
    return Ask(server.definition.rules[rule], NOON_US + begin * MINUTE_US, NOON_US + end * MINUTE_US, **more)


def run(begin: int, end: int, when: bool | None, clear: bool | None, value: float | None) -> Run:
    return Run(NOON_US + begin * MINUTE_US, NOON_US + end * MINUTE_US, when, clear, value)


def test_rules_together_say_what_they_say_alone(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        feed(server)
        asks = [ask(server, "many"), ask(server, "few", 1), ask(server, "grown", 1, 2), ask(server, "at_noon")]
        for each, together in zip(asks, verdicts(server, asks), strict=True):
            (alone,) = verdicts(server, [each])
            assert together.runs(['["a"]', '["b"]']) == alone.runs(['["a"]', '["b"]']), each.rule.name


def test_alike_verdicts_are_a_run_with_its_last_number(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        feed(server)
        many, few, grown, noon = verdicts(server, [ask(server, name) for name in server.definition.rules])
        assert many.runs()['["a"]'] == [run(0, 1, False, True, 1), run(1, 3, True, False, 3)]
        assert few.runs()['["a"]'] == [run(0, 1, True, False, 1), run(1, 3, False, False, 3)]
        assert grown.runs()['["a"]'] == [run(1, 2, True, False, 3), run(2, 3, False, True, 3)]
        assert noon.runs(['["a"]']) == {'["a"]': [run(0, 1, True, False, 1), run(1, 3, False, True, 3)]}


def test_a_series_at_which_nothing_holds_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        feed(server)
        (many,) = verdicts(server, [ask(server, "many")])
        assert set(many.runs()) == {'["a"]'}
        assert many.runs(['["b"]'])['["b"]'] == [run(2, 3, False, True, 1)]


def test_a_bucket_that_is_not_complete_is_judged_by_what_it_will_be(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        feed(server)
        shares = {NOON_US + 2 * MINUTE_US: 0.5}
        (few,) = verdicts(server, [ask(server, "few", 2, shares=shares)])
        (sure,) = verdicts(server, [ask(server, "few", 2)])
        assert sure.runs()['["b"]'] == [run(2, 3, True, False, 1)]
        assert few.runs(['["b"]'])['["b"]'] == [run(2, 3, None, False, 1)]


def test_before_the_first_event_there_is_no_verdict(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert [each.runs() for each in verdicts(server, [ask(server, name) for name in server.definition.rules])] == [{}] * 4


def test_outside_of_its_calendar_a_rule_stops_whatever_it_is_to_stop_at(tmp_path: Path) -> None:
    rules = RULES.replace("few: {", 'open: { when: hits > 0, clear: hits > 90, by: [shop], only: { hours: "12:00-12:01" } }\n  few: {')
    with rehearsed(tmp_path, definition("shop: string, n: integer", KPIS, source="late: 20m,", rest=rules)) as server:
        feed(server)
        (found,) = verdicts(server, [ask(server, "open")])
    assert found.runs()['["a"]'] == [run(0, 1, True, False, 1), run(1, 3, False, True, 3)]
    assert found.open.tolist() == [True, False, False]
    assert found.known.sum() == 1
    assert found.holds.sum() == 1
