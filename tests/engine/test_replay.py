"""Dead letters fed back: what is asked for, what becomes of it, and what a fault of ours costs."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.engine.engine import Engine
from livekpi.engine.replay import Replay, ReplayError, read_request
from livekpi.letters import feed_back
from livekpi.metrics import Metrics
from livekpi.sources.base import Source
from livekpi.sources.opening import open_source
from livekpi.store import dead_letters
from livekpi.store.database import Store
from tests.rehearsed import HOUR_US, NOON_US, definition, points, rehearsed, send

CSV = b"""
sources:
  s: { file: { path: shop.csv, format: csv }, time: ts, fields: { ts: timestamp, amount: integer } }
kpis:
  total: { value: sum(amount), every: 1m }
"""


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"number": 0}, "row 2: expected `number` as the dead letter is listed, a whole number from 1"),
        ({"number": 2**63}, "a whole number from 1 to 2^63 - 1"),
        ({"number": True}, "row 2: expected `number`"),
        ({"number": "7"}, "row 2: expected `number`"),
        ({}, "row 2: expected `number`"),
        ({"number": 7, "record": 7}, "row 2: expected a dead letter as listed"),
        ({"number": 7, "record": "\ud800"}, "row 2: its record can't be read"),
        ({"number": 7, "record_base64": "A"}, "row 2: its record can't be read"),
    ],
)
def test_what_is_no_dead_letter_is_refused(row: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected.replace("^", r"\^").replace("(", r"\(")):
        read_request([{"number": 2**63 - 1}, row])


def test_the_greatest_number_is_one_that_nobody_has(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("n: integer", {"events": "value: count(*)"})) as server:
        send(server, {"n": "x"}, {"n": "y"}, {"n": 7})
        done = server.engine.replay(Replay((2**63 - 1, 2, 12, 2), {2: b'{"ts": "2026-03-01T12:00:00Z", "n": 1}'}))
        server.commit()
        assert done.result(0).summary() == {"replayed": 1, "dead": 0, "unknown": [12, 2**63 - 1], "errors": []}
        assert [point.value for point in points(server, "events", step="all")] == [2]


def test_a_fault_of_ours_ends_neither_the_engine_nor_what_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by chance")

    with rehearsed(tmp_path, definition("n: integer", {"events": "value: count(*)"})) as server:
        send(server, {"n": "x"}, {"n": 1})
        mended = Replay((1,), {1: b'{"ts": "2026-03-01T12:00:00Z", "n": 1}'})
        with monkeypatch.context() as broken:
            broken.setattr(dead_letters, "mark_replayed", fail)  # after they were counted
            done = server.engine.replay(mended)
            server.commit()
        with pytest.raises(ReplayError, match="ZeroDivisionError: by chance"):
            done.result(0)
        send(server, {"n": 2})
        assert [point.value for point in points(server, "events", step="all")] == [2]
        again = server.engine.replay(mended)
        server.commit()
        assert again.result(0).fed == (1,)
        assert [point.value for point in points(server, "events", step="all")] == [3]


def test_a_source_that_had_dead_letters_only_shows_what_is_fed_back(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("n: integer", {"total": "value: sum(n)"})) as server:
        send(server, {"ts": "2026-03-01T11:00:00Z", "n": "x"}, {"ts": "2026-03-01T11:02:00Z", "n": "y"})
        first, second = (b'{"ts": "2026-03-01T11:0%d:00Z", "n": %d}' % (minute, 7 + minute) for minute in (2, 0))
        server.engine.replay(Replay((2,), {2: first}))
        server.commit()
        assert [point.value for point in points(server, "total")] == [9]
        server.engine.replay(Replay((1,), {1: second}))
        server.kill()
        server.engine.replay(Replay((1,), {1: second}))
        server.commit()
        assert [point.value for point in points(server, "total")] == [7, 9]
        send(server, {"ts": "2026-03-01T11:03:00Z", "n": 1})
        assert [point.value for point in points(server, "total")] == [7, 9, 1]


def test_letters_fed_back_where_no_engine_watches_do_not_say_that_one_does(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("n: integer", {"total": "value: sum(n)"})) as server:
        send(server, {"n": "x"})
        data = server.store.directory
    later = ManualClock(NOON_US + HOUR_US)
    assert feed_back(data, [{"number": 1, "record": '{"ts": "2026-03-01T12:00:00Z", "n": 1}'}], later)["replayed"] == 1
    with closing(Store.open(data, later)) as store, closing(store.cursor()) as cursor:
        assert cursor.execute("SELECT alive_us FROM engine").fetchone() == (NOON_US,)


def no_sources(directory: Path) -> tuple[Engine, Store]:
    made, clock = definition("n: integer", {"total": "value: sum(n)"}), ManualClock(NOON_US)
    store = Store.open(directory, clock)
    return Engine(made, store, {}, clock, Metrics(CollectorRegistry())), store


def test_an_engine_that_has_ended_feeds_nothing_back_and_says_so(tmp_path: Path) -> None:
    engine, store = no_sources(tmp_path)
    stop = threading.Event()
    stop.set()
    with closing(store):
        in_time = engine.replay(Replay((1,), {}))
        engine.run(stop)
        too_late = engine.replay(Replay((1,), {}))
    assert in_time.result(0).unknown == (1,)
    assert too_late.cancelled()


def test_what_waits_to_be_fed_back_does_not_wait_for_an_engine_that_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise ZeroDivisionError("by chance")

    engine, store = no_sources(tmp_path)
    monkeypatch.setattr(engine, "step", die)
    with closing(store):
        waiting = engine.replay(Replay((1,), {}))
        with pytest.raises(ZeroDivisionError):
            engine.run(threading.Event())
    assert waiting.cancelled()


@contextmanager
def reading(made: Definition, directory: Path) -> Iterator[tuple[Engine, Store]]:
    """An engine that begins where another has read the definition's files to their end."""
    clock, metrics = ManualClock(NOON_US), Metrics(CollectorRegistry())
    with closing(Store.open(directory / "data", clock)) as store:
        sources: dict[str, Source] = {
            name: open_source(source, directory, directory / "data", None, clock, metrics, once=True)
            for name, source in made.sources.items()
        }
        Engine(made, store, sources, clock, metrics, once=True).run(threading.Event())
        engine = Engine(made, store, {}, clock, metrics)
        engine.install()
        yield engine, store


def test_a_row_of_csv_is_mended_under_the_header_it_stood_under(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("amount,note,ts\n7,a,2026-03-01T12:00:00Z\nx,b,2026-03-01T12:00:01Z\n", encoding="utf-8")
    with reading(parse_definition(CSV, tmp_path / "made.yaml", {}), tmp_path) as (engine, store):
        with closing(store.cursor()) as cursor:
            (letter,) = dead_letters.find(cursor)
            assert (letter.record, letter.columns) == (b"x,b,2026-03-01T12:00:01Z", ("amount", "note", "ts"))
        as_it_was = engine.replay(Replay((letter.number,), {}))
        mended = engine.replay(Replay((letter.number,), {letter.number: b"35,b,2026-03-01T12:00:01Z"}))
        engine.step([], threading.Event())
        ((_, reason),) = as_it_was.result(0).dead
        assert reason.startswith("expected an integer")
        assert mended.result(0).fed == (letter.number,)
        with closing(store.cursor()) as cursor:
            assert dead_letters.find(cursor) == []
