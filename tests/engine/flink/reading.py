"""Reads the topics of a cluster's job: the last record of each key."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from livekpi.engine.topics import Topic

Rows = dict[tuple[Any, ...], dict[str, Any]]
_PATIENCE_S = 60


class Topics:
    """Follows topics as their records come."""

    def __init__(self, brokers: str, topics: Mapping[str, Topic]) -> None:
        """`topics` by whatever they are to be called here."""
        self.rows: dict[str, Rows] = {name: {} for name in topics}
        self._topics = {topic.name: (name, topic) for name, topic in topics.items()}
        self._consumer = Consumer({"bootstrap.servers": brokers, "group.id": "reading", "enable.auto.commit": False})
        self._consumer.assign([TopicPartition(name, 0, 0) for name in self._topics])

    def until(self, done: Callable[[], bool]) -> bool:
        """Reads until it is so; False where it is not within a minute."""
        deadline = time.monotonic() + _PATIENCE_S
        while not done():
            if time.monotonic() > deadline:
                return False
            for message in self._consumer.consume(1_000, 0.2):
                name, topic = self._topics[message.topic() or ""]
                key, value = json.loads(message.key() or b""), json.loads(message.value() or b"")
                assert list(key) == list(topic.key)
                assert list(value)[: len(key)] == list(key)  # of the rest an earlier definition wrote other fields
                self.rows[name][tuple(key[field] for field in topic.key)] = value
        return True

    def close(self) -> None:
        self._consumer.close()
