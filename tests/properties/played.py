"""A world played on the real engine, and the account of it that the oracle needs."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition
from livekpi.query.points import Request
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from tests.oracle import oracle
from tests.oracle.oracle import EPOCH, HOUR_US, MICROSECOND, Event, Oracle, Step
from tests.properties.shop import KPIS, MINUTE_US
from tests.properties.worlds import SIZES_US, Act, Ask, Record, World, condition

LATE_US, IDLE_US = 10 * MINUTE_US, 2 * MINUTE_US
SOURCE = "shop"


@dataclass
class Account:
    """What has been accepted, and how far each partition is."""

    events: list[Event] = field(default_factory=list)
    dead: int = 0
    _ids: set[str] = field(default_factory=set)
    _positions: dict[int, int] = field(default_factory=dict)
    _latest: dict[int, int] = field(default_factory=dict)
    _arrived: dict[int, int] = field(default_factory=dict)

    def take(self, partition: int, records: Sequence[Record], now_us: int) -> None:
        for record in records:
            position = self._positions[partition] = self._positions.get(partition, -1) + 1
            self._arrived[partition] = now_us
            if record.values is None:
                self.dead += 1
                continue
            self._latest[partition] = max(self._latest.get(partition, 0), record.time_us)
            name = record.values.get("id")
            if name not in self._ids:
                self.events.append(Event(record.time_us, (partition, position), record.values))
            if name is not None:
                self._ids.add(name)

    def final_before_us(self, now_us: int) -> int:
        """Steps that end here or before are final."""
        active = [latest for partition, latest in self._latest.items() if now_us - self._arrived[partition] <= IDLE_US]
        return (min(active) if active else max([now_us, *self._latest.values()])) - LATE_US


@dataclass
class Played:
    """A server on which worlds are played."""

    server: Rehearsal
    account: Account = field(default_factory=Account)

    def act(self, act: Act) -> None:
        server = self.server
        if act.kind in ("arrive", "die"):
            tape = server._tapes[SOURCE]
            for partition, records in act.records:
                tape.arrive(partition, [record.raw for record in records], server.clock.now_us())
            # partitions are read in the order in which they were first seen
            given = dict(act.records)
            for partition in tape._partitions:
                self.account.take(partition, given.get(partition, ()), server.clock.now_us())
            if act.kind == "die":
                server.kill_in(server.commit)
            else:
                self._commit_cut(act.cut)
        elif act.kind == "restart":
            server.restart()
        elif act.kind == "kill":
            server.kill()
        elif act.kind == "compact":
            with server.store.transaction() as cursor:
                housekeeping = server.engine._housekeeping
                housekeeping.run(cursor, housekeeping.everything())
        else:
            server.advance(server.clock.now_us() + act.wait_us)

    def _commit_cut(self, cut: int) -> None:
        """Commits what has arrived as one batch of many pieces."""
        server = self.server
        source = server.definition.sources[SOURCE]
        decoder = Decoder(source, server.engine.plan.fields(SOURCE, server.definition))
        batch = []
        for chunk in server._tapes[SOURCE].read(10_000, 0):
            for start in range(0, len(chunk.records), cut):
                records, positions = chunk.records[start : start + cut], chunk.positions[start : start + cut]
                piece = Chunk(chunk.partition, records, positions, positions[-1] + 1, chunk.ordinal, None, chunk.arrived_us)
                batch.append(decoder.decode([piece], server.clock.now_us()))
        server.engine.step(batch, threading.Event())

    def asked(self, ask: Ask) -> tuple[dict[Any, Any], dict[Any, bool]]:
        """The values by (time, slice), and which are final."""
        from_us, to_us = span(ask)
        request = Request(ask.kpi, from_us, to_us, ask.step, ask.by, ask.where, ask.timezone)
        with self.server.query() as query:
            found = query.points(request).points
        values = {(point.time_us, point.dimensions): _plain(point.value) for point in found}
        return values, {(point.time_us, point.dimensions): point.final for point in found}

    def expected(self, ask: Ask) -> tuple[dict[Any, Any], Sequence[Step]]:
        """What the oracle says, and for which steps."""
        kpi = KPIS[ask.kpi].kpi
        kept = [event.time_us for event in self.account.events]
        if not kept:
            return {}, ()
        steps = asked_steps(ask, kpi.every_us, min(kept), max(kept))
        return Oracle(self.account.events).points(kpi, steps, ask.by, condition(ask.where)), steps


def asked_steps(ask: Ask, every_us: int, first_us: int, last_us: int) -> Sequence[Step]:
    """The steps of a question, by the oracle's calendar."""
    from_us, to_us = span(ask)
    first_us -= first_us % every_us
    if ask.step == "all":
        return [(first_us, last_us - last_us % every_us + every_us)]
    if ask.step is None:
        return oracle.steps(first_us, last_us, every_us, "UTC", from_us, to_us)
    return oracle.steps(first_us, last_us, SIZES_US[ask.step], ask.timezone, from_us, to_us)


def span(ask: Ask) -> tuple[int | None, int | None]:
    """The range asked: all, but where steps are fine only what is near."""
    if ask.step in (None, "1m", "5m"):
        return max(0, ask.around_us - HOUR_US // 2), ask.around_us + HOUR_US // 2
    return None, None


def same(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether a value is right."""
    if isinstance(expected, float) or tolerance:
        return abs(float(got) - float(expected)) <= tolerance * abs(float(expected)) + (1e-300 if tolerance else 0)
    return bool(got == expected)


def _plain(value: Any) -> Any:
    return (value.replace(tzinfo=UTC) - EPOCH) // MICROSECOND if isinstance(value, datetime) else value


@contextmanager
def playing(definition: Definition, world: World) -> Iterator[Played]:
    """A server on which a world has been played."""
    with TemporaryDirectory() as directory:
        server = Rehearsal(Path(directory), ManualClock(world.now_us), definition)
        try:
            played = Played(server)
            for act in world.acts:
                played.act(act)
            yield played
        finally:
            server.close()
