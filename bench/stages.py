"""What each stage of the way from Kafka to the store costs, one after the other in one thread: `python -m bench.stages STAGE FILE DATA`.

A stage does all stages before it too. Prints as JSON the CPU seconds (all the process's threads) and wall seconds of the
reading, how many records were read, and the lines of livekpi that took longest.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from bench.common import STAGES, arguments
from bench.feed import BATCH_RECORDS, Sink
from livekpi.clock import SystemClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.engine.readers import READ_RECORDS
from livekpi.events import Events
from livekpi.sources.kafka import KafkaSource
from livekpi.store.database import Store

_SAMPLE_S = 0.002


class Sampler:
    """Looks again and again where the thread that made it is: by the innermost line of livekpi it runs."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self._watched = threading.get_ident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            frame = sys._current_frames().get(self._watched)  # noqa: SLF001  the one way to see another thread
            while frame is not None and "livekpi" not in Path(frame.f_code.co_filename).parts:
                frame = frame.f_back
            if frame is not None:
                place = Path(frame.f_code.co_filename)
                self.lines[f"{place.parent.name}/{place.name}:{frame.f_lineno} {frame.f_code.co_name}"] += 1


def measure(definition: Definition, store: Store, stage: str) -> dict[str, object]:
    """Reads a topic to its end as far as a stage goes."""
    ((name, source),) = definition.sources.items()
    assert source.spec.kafka is not None
    clock = SystemClock()
    depth = STAGES.index(stage)
    sink = Sink(definition, store, clock)
    decoder = sink.decoder(definition, name)
    topic = KafkaSource(name, source.spec.kafka, clock, group="bench-stages", once=True)
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
    total = sampler.lines.total() or 1
    lines = {line: round(count / total, 3) for line, count in sampler.lines.most_common(8)}
    return {"cpu_s": cpu_s, "wall_s": wall_s, "records": records, "lines": lines}


def main() -> None:
    """Measures one stage."""
    parser = arguments(__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("file", type=Path)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    store = Store.open(options.data, SystemClock())
    print(json.dumps(measure(load(options.file, os.environ), store, options.stage)))
    store.close()


if __name__ == "__main__":
    main()
