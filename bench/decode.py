"""What decoding costs, stage by stage, in CPU seconds a million events: `python -m bench.decode`. Needs no server, writes no results."""

import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from livekpi.definition.definition import SourceDefinition
from livekpi.definition.shape.model import File, Http, SourceSpec
from livekpi.definition.types import parse_field
from livekpi.run import collecting_rarely
from livekpi.sources.base import Chunk
from livekpi.sources.decode import PIECE_RECORDS, Decoder
from livekpi.sources.file import FileSource
from livekpi.sources.handover import Decoded
from livekpi.sources.json_rows import JsonRows
from livekpi.web.door.records import split

EVENTS = 200_000
PARTITIONS = 4
BATCH = 10_000
BODY_EVENTS = 1_000
ROUNDS = 9
ARRIVED_US = 1_772_452_800_000_000  # 2026-03-02T12:00:00Z
FIELDS = {
    "ts": "timestamp",
    "event": "string",
    "event_id": "string",
    "user_id": "string",
    "country": "optional string",
    "duration_ms": "number",
    "amount": "optional decimal(18, 2)",
}
EXTRACTED = frozenset(FIELDS) - {"event_id"}


def records() -> list[bytes]:
    """Shop events of about 250 bytes, a quarter of them purchases."""
    rng = random.Random(1)
    start_s = ARRIVED_US // 1_000_000 - 3_600
    made = []
    for index in range(EVENTS):
        purchase = rng.random() < 0.25
        time_ = datetime.fromtimestamp(start_s + index / 100, UTC)
        event: dict[str, object] = {
            "ts": time_.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "event": "purchase" if purchase else "page_view",
            "event_id": f"{rng.getrandbits(128):032x}",
            "user_id": f"user_{rng.randrange(50_000):06}",
            "country": rng.choice(("DE", "FR", "GB", "US")),
            "service": "checkout-api",
            "duration_ms": round(rng.expovariate(1 / 80), 2),
            "trace_id": f"{rng.getrandbits(128):032x}",
        }
        if purchase:
            event["amount"] = rng.randrange(20_000) / 100
        made.append(json.dumps(event, separators=(",", ":")).encode())
    return made


def definition(fields: Mapping[str, str]) -> SourceDefinition:
    """A source of JSON events with these fields."""
    return SourceDefinition(
        "shop", SourceSpec(http=Http(), time="ts", fields=dict(fields)), {name: parse_field(name, text) for name, text in fields.items()}
    )


def batches(all_records: list[bytes], *, bad_every: int = 0) -> list[list[Chunk]]:
    """Batches as a broker gives them: some of each partition; each so many-th record has a wrong value."""
    found = []
    size = BATCH // PARTITIONS
    for begin in range(0, len(all_records), BATCH):
        chunks = []
        for partition in range(PARTITIONS):
            part = all_records[begin + partition * size : begin + (partition + 1) * size]
            if bad_every:
                part = [
                    record.replace(b'"ts":"2026', b'"ts":"bad') if index % bad_every == 0 else record for index, record in enumerate(part)
                ]
            chunks.append(Chunk(str(partition), part, list(range(begin, begin + size)), begin + size, partition))
        found.append(chunks)
    return found


def seconds_a_million(work: Callable[[], object]) -> float:
    """The least CPU time of several rounds: what disturbs only adds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best / EVENTS * 1e6


def main() -> None:
    """Prints one line a stage."""
    events = records()
    shop = definition(FIELDS)
    decoder = Decoder(shop, EXTRACTED)
    rows = JsonRows(shop.fields.values(), shop.spec.time)
    taken, taken_bad = batches(events), batches(events, bad_every=1_000)
    pieces = [events[begin : begin + PIECE_RECORDS] for begin in range(0, EVENTS, PIECE_RECORDS)]
    bodies = [b"\n".join(events[begin : begin + BODY_EVENTS]) for begin in range(0, EVENTS, BODY_EVENTS)]

    def read_file(directory: str) -> None:
        source = FileSource(File(path="events.ndjson"), Path(directory), once=True)
        source.start({})
        while source.read(BATCH, 0):
            pass
        source.close()

    def decode(given: list[list[Chunk]]) -> None:
        for chunks in given:
            decoder.decode(chunks, ARRIVED_US)

    stages: dict[str, Callable[[], object]] = {
        "  JSON to typed rows": lambda: [rows.read(piece, None) for piece in pieces],
        "  the same from bodies, one a line": lambda: [rows.read(split(body), None) for body in bodies],
        "the HTTP door: decode, and place in the log": lambda: [
            Decoded.of(decoder, split(body), ARRIVED_US).placed(44, 45) for body in bodies
        ],
        f"decode: and {len(EXTRACTED)} columns, positions": lambda: decode(taken),
        "decode, one bad time in 1,000": lambda: decode(taken_bad),
    }
    print(f"{EVENTS:,} events of {sum(map(len, events)) / EVENTS:.0f} bytes, {len(FIELDS)} fields declared; CPU seconds a million")
    with tempfile.TemporaryDirectory() as directory, collecting_rarely():
        Path(directory, "events.ndjson").write_bytes(b"\n".join(events))
        stages["file source: lines with their positions"] = lambda: read_file(directory)
        for stage, work in stages.items():
            print(f"{stage:44} {seconds_a_million(work):6.2f}")


if __name__ == "__main__":
    main()
