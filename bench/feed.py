"""Feeds shop events to the engine's own parts in one process, without a source: `python -m bench.feed FILE DATA EVENTS --lanes N`.

Each event also has a `lane`, of N values in turn. Prints as JSON what decoding, aggregating, committing and compacting took
(CPU of all the process's threads), and the peak of resident memory; making the events is not counted.
"""

import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from prometheus_client import CollectorRegistry

from bench import shop
from bench.common import arguments
from livekpi.clock import Clock, SystemClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.engine.batch import BatchWriter
from livekpi.engine.engine import Engine
from livekpi.engine.housekeeping import Housekeeping
from livekpi.events import Events
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.store.database import Store

BATCH_RECORDS = 50_000
FIELDS = "      lane: string\n"
A_MINUTE = 1_200_000
"""Events a minute of event time: a busy source, so that a batch is of a minute or two, as it is live."""


class Sink:
    """Writes batches as the engine does, in the caller's thread."""

    def __init__(self, definition: Definition, store: Store, clock: Clock) -> None:
        engine = Engine(definition, store, {}, clock, Metrics(CollectorRegistry()))
        engine.install()
        self.store, self.plan = store, engine.plan
        self._writer = BatchWriter(definition, engine.plan, clock)
        self._housekeeping = Housekeeping(definition, engine.plan, clock)
        with store.transaction() as cursor:
            self._writer.load(cursor)

    def decoder(self, definition: Definition, source: str) -> Decoder:
        return Decoder(definition.sources[source], self.plan.fields(source, definition))

    def compute(self, batch: list[Events]) -> None:
        """Computes a batch, and throws it away."""
        with suppress(_ThrownAwayError), self.store.transaction() as cursor:
            self._writer.write(cursor, batch)
            raise _ThrownAwayError
        with self.store.transaction() as cursor:
            self._writer.load(cursor)  # it may remember what was thrown away

    def write(self, batch: list[Events], *, compact: bool = True) -> None:
        """Computes and commits a batch."""
        with self.store.transaction() as cursor:
            outcome = self._writer.write(cursor, batch)
        self._housekeeping.wrote(outcome.touched, outcome.rows)
        due = self._housekeeping.due()
        if due and compact:
            with self.store.transaction() as cursor:
                self._housekeeping.run(cursor, due)


class _ThrownAwayError(Exception):
    """Ends a transaction that is not to be committed."""


def chunks(records: Iterator[bytes], first: int, count: int) -> list[Chunk]:
    """The next `count` records, from number `first` on, dealt to the partitions in turn."""
    batch, found = list(islice(records, count)), []
    for part in range(shop.PARTITIONS):
        own = batch[part :: shop.PARTITIONS]
        begin = first // shop.PARTITIONS
        found.append(Chunk(str(part), own, range(begin, begin + len(own)), begin + len(own), ordinal=part))
    return found


def measure(definition: Definition, data: Path, events: int, lanes: int) -> dict[str, float]:
    """Feeds so many events; CPU and wall seconds, and memory in MiB."""
    clock = SystemClock()
    store = Store.open(data, clock, memory_mib=definition.spec.limits.memory_mib)
    sink = Sink(definition, store, clock)
    decoder = sink.decoder(definition, "shop")
    made = (b'{"lane":"%d",%b' % (number % lanes, event[1:]) for number, event in enumerate(shop.events(events, a_minute=A_MINUTE)))
    cpu_s = wall_s = 0.0
    for first in range(0, events, BATCH_RECORDS):
        read = chunks(made, first, BATCH_RECORDS)
        cpu_begin_s, wall_begin_s = time.process_time(), time.perf_counter()
        sink.write([decoder.decode(read, clock.now_us())])
        cpu_s += time.process_time() - cpu_begin_s
        wall_s += time.perf_counter() - wall_begin_s
    store.close()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": cpu_s, "wall_s": wall_s, "peak_mib": peak_mib, "groupings": len(list(sink.plan.all()))}


def main() -> None:
    """Feeds, and prints what it took."""
    parser = arguments(__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("events", type=int)
    parser.add_argument("--lanes", type=int, default=10)
    options = parser.parse_args()
    print(json.dumps(measure(load(options.file, os.environ), options.data, options.events, options.lanes)))


if __name__ == "__main__":
    main()
