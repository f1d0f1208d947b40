"""Definitions on Flink, and what is needed to run them."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.engine.flink.cluster import FlinkCluster
from livekpi.engine.plan import Plan, make_plan
from livekpi.engine.topics import all_topics
from livekpi.store.layout import column
from tests.engine.flink.expected import Record, Rows, decoded, tables, without_repeats
from tests.engine.flink.reading import Topics
from tests.servers.flink_server import FlinkServer
from tests.servers.kafka_server import KafkaServer

_ABSENT = "there is no such field"
_STAMP = 40
"""The characters of a time and a position before a last or a first value."""
SETTINGS = {"execution.checkpointing.interval": "500 ms", "table.exec.mini-batch.allow-latency": "100 ms"}


def definition(
    fields: Mapping[str, str],
    kpis: Mapping[str, Mapping[str, Any]],
    *,
    brokers: str = "localhost:9092",
    topic: str = "events",
    flink: Mapping[str, Any] | None = None,
    **source: Any,
) -> Definition:
    """A definition of one source, `shop`."""
    shop = {"kafka": {"brokers": brokers, "topic": topic}, "time": "ts", "fields": {"ts": "timestamp", **fields}, **source}
    given = {"sources": {"shop": shop}, "kpis": kpis, "engine": {"flink": {"topics": f"{topic}-out", **(flink or {})}}}
    return parse_definition(json.dumps(given, ensure_ascii=False).encode(), Path("shop.yaml"), {})  # YAML is a superset of JSON


@dataclass
class Shop:
    """A topic of events, a definition, and its job's topics."""

    kafka: KafkaServer
    definition: Definition
    plan: Plan
    cluster: FlinkCluster
    topic: str
    records: dict[int, list[Record]] = field(default_factory=dict)
    topics: Topics = field(init=False)

    def __post_init__(self) -> None:
        found = all_topics(self.definition.topics, self.plan)["shop"]
        existing = self.kafka.admin.list_topics(timeout=10).topics
        for topic in found:
            if topic.name not in existing:
                self.kafka.create_topic(topic.name, config={"cleanup.policy": "compact"})
        self.topics = Topics(self.kafka.brokers, {topic.name.removeprefix(f"{self.definition.topics}."): topic for topic in found})

    def produce(self, records: Sequence[Record], partition: int = 0) -> None:
        """Puts records into a partition of the topic."""
        producer = self.kafka.producer(message_max_bytes=10_000_000)
        for record in records:
            producer.produce(self.topic, record, partition=partition)
        producer.flush(30)
        self.records.setdefault(partition, []).extend(records)

    def settled(self, expected: Mapping[str, Rows] | None = None) -> dict[str, Any]:
        """Waits until the topics hold what they must; returns how they differ where they do not.

        `expected` is what is to be in the tables of partials, where that is not what all records give.
        """
        events = decoded(self.definition, "shop", self.records, time.time_ns() // 1_000)
        if expected is None:
            expected = tables(self.definition, self.plan, "shop", without_repeats(events.table, self.definition.sources["shop"].spec.id))
        letters = {(int(letter.partition), letter.position): (letter.code, letter.field) for letter in events.dead}
        counts = {partition: len(records) for partition, records in self.records.items()}
        slack = _slack(self.plan)

        def differences() -> dict[str, Any]:
            found: dict[str, Any] = {name: difference(self.topics.rows[name], rows, slack) for name, rows in expected.items()}
            told = {key: (row["code"], row["field"]) for key, row in self.topics.rows["dead_letters_shop"].items()}
            read = {key[0]: row["n"] for key, row in self.topics.rows["progress_shop"].items()}
            found["dead letters"] = {
                key: (told.get(key), letters.get(key)) for key in told.keys() | letters if told.get(key) != letters.get(key)
            }
            found["progress"] = {} if read == counts else {"read": read, "there": counts}
            return {name: each for name, each in found.items() if each}

        self.topics.until(lambda: not differences())
        return differences()

    def close(self) -> None:
        self.topics.close()


def open_shop(
    broker: KafkaServer,
    server: FlinkServer,
    directory: Path,
    fields: Mapping[str, str],
    kpis: Any,
    *,
    topic: str | None = None,
    flink: Mapping[str, Any] | None = None,
    **more: Any,
) -> Shop:
    """A definition over a topic, where none is given a new one of two partitions; nothing is submitted yet.

    `more` is said of the source; `kafka` among it takes the place of what it would say there.
    """
    topic = topic or broker.create_topic(partitions=2)
    spec = {"gateway": server.gateway, "rest": server.rest, **(flink or {})}
    spec["settings"] = {**SETTINGS, **spec.get("settings", {})}
    made = definition(fields, kpis, brokers=broker.brokers, topic=topic, flink=spec, **more)
    plan = make_plan(made)
    assert made.spec.engine.flink is not None
    return Shop(broker, made, plan, FlinkCluster(made, plan, made.spec.engine.flink, directory), topic)


def _slack(plan: Plan) -> dict[str, float]:
    """Of each column that holds doubles by how much two that are alike may differ; all else is exact."""
    found: dict[str, float] = {}
    for partial in (partial for grouping in plan.all() for partial in grouping.cells):
        if partial.type.kind == "number":
            in_any_order = partial.kind == "sum"
            inexact = partial.argument is not None and partial.argument.find(exp.Ln, exp.Exp, exp.Pow) is not None
            found[column(partial).name] = 1e-12 if in_any_order or inexact else 0.0
    return found


def difference(found: Rows, expected: Rows, slack: Mapping[str, float]) -> dict[Any, Any]:
    """Where rows differ: found and expected, the columns that do."""
    differing: dict[Any, Any] = {}
    for key in found.keys() | expected.keys():
        one, other = found.get(key), expected.get(key)
        if one is None or other is None:
            differing[key] = (one, other)
            continue
        pairs = {name: (one.get(name, _ABSENT), other.get(name, _ABSENT)) for name in one.keys() | other}
        columns = {name: pair for name, pair in pairs.items() if not _alike(*pair, slack.get(name))}
        if columns:
            differing[key] = columns
    return differing


def _alike(one: Any, other: Any, slack: float | None) -> bool:
    """Doubles, whose `slack` is given, are the same number, however each engine writes it; of a last or first one the stamp is alike."""
    if one == other:
        return True
    if slack is None or not isinstance(one, str) or not isinstance(other, str):
        return False
    if len(other) > _STAMP:
        if one[:_STAMP] != other[:_STAMP]:
            return False
        one, other = one[_STAMP:], other[_STAMP:]
    try:
        return abs(float(one) - float(other)) <= slack * abs(float(other))
    except ValueError:
        return False
