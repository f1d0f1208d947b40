"""Rules tried on history: the same alerts as were found live, and nothing that the store does not say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livekpi.alerts import ledger, words
from livekpi.alerts.backtest.nearest import Nearest
from livekpi.alerts.backtest.panel import Panels
from livekpi.alerts.backtest.trial import Backtest, Tally, Tried
from livekpi.alerts.judging.held import Held
from livekpi.alerts.judging.judge import Ask, Judge
from livekpi.definition.definition import Definition
from livekpi.moments import time_text
from livekpi.query.query import Query
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import HOUR_US, MINUTE_US, NOON_US, at, definition, rehearsed, send

RULES = """
alerts:
  many: { when: visits > 2, by: [page], for: 2m, keep: 2m, notify: [am] }
  few: { when: visits < 2, clear: visits > 3, for: 1m, notify: [am] }
  silent: { when: "absent(visits, 3m)", by: [page], notify: [am] }
  all_silent: { when: "absent(visits, 4m)", notify: [am] }
  grown: { when: "rising(visits, 50, 5m)", for: 1m, notify: [am] }
  less: { when: "amount < 0.5 * ago(amount, 5m)", by: [page], notify: [am] }
  costly: { when: mean > 6 and visits > 1, by: [page], notify: [am] }
  level: { when: stock < 3, by: [page], for: 2m, notify: [am] }
  peak: { when: top > 8, notify: [am] }
notify: { am: { alertmanager: { urls: ["http://localhost:9093"] } } }
"""
KPIS = {
    "visits": "value: count(*), by: [page]",
    "amount": "value: sum(amount), by: [page]",
    "stock": "value: last(level), by: [page]",
    "top": "value: max(amount), over: 3m",
    "most": "value: max(amount), by: [page]",
    "mean": "value: avg(amount), by: [page]",
}
FIELDS = "page: optional string, amount: number, level: integer"
END_US = NOON_US + 2 * HOUR_US
SOURCE = "idle: 10m, late: 1h,"


def made(rules: str = RULES, kpis: Mapping[str, str] = KPIS) -> Definition:
    return definition(FIELDS, kpis, source=SOURCE, rest=rules)


@contextmanager
def server(of: Definition) -> Iterator[Rehearsal]:
    with TemporaryDirectory() as directory, rehearsed(Path(directory), of) as found:
        yield found


def visit(minute: float, page: str | None = "a", amount: float = 1, level: int = 5) -> tuple[int, Mapping[str, Any]]:
    return NOON_US + int(minute * MINUTE_US), {"page": page, "amount": amount, "level": level}


def feed(to: Rehearsal, events: Sequence[tuple[int, Mapping[str, Any]]], end_us: int = END_US) -> None:
    """Events come at their own times, and time goes on after the last."""
    for time_us, event in events:
        to.clock.set_us(time_us)
        send(to, event)
    for time_us in range(to.clock.now_us() + 5 * MINUTE_US, end_us + 1, 5 * MINUTE_US):
        to.advance(time_us)


def feed_at_once(to: Rehearsal, events: Sequence[tuple[int, Mapping[str, Any]]], end_us: int = END_US) -> None:
    """Events come together at the end."""
    to.clock.set_us(events[-1][0])
    send(to, *({"ts": time_text(time_us), **event} for time_us, event in events))
    to.advance(end_us)


def tried(of: Rehearsal, rule: str, **limits: int) -> Tried:
    with of.cursor() as cursor:
        return Backtest(cursor, of.definition, of.clock.now_us()).try_rule(of.definition.rules[rule], **limits)


EVENTS = st.lists(
    st.builds(
        lambda gap, page, amount, level: (gap, {"page": page, "amount": amount, "level": level}),
        st.sampled_from([1, 7, 20, 61, 130, 400]),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0, 1, 4, 9]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=16,
)


def timed(gaps: Sequence[tuple[int, Mapping[str, Any]]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Events whose times are so many seconds after one another."""
    time_us, found = NOON_US, []
    for gap, event in gaps:
        time_us += gap * 1_000_000
        found.append((time_us, event))
    return found


