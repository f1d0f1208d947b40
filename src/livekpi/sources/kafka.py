"""Kafka: all partitions of a topic, or of some topics, read from the store's positions on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from livekpi.clock import Clock, due
from livekpi.definition.shape.model import Kafka
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk, SourceError

if TYPE_CHECKING:
    from livekpi.sources.kafka_consumer import Place, Reading, TopicConsumer

_LOOK_EVERY_US = 5_000_000
"""How often the broker is asked for new partitions."""
_LOOK_AGAIN_US = 1_000_000
"""How soon it is asked again while something is amiss."""
_TICK_US = 1_000_000
"""How often offsets go to the group, and lag is measured."""
_ASK_TIMEOUT_S = 1.0
_PATIENCE_US = 30_000_000
"""How long --once waits for a broker."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Partition:
    """How far one partition is read."""

    next: int
    """The offset that is read next."""
    told: int | None = None
    """The next position that the engine knows; None where it knows none or a wrong one."""
    end: int = 0
    """Where the partition ended at the start."""
    high: int = 0
    """Where it ended when last measured."""
    assigned: bool = False
    out_of_range: bool = False
    """The broker has no record at `next`."""
    doubtful: bool = False
    """`next` is past the end, and no fetch has said yet whether that is all right."""

    def advance(self, to: int) -> None:
        self.next, self.doubtful = max(self.next, to), False

    def at_end(self) -> bool:
        return self.next >= self.end and not (self.doubtful or self.out_of_range)


