"""What each stage of the way from Kafka to the store costs, one after the other in one thread: `python -m bench.stages STAGE FILE DATA`.

A stage does all stages before it too. Prints as JSON the CPU seconds (all the process's threads) and wall seconds of the
reading, how many records were read, and the dearest lines of livekpi.
"""

import json
import os
import signal
import time
from collections import defaultdict
from operator import itemgetter
from pathlib import Path
from types import FrameType

from prometheus_client import CollectorRegistry

from bench.common import STAGES, arguments
from bench.feed import BATCH_RECORDS, Sink
from livekpi.clock import SystemClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.engine.readers import READ_RECORDS
from livekpi.events import Events
from livekpi.metrics import Metrics
from livekpi.run import collecting_rarely
from livekpi.sources.kafka import KafkaSource
from livekpi.store.database import Store

_SAMPLE_S = 0.002


class Sampler:
    """Adds up processor time by the innermost line of livekpi that the main thread runs.

    By a signal and not by a thread: a thread would look only where the interpreter's lock is let go.
    """

    def __init__(self) -> None:
        self.lines: defaultdict[str, float] = defaultdict(float)
        self._last_s = time.process_time()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, _SAMPLE_S, _SAMPLE_S)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        # a call into C may have held several signals up: it gets all the time since the last
        taken_s, self._last_s = time.process_time() - self._last_s, time.process_time()
        while frame is not None and "livekpi" not in Path(frame.f_code.co_filename).parts:
            frame = frame.f_back
        if frame is not None:
            place = Path(frame.f_code.co_filename)
            self.lines[f"{place.parent.name}/{place.name}:{frame.f_lineno} {frame.f_code.co_name}"] += taken_s


def measure(definition: Definition, store: Store, stage: str) -> dict[str, object]:
    """Reads a topic to its end as far as a stage goes."""
    ((name, source),) = definition.sources.items()
    assert source.spec.kafka is not None
    clock = SystemClock()
    depth = STAGES.index(stage)
    sink = Sink(definition, store, clock)
    decoder = sink.decoder(definition, name)
    topic = KafkaSource(name, source.spec.kafka, clock, Metrics(CollectorRegistry()), group="bench-stages", once=True)
    batch: list[Events] = []

    def flush() -> None:
        if batch and depth == STAGES.index("aggregate"):
            sink.compute(batch)
        elif batch and depth > STAGES.index("aggregate"):
            sink.write(batch, compact=depth >= STAGES.index("compact"))
        batch.clear()

    sampler = Sampler()
    cpu_s, wall_s, records = time.process_time(), time.perf_counter(), 0
    topic.start({})
    while not topic.at_end():
        chunks = topic.read(READ_RECORDS, 1.0)
        records += sum(len(chunk.records) for chunk in chunks)
        if chunks and depth >= STAGES.index("decode"):
            batch.append(decoder.decode(chunks, clock.now_us()))
        if sum(events.records for events in batch) >= BATCH_RECORDS:
            flush()
    flush()
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    sampler.stop()
    topic.close()
    dearest = sorted(sampler.lines.items(), key=itemgetter(1), reverse=True)[:8]
    lines = {line: round(taken_s / cpu_s, 3) for line, taken_s in dearest}
    return {"cpu_s": cpu_s, "wall_s": wall_s, "records": records, "lines": lines}


def main() -> None:
    """Measures one stage."""
    parser = arguments(__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("file", type=Path)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    store = Store.open(options.data, SystemClock())
    with collecting_rarely():
        print(json.dumps(measure(load(options.file, os.environ), store, options.stage)))
    store.close()


if __name__ == "__main__":
    main()
