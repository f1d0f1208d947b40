"""Reads what a job wrote: the last value of each key of its topics."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from livekpi.engine.plan import Partial, Plan
from livekpi.store.layout import cells, column, dimensions, spread
from tests.engine.spark.expected import Key, Tables
from tests.servers.kafka_server import KafkaServer

_TIMEOUT_S = 30


def last_values(kafka: KafkaServer, topic: str) -> dict[str, dict[str, Any]]:
    """By key, the value of the last record of a topic; none where there is no such topic."""
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": "reads", "enable.auto.commit": False})
    found: dict[str, dict[str, Any]] = {}
    try:
        known = consumer.list_topics(timeout=_TIMEOUT_S).topics.get(topic)
        for number in () if known is None else known.partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), _TIMEOUT_S)
            consumer.assign([TopicPartition(topic, number, low)])
            while low < high:
                for message in consumer.consume(1_000, 0.2):
                    assert message.error() is None
                    key, value, offset = message.key(), message.value(), message.offset()
                    assert key is not None
                    assert value is not None
                    assert offset is not None
                    found[key.decode()] = json.loads(value)
                    low = offset + 1
    finally:
        consumer.close()
    return found


def tables(kafka: KafkaServer, prefix: str, plan: Plan) -> Tables:
    """All tables' rows, values typed."""
    found: Tables = {}
    for grouping in plan.all():
        names = ("bucket", *dimensions(grouping))
        typed = {column(partial).name: partial for partial in grouping.cells}
        rows = last_values(kafka, f"{prefix}.{cells(grouping).name}").values()
        found[cells(grouping).name] = {
            tuple(row[name] for name in names): {
                name: int(text) if name == "n" else value(typed[name], text) for name, text in row.items() if name not in names
            }
            for row in rows
        }
        for partial in grouping.spreads:
            name = spread(grouping, partial).name
            rows = last_values(kafka, f"{prefix}.{name}").values()
            found[name] = {_key(row, (*names, "key")): {"n": int(row["n"])} if "n" in row else {} for row in rows}
    return found


def _key(row: Mapping[str, Any], names: tuple[str, ...]) -> Key:
    return tuple(row[name] for name in names)


def value(partial: Partial, text: str | None) -> Any:
    """The exact text of a value, read."""
    if text is None:
        return None
    if partial.kind in ("last", "first"):
        assert text[:40].isdigit()
        text = text[40:]
    if partial.kind == "count":
        return int(text)
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": float, "decimal": Decimal, "timestamp": int, "boolean": "true".__eq__}
    return kinds[partial.type.kind](text)