class KafkaSource:
    """Reads a topic. A partition is named by its number, which is its ordinal too; a position is an offset.

    Where it is given more than one topic, a partition's name has the topic's before it: ``shop.cells/0``.

    The store owns the positions. They are committed to the consumer group as well, for people's tools, and never read there.
    """

    def __init__(
        self, name: str, spec: Kafka, clock: Clock, metrics: Metrics, *, group: str, once: bool = False, topics: Sequence[str] = ()
    ) -> None:
        """`group` is the consumer group, unless the settings name one. `topics`, where given, are read in place of the topic of `spec`.

        With `once`, a topic or broker that is not there is a SourceError instead of something to wait for.
        Raises SourceError where confluent-kafka is not installed.
        """
        try:
            from livekpi.sources import kafka_consumer  # noqa: PLC0415  needs the extra
        except ImportError as error:
            raise SourceError(f"source {name}: Kafka needs an extra: pip install 'livekpi[kafka]' ({error})") from error
        self.problem: str | None = None
        self._name, self._spec, self._clock, self._once = name, spec, clock, once
        self._lost_records = metrics.lost_records.labels(name)
        self._topics = tuple(topics) or (spec.topic,)
        self._open = partial(kafka_consumer.TopicConsumer, name, spec, group, self._topics)
        self._consumer: TopicConsumer | None = None
        self._partitions: dict[Place, _Partition] = {}
        self._new_begin: str = spec.start
        self._complete = False
        self._started_us = self._looked_us = self._ticked_us = 0
        self._to_commit: dict[Place, int] = {}

    def start(self, positions: Mapping[str, int]) -> None:
        """Opens the topic, or does so again; while no broker answers, `read` goes on trying. Raises SourceError."""
        self.close()
        self._consumer = self._open()
        self._partitions = {self._place(name): _Partition(next=position, told=position) for name, position in positions.items()}
        # `start: latest` is about the first start: a partition that came to be since then is read from its beginning
        self._new_begin = "earliest" if positions else self._spec.start
        self._complete = False
        self._started_us = self._ticked_us = self._clock.now_us()
        self._look(self._consumer)

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        """See Source. A chunk may have no records and only say where reading goes on."""
        consumer = self._consumer
        assert consumer is not None, "started"
        if self._should_look(consumer):
            self._look(consumer)
        reading = consumer.read(limit, timeout_s)
        if reading.out_of_range:
            for place in reading.out_of_range:
                self._partitions[place].out_of_range = True
            self._let_go(consumer, reading.out_of_range)
            self._looked_us = 0
        if due(self._clock.now_us(), self._ticked_us, _TICK_US):
            self._tick(consumer)
        return self._chunks(reading)

    def at_end(self) -> bool:
        return self._complete and all(partition.at_end() for partition in self._partitions.values())

    def committed(self, positions: Mapping[str, int]) -> None:
        self._to_commit = {self._place(name): position for name, position in positions.items()}

    def lag(self) -> Mapping[str, int]:
        return {self._name_of(place): max(0, partition.high - partition.next) for place, partition in list(self._partitions.items())}

    def has_read(self, ends: "Mapping[Place, int]") -> bool:
        """Whether all before these offsets has been handed out."""
        return all(place in self._partitions and self._partitions[place].next >= end for place, end in ends.items())

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            if self.problem is None:
                self._commit(consumer)
            consumer.close()

    def _look(self, consumer: "TopicConsumer") -> None:
        """Asks which partitions there are, and reads those that are not read yet."""
        self._looked_us = self._clock.now_us()
        consumer.disturbed = False
        try:
            problem = self._take_on(consumer)
        except ConnectionError as error:
            problem = str(error)
        if problem is None:
            self._complete, self._new_begin = True, "earliest"
        elif self._once and due(self._clock.now_us(), self._started_us, _PATIENCE_US):
            raise SourceError(f"source {self._name}: {problem}")
        self._say(problem)

    def _take_on(self, consumer: "TopicConsumer") -> str | None:
        """Has every partition read that is not; the new, and those let go. Returns what is amiss."""
        found = {topic: consumer.partitions(topic, _ASK_TIMEOUT_S) for topic in self._topics}
        leaders = {place: has_leader for places in found.values() if places is not None for place, has_leader in places.items()}
        missing = [topic for topic, places in found.items() if places is None]
        self._let_go(consumer, [place for place in self._partitions.keys() - leaders.keys() if self._is_assigned(place)])
        if missing and self._once:
            raise SourceError(f"source {self._name}: topic {missing[0]} does not exist at {self._spec.brokers}")
        begins: dict[Place, int] = {}
        try:
            for place, has_leader in sorted(leaders.items()):
                if has_leader and not self._is_assigned(place):
                    begins[place] = self._begin(place, *consumer.offsets(place, _ASK_TIMEOUT_S))
        finally:  # one that can't be asked keeps none of those before it waiting
            if begins:
                consumer.assign(begins)
            for place in begins:
                self._partitions[place].assigned = True
        if missing:
            self._new_begin = "earliest"
            return f"topic {', '.join(missing)} does not exist; waiting for it"
        leaderless = [self._name_of(place) for place, has_leader in leaders.items() if not has_leader]
        return f"topic {self._said_topics} has no leader for partition {', '.join(leaderless)}" if leaderless else None

    def _is_assigned(self, place: "Place") -> bool:
        return place in self._partitions and self._partitions[place].assigned

    def _begin(self, place: "Place", low: int, high: int) -> int:
        """Where to read a partition from, which holds the offsets [low, high)."""
        partition = self._partitions.get(place)
        if partition is None:
            partition = self._partitions[place] = _Partition(next=low if self._new_begin == "earliest" else high)
        elif partition.out_of_range or partition.next < low:
            self._skip(place, partition, low, high)
        # Only a fetch tells a position past the end of a topic made anew from one past a transaction under way.
        partition.doubtful = partition.next > high
        if not self._complete:
            partition.end = high
        partition.high = high
        return partition.next

    def _skip(self, place: "Place", partition: _Partition, low: int, high: int) -> None:
        """What happens to a partition whose next offset is not on the broker."""
        topic, number = place
        where = f"partition {number} of topic {topic}"
        if self._spec.lost == "stop":
            raise SourceError(
                f"source {self._name}: {where} is to be read from offset {partition.next}, but the broker holds {low} to {high - 1}: "
                f"records were removed before they were read. To go on at {low}, set `lost: continue`"
            )
        lost = max(0, low - partition.next)
        _log.warning(
            "records were removed before they were read; going on at the earliest left",
            source=self._name, topic=topic, partition=number, expected=partition.next, earliest=low, end=high, lost=lost,
        )  # fmt: skip
        self._lost_records.inc(lost)
        partition.next, partition.told, partition.out_of_range = low, None, False
        partition.end = min(partition.end, high)

    def _let_go(self, consumer: "TopicConsumer", places: "Collection[Place]") -> None:
        """Stops reading partitions; the next look takes on those that are there."""
        if places:
            consumer.unassign(places)
        for place in places:
            self._partitions[place].assigned = False

    def _chunks(self, reading: "Reading") -> list[Chunk]:
        for place, offsets in reading.offsets.items():
            self._partitions[place].advance(offsets[-1] + 1)
        for place, offset in reading.ends.items():
            self._partitions[place].advance(offset)
        chunks = []
        for place, partition in self._partitions.items():
            if partition.next != partition.told:
                partition.told = partition.next
                records, offsets = reading.records.get(place, []), reading.offsets.get(place, [])
                chunks.append(Chunk(self._name_of(place), records, offsets, partition.next, ordinal=place[1]))
        return chunks

    def _tick(self, consumer: "TopicConsumer") -> None:
        self._ticked_us = self._clock.now_us()
        self._commit(consumer)
        for place, partition in self._partitions.items():
            high = consumer.known_high(place) if partition.assigned else None
            if high is not None:
                partition.high = high

    def _commit(self, consumer: "TopicConsumer") -> None:
        positions, self._to_commit = self._to_commit, {}
        if positions:
            consumer.commit(positions)

    def _should_look(self, consumer: "TopicConsumer") -> bool:
        if self.problem is not None:
            return due(self._clock.now_us(), self._looked_us, _LOOK_AGAIN_US)
        return consumer.disturbed or due(self._clock.now_us(), self._looked_us, _LOOK_EVERY_US)

    def _name_of(self, place: "Place") -> str:
        """The partition's name within the source."""
        topic, number = place
        return str(number) if len(self._topics) == 1 else f"{topic}/{number}"

    def _place(self, name: str) -> "Place":
        topic, _, number = name.rpartition("/")
        return topic or self._topics[0], int(number)

    @property
    def _said_topics(self) -> str:
        return ", ".join(self._topics)

    def _say(self, problem: str | None) -> None:
        """Logs what changed, once."""
        if problem is not None and self.problem is None:
            _log.warning("Kafka can't be read; trying on", source=self._name, topic=self._said_topics, problem=problem)
        elif problem is None and self.problem is not None:
            _log.info("Kafka can be read again", source=self._name, topic=self._said_topics)
        self.problem = problem
