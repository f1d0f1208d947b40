"""Rules judged by the real engine and store: what must hold whatever goes wrong beside them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from structlog.testing import capture_logs

from livekpi.alerts import ledger, refusals, words
from livekpi.alerts.judging.judge import Ask, Judge
from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message
from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.query.steps import QueryError
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, at, definition, rehearsed, send

SECOND_US = 1_000_000
FIELDS = "shop: optional string, vip: optional boolean, ms: optional integer, bad: optional boolean"
KPIS = {
    "hits": "value: count(*), by: [shop, vip]",
    "errors": "value: count(*) filter (where bad), by: [shop, vip]",
    "slowest": "value: max(ms), by: [shop, vip]",
}
NOTIFY = """notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
  pager: { alertmanager: { urls: ["http://localhost:9094"] } }
"""


def ruled(*rules: str, source: str = "late: 20m, idle: 1m,", notify: str = NOTIFY, **more: Any) -> Definition:
    """A definition with rules, each what stands in its braces; they are named a, b, …"""
    lines = [f"  {name}: {{ {rule}, notify: [am] }}" for name, rule in zip("abcdef", rules, strict=False)]
    alerts = "\n".join(["alerts:", *lines]) if rules else ""
    return definition(FIELDS, KPIS | more.pop("kpis", {}), source=source, rest=f"{alerts}\n{notify}{more.pop('rest', '')}", **more)


def known(server: Rehearsal) -> list[Alert]:
    with server.cursor() as cursor:
        return ledger.alerts(cursor)


def spans(server: Rehearsal, rule: str = "a") -> list[tuple[str, str | None]]:
    """From and to, by the time of day."""
    return [
        (_time(alert.started_us), None if alert.ends_us is None else _time(alert.ends_us)) for alert in known(server) if alert.rule == rule
    ]


def _time(time_us: int) -> str:
    minutes, seconds = divmod((time_us - NOON_US) // SECOND_US, 60)
    return f"{12 + minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def told(server: Rehearsal, receiver: str = "am") -> list[Message]:
    with server.cursor() as cursor:
        return ledger.messages(cursor, receiver)


def step_to(server: Rehearsal, time: str, *events: dict[str, Any]) -> None:
    """The clock goes on, then events arrive together; of its time where they have none."""
    server.clock.set_us(at(time))
    send(server, *events)


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """As if a rule's questions could not be answered."""
    verdicts = Judge.verdicts

    def fail(self: Judge, cursor: Any, query: Any, reader: Any, asks: Sequence[Ask]) -> Any:
        if name in [ask.rule.name for ask in asks]:
            raise QueryError("it is kept in buckets of 60s")
        return verdicts(self, cursor, query, reader, asks)

    with monkeypatch.context() as patched:
        patched.setattr(Judge, "verdicts", fail)
        yield


def test_a_rule_that_cannot_be_judged_is_its_own_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rehearsed(tmp_path, ruled("when: hits > 1", "when: hits > 1")) as server:
        with capture_logs() as logs:
            step_to(server, "12:00:30", {"ms": 1}, {"ms": 1})
            with broken(monkeypatch, "a"):
                step_to(server, "12:01:30", {"ms": 1})
                step_to(server, "12:02:30", {"ms": 1})
                assert spans(server, "a") == []
                assert spans(server, "b") == [("12:01", "12:02")]
                assert server.desk.problems == {"a": "it is kept in buckets of 60s"}
        assert [(line["rule"], line["error"]) for line in logs if "rule" in line] == [("a", "it is kept in buckets of 60s")]
        server.advance(at("12:02:40"))
        assert not server.desk.problems
        assert spans(server, "a") == [("12:01", "12:02")]


def test_what_was_corrected_while_a_rule_could_not_be_judged_is_judged_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5")) as server:
        step_to(server, "12:00:30", {"ms": 1})
        step_to(server, "12:03:30", {"ms": 1})
        server.advance(at("12:05"))
        with broken(monkeypatch, "a"):
            step_to(server, "12:05:10", {"ts": "2026-03-01T12:01:10Z", "ms": 9})
        server.advance(at("12:05:20"))
        assert spans(server) == [("12:02", "12:04")]


