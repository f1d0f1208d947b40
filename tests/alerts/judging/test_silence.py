"""What is made of it that nothing comes: an outage is told of, and a server that could not hear says nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from livekpi.alerts import ledger
from livekpi.alerts.judging.silence import Silence
from livekpi.alerts.judging.watch import Watch
from livekpi.definition.load import parse_definition
from livekpi.moments import time_text
from livekpi.query.snapshot import Snapshot
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store.positions import Quiet
from tests.rehearsed import HOUR_US, MINUTE_US, at, rehearsed, send

SECOND_US = 1_000_000
RULES = """
kpis:
  hits: { value: count(*), every: 1m }
  total: { value: sum(n), every: 1m }
alerts:
  few: { when: hits < 1, notify: [am] }
  none: { when: "absent(hits, 2m)", notify: [am] }
  little: { when: total < 1, notify: [am] }
notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
"""
SOURCES = {
    "http": "{ http: {}",
    "kafka": "{ kafka: { brokers: b, topic: t }",
    "followed": "{ file: { path: x, follow: true }",
    "file": "{ file: { path: x }",
    "stdin": "{ stdin: {}",
}


@contextmanager
def shop(directory: Path, kind: str = "kafka") -> Iterator[Rehearsal]:
    """A server, and its source's first events at 12:00:30."""
    text = f"sources:\n  s: {SOURCES[kind]}, time: ts, idle: 1m, late: 20m, fields: {{ ts: timestamp, n: optional integer }} }}{RULES}"
    with rehearsed(directory, parse_definition(text.encode(), Path("made.yaml"), {})) as server:
        server.clock.set_us(at("12:00:30"))
        send(server, {"n": 1}, {"n": 1})
        yield server


def firing(server: Rehearsal, *, also_over: bool = False) -> dict[str, str]:
    """Since when each rule fires, by the time of day."""
    with server.cursor() as cursor:
        found = [each for each in ledger.alerts(cursor) if each.note != "corrected" and (also_over or each.ends_us is None)]
    return {each.rule: time_text(each.started_us)[11:16] for each in found}


def told(server: Rehearsal) -> list[tuple[str, str]]:
    with server.cursor() as cursor:
        return [(message.rule, message.status) for message in ledger.messages(cursor, "am")]


def unheard(server: Rehearsal, time: str) -> None:
    """Time goes on, and the server can't read its source to the end."""
    server.clock.set_us(at(time))
    server.desk.on_quiet({})
    server.desk.step()


@pytest.mark.parametrize("kind", ["http", "kafka", "followed"])
def test_a_source_that_is_silent_counts_nothing(tmp_path: Path, kind: str) -> None:
    with shop(tmp_path, kind) as server:
        server.advance(at("12:01:30"))
        assert firing(server) == {}
        server.advance(at("12:03:10"))
        assert firing(server) == {"few": "12:02", "little": "12:02", "none": "12:03"}
        send(server, {"n": 1})
        server.clock.set_us(at("12:04:05"))
        send(server, {"n": 1})
        assert {rule for rule, status in told(server) if status == "resolved"} == {"few", "little", "none"}


@pytest.mark.parametrize("kind", ["file", "stdin"])
def test_a_source_that_ends_is_not_silent(tmp_path: Path, kind: str) -> None:
    with shop(tmp_path, kind) as server:
        server.advance(at("12:30:10"))
        assert firing(server) == {"none": "12:03"}