@settings(max_examples=4)
@given(gaps=EVENTS)
def test_it_finds_what_was_found_live(gaps: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    with server(made()) as live:
        events = timed(gaps)
        feed(live, events, events[-1][0] + 20 * MINUTE_US)
        with live.cursor() as cursor:
            known = [alert for alert in ledger.alerts(cursor) if alert.note != "corrected"]
        for rule in live.definition.rules:
            was = sorted((alert.series, alert.started_us, alert.ends_us or 0) for alert in known if alert.rule == rule)
            found = tried(live, rule)
            assert found.problem is None
            again = sorted((alert.series, alert.started_us, alert.ends_us or 0) for alert in found.alerts)
            if live.definition.rules[rule].when.level:  # live, a level is also told that is over by the end of its bucket
                was = [alert for alert in was if alert in again or not alert[2] or alert[2] - alert[1] >= MINUTE_US]
            assert again == was, rule


@settings(max_examples=10)
@given(gaps=EVENTS, cut=st.integers(0, 40))
def test_its_values_are_those_that_are_judged_live(gaps: Sequence[tuple[int, Mapping[str, Any]]], cut: int) -> None:
    with server(made()) as live:
        feed_at_once(live, timed(gaps))
        with live.cursor() as cursor:
            query = Query(cursor, live.definition, live.engine.plan, live.clock.now_us())
            judge, held = Judge(live.definition), Held()
            panels = Panels(cursor, query, live.engine.plan)
            begin_us = NOON_US + cut * MINUTE_US
            for rule in live.definition.rules.values():
                ask = Ask(rule, begin_us, begin_us + HOUR_US)
                ((of_panels,), (of_held,)) = (judge.verdicts(cursor, query, reader, [ask]) for reader in (panels, held.over(query)))
                assert of_panels.runs(of_panels.codes.texts) == of_held.runs(of_held.codes.texts), rule.name


BUSY = "alerts: { busy: { when: visits > 2, by: [page], notify: [am] } }\nnotify: { am: { webhook: { url: 'https://example.com' } } }\n"
VISITS = {"visits": "value: count(*), by: [page]"}


@pytest.fixture
def shop() -> Iterator[Rehearsal]:
    """Page a is busy at 12:01, pages a and b at 12:05; others come every minute."""
    with server(made(BUSY, VISITS)) as found:
        times: list[tuple[float, str]] = [(minute, "c") for minute in range(10)]
        times += [(1 + part / 10, "a") for part in range(3)] + [(5 + part / 10, page) for part in range(3) for page in ("a", "b")]
        feed_at_once(found, [visit(minute, page) for minute, page in sorted(times, key=lambda each: each[0])])
        yield found


def test_it_says_when_each_alert_would_have_been_known_and_told(shop: Rehearsal) -> None:
    found = tried(shop, "busy")
    spans = [(alert.series, alert.started_us, alert.ends_us, alert.judged_at_us) for alert in found.alerts]
    assert spans == [
        ('["a"]', at("12:02"), at("12:03"), at("12:02")),
        ('["a"]', at("12:06"), at("12:07"), at("12:06")),
        ('["b"]', at("12:06"), at("12:07"), at("12:06")),
    ]
    told = [(message.at_us, message.status, len(message.notices)) for message in found.messages]
    assert told == [
        (at("12:02"), "firing", 1),
        (at("12:03"), "resolved", 1),
        (at("12:06"), "firing", 2),
        (at("12:07"), "resolved", 2),
    ]


def test_what_was_silenced_is_not_told(shop: Rehearsal) -> None:
    with shop.store.beside() as cursor:
        said = {"author": "ann", "reason": "known", "from_us": at("12:00"), "until_us": at("12:04")}
        words.say(cursor, "silences", rule="busy", slices={"page": "a"}, **said)  # type: ignore[arg-type]
    found = tried(shop, "busy")
    assert len(found.alerts) == 3
    assert [alert.key in found.told for alert in found.alerts] == [False, True, True]
    assert [message.at_us for message in found.messages] == [at("12:06"), at("12:07")]


def test_a_range_is_judged_alone(shop: Rehearsal) -> None:
    found = tried(shop, "busy", from_us=at("12:04"), to_us=at("12:06"))
    assert (found.from_us, found.until_us) == (at("12:04"), at("12:06"))
    assert [(alert.series, alert.ends_us) for alert in found.alerts] == [('["a"]', None), ('["b"]', None)]


def test_a_kpi_that_is_not_what_is_stored_gives_no_numbers(shop: Rehearsal) -> None:
    shop.definition = made(BUSY, {"visits": "value: count(*) filter (where amount > 0), by: [page]"})
    found = tried(shop, "busy")
    assert found.alerts == ()
    assert found.problem is not None
    assert "visits is new, or has another meaning" in found.problem


def test_a_threshold_that_was_never_reached_is_said(shop: Rehearsal) -> None:
    shop.definition = made(BUSY.replace("> 2", "> 7"), VISITS)
    found = tried(shop, "busy")
    assert (found.alerts, found.held_us) == ((), 0)
    assert found.nearest == Nearest(3.0, ">", 7.0, at("12:01"), '["a"]')


SUMS = [visit(0, "a", 10), visit(1, "b", 3), visit(2, "b", 8), visit(3, "a", 7), visit(4, "b", 8), visit(5, "a", 9)]


NEAREST = {
    "most > 12": Nearest(10, ">", 12, at("12:00"), '["a"]'),
    "most < 3": Nearest(3, "<", 3, at("12:01"), '["b"]'),
    "-1 >= most": Nearest(-1, ">=", 3, at("12:01"), '["b"]'),
    "-1 >= amount": Nearest(-1, ">=", 0, at("12:01"), '["a"]'),  # where nothing came a sum is 0
    "most * 2 > 25": Nearest(20, ">", 25, at("12:00"), '["a"]'),
    "most > 3 * ago(most, 3m)": Nearest(8, ">", 9, at("12:04"), '["b"]'),
    "most >= 10.5 and visits > 0": None,
    "rising(most, 900, 1m)": None,
    "most = 4": None,
}


def test_it_says_where_a_comparison_came_nearest() -> None:
    rules = [f"  r{number}: {{ when: '{condition}', by: [page], notify: [am] }}" for number, condition in enumerate(NEAREST)]
    with server(made("\n".join(["alerts:", *rules, BUSY.splitlines()[1]]))) as of:
        feed_at_once(of, SUMS)
        found = [tried(of, name) for name in of.definition.rules]
    assert {each.rule.spec.when: each.nearest for each in found} == NEAREST
    assert {each.tally.held for each in found} == {0}


def rule(condition: str, more: str = "by: [page]") -> str:
    return BUSY.replace("busy: { when: visits > 2, by: [page]", f"rule: {{ when: '{condition}', {more}")


def test_of_what_held_there_is_no_nearest() -> None:
    with server(made(rule("most > 9"))) as of:
        feed_at_once(of, SUMS)
        found = tried(of, "rule")
    assert (found.nearest, found.tally) == (None, Tally(buckets=6, known=6, held=1))


def test_buckets_are_counted_while_calendars_are_open() -> None:
    open_ = '{ hours: "12:02-12:04" }'  # what counts is the end of a bucket
    with server(made(rule("most > 9", f"by: [page], only: {open_}"))) as of:
        feed_at_once(of, SUMS)
        found = tried(of, "rule")
    assert found.tally == Tally(buckets=2, known=2, held=0)
    assert found.nearest == Nearest(8, ">", 9, at("12:02"), '["b"]')


def test_pieces_of_history_are_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(made(rule("most > 12"))) as of:
        feed_at_once(of, SUMS)
        whole = tried(of, "rule")
        monkeypatch.setattr("livekpi.alerts.backtest.trial.CELLS", 2)
        pieces = tried(of, "rule")
    assert (pieces.nearest, pieces.tally) == (whole.nearest, whole.tally)
    assert whole.nearest is not None


OUTAGE = """
alerts:
  few: { when: visits < 1, notify: [am] }
  little: { when: amount < 1, for: 2m, notify: [am] }
  mixed: { when: amount < 1 or mean > 50, notify: [am] }
  none: { when: "absent(visits, 3m)", notify: [am] }
  cheap: { when: "coalesce(mean, 0) < 1", notify: [am] }
notify: { am: { alertmanager: { urls: ["http://localhost:9093"] } } }
"""


def test_what_nobody_sent_is_known_when_it_would_have_been_known_live() -> None:
    """An outage of forty minutes, of which it is known after the source's ten, and a pause that is over before."""
    times = {*range(0, 300, 20), *range(540, 900, 20), *range(3300, 3600, 20)}
    with server(made(OUTAGE)) as live:
        for second in range(0, 3600, 10):
            live.clock.set_us(NOON_US + second * 1_000_000)
            if second in times:
                send(live, visit(0)[1])
            live.advance(live.clock.now_us())
        with live.cursor() as cursor:
            known = ledger.alerts(cursor)
        for rule in live.definition.rules:
            was = [(each.started_us, each.ends_us, each.judged_at_us, each.ended_at_us) for each in known if each.rule == rule]
            found = tried(live, rule).alerts
            assert [(each.started_us, each.ends_us) for each in found] == [each[:2] for each in was]
            for each, (_, _, judged_us, ended_us) in zip(found, was, strict=True):
                assert abs(each.judged_at_us - judged_us) <= MINUTE_US, (rule, time_text(each.judged_at_us), time_text(judged_us))
                assert abs((each.ended_at_us or 0) - (ended_us or 0)) <= MINUTE_US, rule
        assert [time_text(each.judged_at_us)[11:16] for each in known if each.rule == "few"] == ["12:09", "12:24"]
