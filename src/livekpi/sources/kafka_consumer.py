"""confluent-kafka as a Kafka source needs it: records by partition, errors as ours, an end that waits for no broker.

Nothing else imports confluent-kafka, which is an extra.
"""
# ruff: noqa: SLF001  librdkafka's own error codes begin with an underscore, and are public

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from livekpi.definition.shape.model import Kafka
from livekpi.sources.base import SourceError

_DEFAULTS: dict[str, str | int] = {
    "client.id": "livekpi",
    "socket.keepalive.enable": "true",
    "reconnect.backoff.ms": 500,
    # What is read ahead: enough to keep the engine busy, within a bound.
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    # How long fetching rests when that is full. The engine empties it in much less than the default of 1 s.
    "fetch.queue.backoff.ms": 5,
}
_OURS: dict[str, str | int] = {
    "enable.auto.commit": "false",  # the store keeps the positions
    "enable.auto.offset.store": "false",
    "auto.offset.reset": "error",  # `start` and `lost` decide
    "enable.partition.eof": "true",  # what stands last in a partition may be no record but a transaction's mark
}
_REFUSALS = frozenset({KafkaError._SSL, KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
_DENIALS = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
_AT_ONCE = 500
"""Messages asked for in one call: more at once cost more each, as they leave the processor's cache."""
_GATHER_S = 0.01
"""How long more are waited for where there are few: decoding costs nearly the same for ten as for a hundred."""
_CLOSE_TIMEOUT_S = 2.0
_SILENCE = "it does not answer in time"

_log = structlog.get_logger(__name__)

Place = tuple[str, int]
"""A partition: its topic and number."""


@dataclass(slots=True)
class Reading:
    """What one read found, by partition."""

    records: dict[Place, list[bytes | None]] = field(default_factory=dict)
    offsets: dict[Place, list[int]] = field(default_factory=dict)
    """Of the records, in the same order."""
    ends: dict[Place, int] = field(default_factory=dict)
    """Where a partition's end was reached, the offset the next record will have."""
    out_of_range: set[Place] = field(default_factory=set)
    """Partitions that can't be read on, because their next offset is not on the broker."""


class TopicConsumer:
    """Reads one topic, or some. Used by one thread.

    Its methods raise ConnectionError, with the reason, when no broker answers (in time, or as hoped), and SourceError when
    waiting would not help: a setting is wrong, the broker refuses us.
    """

    def __init__(self, source: str, spec: Kafka, group: str, topics: Sequence[str]) -> None:
        """Reads `topics` at the brokers of `spec`, by its settings. Asks no broker yet.

        Raises SourceError for settings that librdkafka refuses.
        """
        self.disturbed = False
        """Something went wrong apart from any one record; whoever looks into it resets this."""
        self._source, self._topics, self._brokers = source, tuple(topics), spec.brokers
        self._assigned = False
        self._last_error = _SILENCE
        self._refusal: str | None = None
        self._said: set[int] = set()
        settings = {"group.id": group, **_DEFAULTS, **client_settings(spec), **_OURS}
        try:
            self._consumer = Consumer({**settings, "error_cb": self._error}, logger=_Lines(source))
        except KafkaException as error:
            raise SourceError(f"source {source}: the Kafka client refuses its settings: {error.args[0].str()}") from error

    def partitions(self, name: str, timeout_s: float) -> dict[Place, bool] | None:
        """A topic's partitions, and whether each has a leader now; None where there is no such topic."""
        try:
            topic = self._consumer.list_topics(name, timeout_s).topics[name]
        except KafkaException as error:
            raise self._failure(error) from error
        self._last_error, self._refusal, self._said = _SILENCE, None, set()
        if topic.error is not None and topic.error.code() in _DENIALS:
            raise SourceError(f"source {self._source}: the broker lets us not read topic {name}: {topic.error.str()}")
        if topic.error is not None and topic.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        return {(name, number): partition.leader >= 0 for number, partition in topic.partitions.items()}

    def offsets(self, place: Place, timeout_s: float) -> tuple[int, int]:
        """The first offset that is on the broker, and the one after the last that can be read."""
        try:
            found = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout_s)
        except KafkaException as error:
            raise self._failure(error) from error
        if found is None:
            raise ConnectionError(f"no broker of {self._brokers} answers: {self._last_error}")
        return found

    def assign(self, begins: Mapping[Place, int]) -> None:
        """Reads these partitions as well, each from an offset on."""
        self._assigned = True
        self._consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in begins.items()])

    def unassign(self, places: Iterable[Place]) -> None:
        self._consumer.incremental_unassign([TopicPartition(*place) for place in places])

    def read(self, limit: int, timeout_s: float) -> Reading:
        """About `limit` records at most; waits up to `timeout_s` until something happens, and then a moment for more."""
        reading = Reading()
        taken = 0
        for messages in self._messages(timeout_s):
            self._sort(messages, reading)
            taken += len(messages)
            if taken >= limit:
                break
        return reading

    def known_high(self, place: Place) -> int | None:
        """The offset after the partition's last, as of the last fetch; asks nobody. None where nothing was fetched yet."""
        known = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        return known[1] if known is not None and known[1] >= 0 else None

    def commit(self, positions: Mapping[Place, int]) -> None:
        """Tells the group's coordinator, without waiting: for people who look at the group's lag with Kafka's tools."""
        offsets = [TopicPartition(*place, position) for place, position in positions.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self._error(error.args[0])

    def close(self) -> None:
        """Closes it, and waits only a little: closing waits for a broker that is silent, without end."""
        closing = threading.Thread(target=self._consumer.close, name=f"close-{self._source}", daemon=True)
        closing.start()
        closing.join(_CLOSE_TIMEOUT_S)

    def _messages(self, timeout_s: float) -> Iterator[list[Message]]:
        messages = self._consumer.consume(_AT_ONCE, 0)
        if not messages:  # asking for many with a timeout would wait for all of them
            messages = self._consumer.consume(1, timeout_s)
        if 0 < len(messages) < _AT_ONCE:
            messages += self._consumer.consume(_AT_ONCE - len(messages), _GATHER_S)
        while messages:
            yield messages
            messages = self._consumer.consume(_AT_ONCE, 0) if len(messages) == _AT_ONCE else []

    def _sort(self, messages: list[Message], reading: Reading) -> None:
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not self._heard(message, reading)]
        for place, run in self._runs(messages):
            together = list(run)
            reading.records.setdefault(place, []).extend(map(Message.value, together))
            reading.offsets.setdefault(place, []).extend(map(Message.offset, together))  # type: ignore[arg-type]  # never None here

    def _runs(self, messages: list[Message]) -> Iterator[tuple[Place, Iterator[Message]]]:
        """The messages of one partition that came one after the other."""
        if len(self._topics) > 1:
            yield from groupby(messages, _place)
        else:  # asking each message for its topic too would cost every source something
            for number, run in groupby(messages, Message.partition):
                assert number is not None
                yield (self._topics[0], number), run

    def _heard(self, message: Message, reading: Reading) -> bool:
        """Whether a message is no record but news."""
        error = message.error()
        if error is None:
            return False
        offset = message.offset()
        if error.code() == KafkaError._PARTITION_EOF and offset is not None:
            reading.ends[_place(message)] = offset
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            reading.out_of_range.add(_place(message))
        else:
            self._error(error)
        return True

    def _error(self, error: KafkaError) -> None:
        """librdkafka goes on after an error; what is not about a connection is said once."""
        self.disturbed = True
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            return
        self._last_error = error.str()
        if error.code() in _REFUSALS:
            self._refusal = error.str()
        elif error.code() not in {KafkaError._TRANSPORT, *self._said}:
            self._said.add(error.code())
            _log.warning("Kafka reports an error", source=self._source, error=error.str())

    def _failure(self, error: KafkaException) -> ConnectionError | SourceError:
        """Why no broker answered: what the client heard last, which says more than that time ran out."""
        if not self._assigned:
            self._consumer.poll(0)  # hears it; with partitions assigned, `read` has, and this might take a record
        if self._refusal is not None:
            return SourceError(f"source {self._source}: the broker refuses the connection: {self._refusal}")
        reason: KafkaError = error.args[0]
        if reason.code() in {KafkaError._TIMED_OUT, KafkaError._TRANSPORT}:
            return ConnectionError(f"no broker of {self._brokers} answers: {self._last_error}")
        return ConnectionError(reason.str())


def client_settings(spec: Kafka) -> dict[str, str | int]:
    """What any client of a source's brokers is given, beside its own."""
    return {**{key: _as_text(value) for key, value in spec.settings.items()}, "bootstrap.servers": spec.brokers}


def _place(message: Message) -> Place:
    topic, number = message.topic(), message.partition()
    assert topic is not None
    assert number is not None
    return topic, number


def _as_text(value: str | float) -> str:
    """As librdkafka reads it: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Lines:
    """What librdkafka would print, as log lines of ours. To confluent-kafka it looks like a logging.Logger."""

    _SAID_OTHERWISE = frozenset({"FAIL", "ERROR"})  # at every attempt to connect; the error callback hears the same

    def __init__(self, source: str) -> None:
        self._log = _log.bind(source=source)

    def log(self, level: int, _template: str, facility: str, client: str, text: str) -> None:
        if facility not in self._SAID_OTHERWISE:
            self._log.log(max(level, logging.DEBUG), "librdkafka", facility=facility, client=client, text=text)