def test_a_server_that_can_not_read_knows_of_no_silence(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        unheard(server, "12:10:10")
        assert firing(server) == {"none": "12:03"}  # that nothing was counted is true, whatever the reason
        server.desk.on_quiet({"s": Quiet(at("12:10:00"), at("12:10:20"))})
        server.clock.set_us(at("12:10:30"))
        server.desk.step()
        assert "few" not in firing(server)
        server.desk.on_quiet({"s": Quiet(at("12:10:00"), at("12:11:10"))})
        server.clock.set_us(at("12:11:10"))
        server.desk.step()
        assert firing(server)["few"] == "12:02"


def test_what_waits_to_be_read_is_no_silence(tmp_path: Path) -> None:
    """After a start nothing is said before the source was heard out, though the last event is from long ago."""
    with shop(tmp_path) as server:
        server.restart(asleep_us=8 * HOUR_US)
        unheard(server, "20:00:50")
        assert firing(server) == {}
        minutes = [{"ts": time_text(at("12:01:10") + minute * MINUTE_US), "n": 1} for minute in range(8 * 60)]
        send(server, *minutes)
        server.advance(at("20:01:10"))
        assert told(server) == []


def test_of_a_night_in_which_the_server_slept_nothing_is_said_at_once(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        server.restart(asleep_us=8 * HOUR_US)
        for time in ("20:00:31", "20:01:30"):
            server.advance(at(time))
            assert told(server) == []
        server.advance(at("20:01:40"))  # it really was silent
        assert firing(server) == {"few": "12:02", "little": "12:02", "none": "12:03"}


def watched(server: Rehearsal) -> Watch:
    """The real thread's own steps, one at a time."""
    return Watch(server.desk, lambda _: None, lambda _: None)


def goes_on(server: Rehearsal, watch: Watch, until_us: int) -> None:
    """Time goes on by itself, and nothing comes."""
    while server.clock.now_us() < until_us:
        server.clock.set_us(server.clock.now_us() + 5 * SECOND_US)
        watch._step()


@pytest.mark.parametrize("jump_us", [HOUR_US, 12 * SECOND_US])
def test_a_clock_that_jumps_forward_is_no_silence(tmp_path: Path, jump_us: int) -> None:
    """Nor is the time in which the machine slept."""
    with shop(tmp_path) as server:
        watch = watched(server)
        server.desk.on_quiet({})
        goes_on(server, watch, at("12:02:55"))  # a little more of it would tell
        assert told(server) == []
        server.clock.set_us(server.clock.now_us() + jump_us)
        watch._step()
        assert told(server) == []
        goes_on(server, watch, server.clock.now_us() + MINUTE_US)
        assert told(server) == []
        goes_on(server, watch, server.clock.now_us() + MINUTE_US)
        assert told(server) == [("none", "firing")]  # it really was silent


def test_a_clock_that_is_set_back_has_been_listened_by_for_a_while_too(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        server.restart(asleep_us=5 * MINUTE_US)
        watch = watched(server)
        server.desk.on_quiet({})
        server.clock.set_us(at("12:00:40"))
        goes_on(server, watch, at("12:03:10"))
        assert told(server) == [("none", "firing")]


def test_a_long_step_is_no_jump(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        server.desk.step(0)
        for busy_us in (0, 30 * SECOND_US, MINUTE_US):
            server.clock.set_us(server.clock.now_us() + busy_us + SECOND_US)
            server.desk.step(busy_us)
        assert server.desk._silence.listened("s", server.clock.now_us())


def test_what_was_known_is_known_after_a_restart(tmp_path: Path) -> None:
    """Else what was judged by it would be taken back."""
    with shop(tmp_path) as server:
        server.advance(at("12:06:10"))
        before, said = firing(server), told(server)
        server.restart(asleep_us=MINUTE_US // 6)
        for time in ("12:06:30", "12:07:10"):
            unheard(server, time)
            assert (firing(server), told(server)) == (before, said)
        assert before == {"few": "12:02", "little": "12:02", "none": "12:03"}


def test_a_late_event_of_a_silent_source_ends_nothing_but_its_bucket(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        server.advance(at("12:10:10"))
        send(server, {"ts": "2026-03-01T12:04:10Z"})
        assert firing(server)["few"] == "12:06"  # though the source is heard again, far behind
        server.advance(at("12:12:10"))
        with server.cursor() as cursor:
            found = [each for each in ledger.alerts(cursor) if each.rule == "few"]
        assert [(time_text(each.started_us)[11:16], each.ends_us and time_text(each.ends_us)[11:16]) for each in found] == [
            ("12:02", "12:05"),
            ("12:06", None),
        ]


def test_what_was_known_of_another_topic_is_forgotten(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        server.advance(at("12:06:10"))
        silence = Silence(server.definition, server.clock.now_us())
        with server.cursor() as cursor:
            silence.load(cursor)
            assert silence.until_us == {"s": at("12:06")}
            text = server.definition.text.replace("topic: t", "topic: u")
            other = Silence(parse_definition(text.encode(), Path("made.yaml"), {}), server.clock.now_us())
            other.load(cursor)
            assert other.until_us == {}


def test_nothing_is_known_ahead_of_the_clock_nor_twice(tmp_path: Path) -> None:
    with shop(tmp_path) as server, server.store.beside() as cursor:
        silence, known = Silence(server.definition, at("12:00")), Snapshot(cursor, server.definition)
        silence.heard({"s": Quiet(at("12:00:40"), at("12:09:10"))})
        assert silence.look(cursor, known, at("12:03:50")) == {"s": at("12:00:30")}
        assert silence.until_us == {"s": at("12:03")}
        assert silence.look(cursor, known, at("12:03:59")) == {}
        assert silence.look(cursor, known, at("12:04:01")) == {"s": at("12:03")}


def test_a_source_is_listened_to_for_a_while_first(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        silence = Silence(server.definition, at("12:00"))
        assert [silence.listened("s", at(time)) for time in ("12:01:00", "12:01:01")] == [False, True]
        assert Silence(server.definition).listened("s", at("12:00"))