class DeadDiskError(duckdb.Error):
    """The disk refuses."""


def refusing(server: Rehearsal) -> Any:
    @contextmanager
    def transaction() -> Iterator[duckdb.DuckDBPyConnection]:
        with server.store.beside() as cursor:
            yield cursor
            raise DeadDiskError

    return transaction


def test_after_an_error_all_is_judged_and_told_again(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5")) as server:
        step_to(server, "12:00:30", {"ms": 1})
        step_to(server, "12:03:30", {"ms": 1})
        server.advance(at("12:05"))
        desk, begin = server.desk, server.desk._transaction
        desk._transaction = refusing(server)
        desk.refused("pager", "it says 400")
        with pytest.raises(DeadDiskError):
            step_to(server, "12:05:10", {"ts": "2026-03-01T12:01:10Z", "ms": 9})
        assert known(server) == []
        desk._transaction = begin
        outcome = desk.step()
        assert spans(server) == [("12:02", "12:04")]
        assert {alert.rule for alert in outcome.changed} == {"a", refusals.RULE}
        assert [message.rule for message in told(server)][-1] == refusals.RULE


def test_what_commits_changed_while_no_transaction_could_begin_is_read_anew(tmp_path: Path) -> None:
    @contextmanager
    def closed() -> Iterator[duckdb.DuckDBPyConnection]:
        raise DeadDiskError
        yield

    with rehearsed(tmp_path, ruled("when: slowest > 5")) as server:
        step_to(server, "12:00:30", {"ms": 1})
        step_to(server, "12:03:30", {"ms": 1})
        server.advance(at("12:05"))
        desk, begin = server.desk, server.desk._transaction
        desk._transaction = closed
        with pytest.raises(DeadDiskError):
            step_to(server, "12:05:10", {"ts": "2026-03-01T12:01:10Z", "ms": 9})
        desk._transaction = begin
        desk.step()
        assert spans(server) == [("12:02", "12:04")]


BROKEN = "when: errors > 0.4 * hits"


def late(server: Rehearsal, time: str, bad: int, good: int = 0) -> None:
    """Events of a minute that is past."""
    send(server, *({"ts": f"2026-03-01T{time}:10Z", "bad": number < bad} for number in range(bad + good)))


def test_what_was_taken_back_leaves_no_state_behind(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled(BROKEN)) as server:
        step_to(server, "12:01:30", {"bad": True})
        step_to(server, "12:03:30", {"bad": False})
        with server.cursor() as cursor:
            assert ledger.states(cursor, "a", at("12:02"))["[]"].phase == "firing"
        late(server, "12:01", 0, 9)
        with server.cursor() as cursor:
            assert all(state.phase == "inactive" for state in ledger.states(cursor, "a", at("12:02")).values())
        assert [alert.note for alert in known(server)] == ["corrected"]


def test_an_alert_that_begins_where_another_was_found_first_has_a_key_of_its_own(tmp_path: Path) -> None:
    """The first began at 12:03, as it seemed, and keeps its key as it turns out to have been before."""
    with rehearsed(tmp_path, ruled(BROKEN)) as server:
        step_to(server, "12:02:30", {"bad": True})
        step_to(server, "12:04:30", {"bad": False})
        late(server, "12:01", 1)
        late(server, "12:00", 1)
        late(server, "12:02", 0, 9)
        late(server, "12:01", 0, 9)
        assert spans(server) == [("12:01", "12:02")]
        late(server, "12:02", 30)
        assert spans(server) == [("12:01", "12:02"), ("12:03", "12:04")]
        assert len({alert.key for alert in known(server)}) == 2


def test_what_is_heard_while_a_step_fails_goes_before_what_it_took(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5")) as server:
        desk, begin = server.desk, server.desk._transaction
        desk._transaction = refusing(server)
        desk.refused("pager", "it says 400")
        with pytest.raises(DeadDiskError):
            desk.step()
        desk.taken("pager")
        desk._transaction = begin
        desk.step()
        assert known(server) == []


def test_a_receiver_that_refuses_is_told_of_to_the_others_until_it_takes_something(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5")) as server:
        server.desk.refused("pager", "it says 400")
        server.desk.step()
        server.desk.refused("pager", "it says 400 again")
        server.desk.step()
        server.advance(at("12:01"))
        server.desk.taken("pager")
        server.desk.step()
        said = [(message.status, message.worst.summary, message.worst.key) for message in told(server)]
        key = known(server)[0].key
        assert said == [("firing", "pager can't be told of alerts: it says 400", key), ("resolved", "pager takes messages again", key)]
        assert told(server, "pager") == []
        assert spans(server, refusals.RULE) == [("12:00", "12:01")]


def test_a_receiver_that_refuses_and_is_taken_out_of_the_file_is_told_of_no_more(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5")) as server:
        server.desk.refused("pager", "it says 400")
        server.desk.step()
        server.clock.set_us(at("12:01"))
        server.redefine(ruled("when: slowest > 5", notify=NOTIFY.split("  pager", maxsplit=1)[0]))
        assert spans(server, refusals.RULE) == [("12:00", "12:01")]
        assert [message.worst.summary for message in told(server)][1:] == ["pager is told of alerts no more"]


def test_a_rule_that_is_gone_is_not_told_to_a_receiver_that_is_gone(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: hits > 0")) as server:
        step_to(server, "12:00:30", {"ms": 1})
        step_to(server, "12:01:30", {"ms": 1})
        server.redefine(ruled(notify=""))
        assert spans(server) == [("12:01", "12:01:30")]
        assert [message.status for message in told(server)] == ["firing"]


def test_the_condition_to_stop_at_may_ask_other_kpis(tmp_path: Path) -> None:
    made = ruled("when: hits > 1, clear: slowest < 3")
    with rehearsed(tmp_path, made) as server:
        step_to(server, "12:00:30", {"ms": 9}, {"ms": 9})
        step_to(server, "12:01:30", {"ms": 9})
        step_to(server, "12:02:30", {"ms": 1})
        step_to(server, "12:03:30", {"ms": 9})
        assert spans(server) == [("12:01", "12:03")]
        # its numbers are corrected, and nothing of `when` is
        step_to(server, "12:03:40", {"ts": "2026-03-01T12:02:40Z", "ms": 9})
        server.advance(at("12:05"))
        assert spans(server) == [("12:01", None)]


TWO = """sources:
  s: { http: {}, time: ts, idle: 1m, late: 20m, fields: { ts: timestamp } }
  t: { http: {}, time: ts, idle: 10m, late: 20m, fields: { ts: timestamp } }
kpis:
  hits: { value: count(*), source: s, every: 1m }
  pays: { value: count(*), source: t, every: 1m }
  share: { value: pays / hits }
alerts:
  a: { when: hits > 1, clear: pays > 0, notify: [am] }
  b: { when: share < 0.5, notify: [am] }
"""


def test_a_rule_of_two_sources_waits_for_both(tmp_path: Path) -> None:
    with rehearsed(tmp_path, parse_definition((TWO + NOTIFY).encode(), Path("two.yaml"), {})) as server:
        step_to(server, "12:00:20", {})
        for minute in range(4):
            step_to(server, f"12:0{minute}:30", {})
        assert known(server) == []
        server.clock.set_us(at("12:04:30"))
        send(server, {"ts": "2026-03-01T12:02:10Z"}, source="t")
        assert spans(server, "a") == [("12:01", None)]
        assert spans(server, "b") == []
        send(server, {"ts": "2026-03-01T12:03:10Z"}, source="t")
        assert spans(server, "a") == [("12:01", "12:03")]
        send(server, {"ts": "2026-03-01T12:01:20Z"}, source="t")  # a correction of what only `clear` asks
        assert spans(server, "a") == [("12:01", "12:02")]


@pytest.mark.parametrize("death", ["restart", "kill"])
@pytest.mark.parametrize("late", ["0s", "20m"])
def test_an_alert_goes_on_through_a_restart(tmp_path: Path, death: str, late: str) -> None:
    """Long after it began, and longer after than a series is thought to be as it was."""
    with rehearsed(tmp_path, ruled("when: hits > 0, by: [shop]", source=f"late: {late}, idle: 30m,")) as server:
        for minute in range(12):
            step_to(server, f"12:{minute:02}:30", {"shop": "x"})
        getattr(server, death)()
        step_to(server, "12:12:30", {"shop": "x"})
        assert spans(server) == [("12:01", None)]


def test_what_an_alert_was_judged_by_is_on_the_disk_with_it(tmp_path: Path) -> None:
    """Who knows less after a crash of how late events come would judge it otherwise, and tell that."""
    with rehearsed(tmp_path, ruled("when: hits > 0, by: [shop]")) as server:
        for second in range(0, 60, 5):
            step_to(server, f"12:00:{second:02}", {"shop": "x"})
        step_to(server, "12:01:05", {"shop": "x"})
        assert spans(server) == [("12:01", None)]
        with server.cursor() as cursor:
            kept = dict(cursor.execute("SELECT source, state FROM lateness").fetchall())
        assert kept == server.desk.arrivals.dump()


def test_a_series_that_ends_ends_its_alert_though_others_are_always_late(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5, by: [shop]")) as server:
        step_to(server, "12:00:30", {"shop": "x", "ms": 9}, {"shop": "y", "ms": 9})
        for minute in range(1, 16):
            late = {"ts": f"2026-03-01T12:{minute - 1:02}:40Z", "shop": "y", "ms": 9}
            step_to(server, f"12:{minute:02}:30", late, {"shop": "y", "ms": 9})
        server.advance(at("12:18"))
        assert spans(server) == [("12:01", "12:06"), ("12:01", None)]


def test_a_silenced_alert_that_is_over_is_not_told_afterwards(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: slowest > 5, by: [shop]")) as server:
        with server.store.beside() as cursor:
            span = {"from_us": NOON_US, "until_us": at("12:03:20")}
            words.say(cursor, "silences", rule="a", slices={"shop": "x"}, author="jo", reason="", **span)
        step_to(server, "12:00:30", {"shop": "x", "ms": 9}, {"shop": "y", "ms": 1})
        step_to(server, "12:01:30", {"shop": "x", "ms": 1}, {"shop": "y", "ms": 9})
        # in one step the silenced one ends and the other begins
        step_to(server, "12:02:30", {"shop": "x", "ms": 1}, {"shop": "y", "ms": 9})
        step_to(server, "12:03:30", {"shop": "x", "ms": 1}, {"shop": "y", "ms": 9})
        assert [(message.status, message.worst.series) for message in told(server)] == [("firing", {"shop": "y"})]


def test_dimensions_and_texts_of_any_kind(tmp_path: Path) -> None:
    kpis = {"name": "value: max(shop), by: [vip]"}
    with rehearsed(tmp_path, ruled("when: name = 'x', by: [vip]", "when: hits > 0, by: [vip, shop]", kpis=kpis)) as server:
        step_to(server, "12:00:30", {"shop": "x", "vip": True}, {"shop": "y", "vip": False}, {"shop": None, "vip": None})
        step_to(server, "12:01:30", {"shop": "x"})
        assert [(alert.rule, alert.series) for alert in known(server)] == [
            ("a", '["true"]'),
            ("b", '["false","y"]'),
            ("b", '["true","x"]'),
            ("b", "[null,null]"),
        ]
        found = {tuple(notice.series.items()) for notice in told(server)[-1].notices}
        assert (("vip", None), ("shop", None)) in found


def test_of_more_series_than_are_kept_the_others_are_one(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: hits > 1, by: [shop]", rest="limits: { series: 2 }\n")) as server:
        step_to(server, "12:00:30", *({"shop": shop, "vip": True} for shop in "abcd"))
        step_to(server, "12:01:30", {"shop": "a", "vip": True})
        assert [alert.series for alert in known(server)] == ['["__other__"]']


def test_a_ratio_of_zero_is_not_silence(tmp_path: Path) -> None:
    kpis = {"level": "value: last(ms), by: [shop]"}
    rules = ("when: 'absent(share, 2m)'", "when: 'absent(level, 2m)'", "when: 'absent(errors, 2m)'")
    with rehearsed(tmp_path, ruled(*rules, kpis=kpis, composed={"share": "errors / hits"})) as server:
        for minute in range(6):
            step_to(server, f"12:0{minute}:30", {"ms": 0, "bad": False})
        assert [(rule, spans(server, rule)) for rule in "abc"] == [("a", []), ("b", []), ("c", [("12:02", None)])]


def test_outside_its_hours_an_alert_stops_whatever_its_threshold_to_stop_at(tmp_path: Path) -> None:
    rule = "when: slowest > 5, clear: slowest < 2, only: { hours: '12:00-12:03' }"
    with rehearsed(tmp_path, ruled(rule)) as server:
        for minute in range(5):
            step_to(server, f"12:0{minute}:30", {"ms": 9})
        assert spans(server) == [("12:01", "12:04")]


def test_buckets_that_are_merged_already_are_judged_no_more(tmp_path: Path) -> None:
    """Late events reach further back than fine buckets are kept."""
    rest = "keep: { 10s: 1h, 1h: 400d }\n"
    kpis = {"fine": "value: max(ms), every: 10s", "wide": "value: max(ms), every: 10s, over: 5m"}
    made = ruled("when: fine > 5", "when: wide > 5", source="late: 4h, idle: 1m,", kpis=kpis, rest=rest)
    with rehearsed(tmp_path, made) as server:
        step_to(server, "12:00:30", {"ms": 1})
        step_to(server, "14:30:30", {"ms": 1})
        server.advance(at("16:20:30"))
        step_to(server, "16:20:40", {"ms": 9}, {"ts": "2026-03-01T12:30:10Z", "ms": 9})
        step_to(server, "16:20:50", {"ms": 1})
        server.advance(at("16:25"))
        assert not server.desk.problems
        assert spans(server) == [("16:20:50", "16:21")]


def test_a_rule_of_whole_days(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: daily > 1", kpis={"daily": "value: count(*), every: 1d"})) as server:
        for day in ("01", "02", "03", "04", "05"):
            step_to(server, f"2026-03-{day}T13:00:00", *([{"ms": 1}] * (2 if day == "02" else 1)))
        assert [(alert.started_us, alert.ends_us) for alert in known(server)] == [(at("2026-03-03T00:00:00"), at("2026-03-04T00:00:00"))]


def test_alerts_that_begin_where_another_did_have_keys_of_their_own(tmp_path: Path) -> None:
    """One whose beginning is corrected keeps its key."""
    with rehearsed(tmp_path, ruled("when: share > 0.5", composed={"share": "errors / hits"})) as server:
        for minute in range(3):
            step_to(server, f"12:0{minute}:30", {"bad": True})
        step_to(server, "12:03:30", {"bad": False})
        (first,) = known(server)
        send(server, *({"ts": f"2026-03-01T12:0{minute}:40Z", "bad": False} for minute in (0, 0, 1, 1)))
        server.advance(at("12:05"))
        assert [(alert.key, alert.started_us) for alert in known(server)] == [(first.key, at("12:03"))]
        send(server, *({"ts": "2026-03-01T12:00:40Z", "bad": True} for _ in range(9)))
        server.advance(at("12:07"))
        assert spans(server) == [("12:01", "12:02"), ("12:03", "12:04")]
        assert len({alert.key for alert in known(server)}) == 2


def test_what_was_taken_back_and_was_so_after_all_is_told_as_late(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: share > 0.5", composed={"share": "errors / hits"})) as server:
        step_to(server, "12:00:30", {"bad": True})
        step_to(server, "12:01:30", {"bad": False})
        step_to(server, "12:02:30", {"bad": False})
        for bad in (False, True, False, True):
            send(server, *({"ts": "2026-03-01T12:00:40Z", "bad": bad} for _ in range(9)))
            server.advance(server.clock.now_us() + 2 * MINUTE_US)
        (alert,) = known(server)
        assert (alert.started_us, alert.ends_us, alert.note) == (at("12:01"), at("12:02"), "late")
        said = [(message.status, message.worst.note) for message in told(server)]
        assert said[:5] == [("firing", ""), ("resolved", ""), ("resolved", "corrected"), ("firing", "late"), ("resolved", "late")]


def test_levels_end_when_they_end_and_not_later(tmp_path: Path) -> None:
    kpis = {"stock": "value: last(ms), every: 10m, by: [shop]"}
    with rehearsed(tmp_path, ruled("when: stock < 5, by: [shop]", kpis=kpis)) as server:
        step_to(server, "12:00:10", {"shop": "x", "ms": 1})
        step_to(server, "12:11:10", {"shop": "x", "ms": 9})
        step_to(server, "12:12:10", {"shop": "x", "ms": 9})
        assert [ends for _, ends in spans(server)] == ["12:11:10"]
        assert [notice.ends_us for message in told(server) for notice in message.notices] == [None, at("12:11:10")]


def test_buckets_that_turn_out_to_be_zero_are_judged_again(tmp_path: Path) -> None:
    """Before its source is known to be silent nothing says so; a rule that asks `absent` as well has been judged without it."""
    with rehearsed(tmp_path, ruled("when: 'absent(errors, 1m) and hits < 1'")) as server:
        step_to(server, "12:00:30", {"bad": True})
        server.desk.on_quiet({})
        server.clock.set_us(at("12:05:30"))
        server.desk.step()
        assert known(server) == []
        server.commit()
        assert spans(server) == [("12:02", None)]
        step_to(server, "12:06:30", {"bad": True})
        step_to(server, "12:07:30", {"bad": True})
        assert spans(server) == [("12:02", "12:07")]


def test_what_waits_for_a_notifier_that_is_gone_is_given_up(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: hits >= 1")) as server:
        step_to(server, "12:00:10", {})
        step_to(server, "12:05", {})
        assert len(told(server)) >= 1
        server.redefine(ruled(notify=NOTIFY.replace("am:", "other:", 1)))
        with server.cursor() as cursor:
            assert cursor.execute("SELECT DISTINCT state FROM outbox WHERE receiver = 'am'").fetchall() == [("given_up",)]


def test_what_has_been_over_for_a_season_is_forgotten(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ruled("when: hits >= 1")) as server:
        step_to(server, "12:00:10", {})
        step_to(server, "12:30", {})
        assert any(alert.ends_us is not None for alert in known(server))
        server.advance(server.clock.now_us() + 91 * 86_400 * SECOND_US)
        assert all(alert.ends_us is None or alert.ended_at_us == server.clock.now_us() for alert in known(server))


def test_a_clock_set_back_stops_nothing_from_being_kept(tmp_path: Path) -> None:
    def kept(server: Rehearsal) -> list[Any]:
        with server.cursor() as cursor:
            return cursor.execute("SELECT state FROM lateness").fetchall()

    with rehearsed(tmp_path, ruled("when: hits > 1")) as server:
        step_to(server, "12:00:30", {"ms": 1})
        before = kept(server)
        step_to(server, "11:00:30", {"ms": 1}, {"ts": "2026-03-01T10:50:00Z", "ms": 1})
        server.advance(at("11:01:40"))
        assert before != kept(server)
