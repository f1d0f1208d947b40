"""The same records through an engine, and what its store answers."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.engine.plan import make_plan
from livekpi.query.query import Query
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store import dead_letters
from livekpi.store.database import Store
from tests.conformance.scripts import Together
from tests.servers.kafka_server import KafkaServer
from tests.servers.nursery import installed_command
from tests.servers.process import Process

SETTLE = "15s"
"""How long what a job says of its progress is held back: on a busy machine its rows may come that much later."""
DAY_US = 86_400_000_000
_TIMEOUT_S = 800
_AT_ONCE = 20_000
_LETTERS = 10**6

Letter = tuple[str, str, int, str, str | None, bytes]
"""A source, a partition, an offset, and why which record is none."""


@dataclass(frozen=True)
class Computed:
    """A store that an engine has filled."""

    definition: Definition
    query: Query
    letters: frozenset[Letter]


@contextmanager
def embedded(given: Together, directory: Path) -> Iterator[Computed]:
    """livekpi's own engine."""
    definition = parse_definition(given.text("nowhere:9092").encode(), directory / "definition.yaml", {})
    server = Rehearsal(directory, ManualClock(time.time_ns() // 1_000), definition)
    try:
        for source, arrivals in given.records.items():
            for partition, records in arrivals:
                for start in range(0, len(records), _AT_ONCE):
                    server.arrive(source, partition, records[start : start + _AT_ONCE])
        with _asked(server.store, definition) as computed:
            yield computed
    finally:
        server.close()


@contextmanager
def clustered(
    given: Together, brokers: str, engine: Mapping[str, Any], directory: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Computed]:
    """A cluster's job, run as a user does, until all is read that is there."""
    file, data = directory / "definition.yaml", directory / "data"
    file.write_text(given.text(brokers, engine), encoding="utf-8")
    definition = parse_definition(file.read_bytes(), file, {})
    command: list[str | Path] = [*installed_command(), "run", file, "--data", data, "--once"]
    with Process(command, directory / "livekpi.log", environ) as process:
        code = process.wait(_TIMEOUT_S)
        assert code == 0, f"ended with {code}:\n{process.tail()}"
    store = Store.open_for_reading(data)
    try:
        with _asked(store, definition) as computed:
            yield computed
    finally:
        store.close()


def put(given: Together, kafka: KafkaServer) -> None:
    """Makes the sources' topics, each with the partitions that it needs, and puts the records there in their order."""
    # without idempotence a batch that is tried again may come after the next one
    producer = kafka.producer(message_max_bytes=10_000_000, enable_idempotence="true")
    for source, arrivals in given.records.items():
        kafka.create_topic(source, max(partition for partition, _ in arrivals) + 1)
        for partition, records in arrivals:
            for record in records:
                producer.produce(source, record, partition=partition)
                producer.poll(0)
    assert producer.flush(60) == 0


@contextmanager
def _asked(store: Store, definition: Definition) -> Iterator[Computed]:
    """Asked when all is over: a day later."""
    cursor = store.cursor()
    try:
        letters = frozenset(
            (each.source, each.partition, each.position, each.code, each.field, each.record)
            for each in dead_letters.find(cursor, limit=_LETTERS)
        )
        yield Computed(definition, Query(cursor, definition, make_plan(definition), time.time_ns() // 1_000 + DAY_US), letters)
    finally:
        cursor.close()
