"""Kafka: all partitions of a topic, read from the store's positions on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from livekpi.clock import Clock
from livekpi.definition.model import Kafka
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk, SourceError

if TYPE_CHECKING:
    from livekpi.sources.kafka_consumer import Reading, TopicConsumer

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

    The store owns the positions. They are committed to the consumer group as well, for people's tools, and never read there.
    """

    def __init__(self, name: str, spec: Kafka, clock: Clock, metrics: Metrics, *, group: str, once: bool = False) -> None:
        """`group` is the consumer group, unless the settings name one.

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
        self._open = partial(kafka_consumer.TopicConsumer, name, spec, group)
        self._consumer: TopicConsumer | None = None
        self._partitions: dict[int, _Partition] = {}
        self._new_begin: str = spec.start
        self._complete = False
        self._started_us = self._looked_us = self._ticked_us = 0
        self._to_commit: dict[int, int] = {}

    def start(self, positions: Mapping[str, int]) -> None:
        """Opens the topic, or does so again; while no broker answers, `read` goes on trying. Raises SourceError."""
        self.close()
        self._consumer = self._open()
        self._partitions = {int(name): _Partition(next=position, told=position) for name, position in positions.items()}
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
            for number in reading.out_of_range:
                self._partitions[number].out_of_range = True
            self._let_go(consumer, reading.out_of_range)
            self._looked_us = 0
        if self._due(self._ticked_us, _TICK_US):
            self._tick(consumer)
        return self._chunks(reading)

    def at_end(self) -> bool:
        return self._complete and all(partition.at_end() for partition in self._partitions.values())

    def committed(self, positions: Mapping[str, int]) -> None:
        self._to_commit = {int(name): position for name, position in positions.items()}

    def lag(self) -> Mapping[str, int]:
        return {str(number): max(0, partition.high - partition.next) for number, partition in list(self._partitions.items())}

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
        elif self._once and self._due(self._started_us, _PATIENCE_US):
            raise SourceError(f"source {self._name}: {problem}")
        self._say(problem)

    def _take_on(self, consumer: "TopicConsumer") -> str | None:
        """Has every partition read that is not; the new, and those let go. Returns what is amiss."""
        leaders = consumer.partitions(_ASK_TIMEOUT_S)
        gone = self._partitions.keys() - (leaders or {}).keys()
        self._let_go(consumer, [number for number in gone if self._is_assigned(number)])
        if leaders is None:
            missing = f"topic {self._spec.topic} does not exist"
            if self._once:
                raise SourceError(f"source {self._name}: {missing} at {self._spec.brokers}")
            self._new_begin = "earliest"
            return f"{missing}; waiting for it"
        begins: dict[int, int] = {}
        try:
            for number, has_leader in sorted(leaders.items()):
                if has_leader and not self._is_assigned(number):
                    begins[number] = self._begin(number, *consumer.offsets(number, _ASK_TIMEOUT_S))
        finally:  # one that can't be asked keeps none of those before it waiting
            if begins:
                consumer.assign(begins)
            for number in begins:
                self._partitions[number].assigned = True
        leaderless = [str(number) for number, has_leader in leaders.items() if not has_leader]
        return f"topic {self._spec.topic} has no leader for partition {', '.join(leaderless)}" if leaderless else None

    def _is_assigned(self, number: int) -> bool:
        return number in self._partitions and self._partitions[number].assigned

    def _begin(self, number: int, low: int, high: int) -> int:
        """Where to read a partition from, which holds the offsets [low, high)."""
        partition = self._partitions.get(number)
        if partition is None:
            partition = self._partitions[number] = _Partition(next=low if self._new_begin == "earliest" else high)
        elif partition.out_of_range or partition.next < low:
            self._skip(number, partition, low, high)
        # Only a fetch tells a position past the end of a topic made anew from one past a transaction under way.
        partition.doubtful = partition.next > high
        if not self._complete:
            partition.end = high
        partition.high = high
        return partition.next

    def _skip(self, number: int, partition: _Partition, low: int, high: int) -> None:
        """What happens to a partition whose next offset is not on the broker."""
        where = f"partition {number} of topic {self._spec.topic}"
        if self._spec.lost == "stop":
            raise SourceError(
                f"source {self._name}: {where} is to be read from offset {partition.next}, but the broker holds {low} to {high - 1}: "
                f"records were removed before they were read. To go on at {low}, set `lost: continue`"
            )
        lost = max(0, low - partition.next)
        _log.warning(
            "records were removed before they were read; going on at the earliest left",
            source=self._name, topic=self._spec.topic, partition=number, expected=partition.next, earliest=low, end=high, lost=lost,
        )  # fmt: skip
        self._lost_records.inc(lost)
        partition.next, partition.told, partition.out_of_range = low, None, False
        partition.end = min(partition.end, high)

    def _let_go(self, consumer: "TopicConsumer", numbers: Collection[int]) -> None:
        """Stops reading partitions; the next look takes on those that are there."""
        if numbers:
            consumer.unassign(numbers)
        for number in numbers:
            self._partitions[number].assigned = False

    def _chunks(self, reading: "Reading") -> list[Chunk]:
        for number, offsets in reading.offsets.items():
            self._partitions[number].advance(offsets[-1] + 1)
        for number, offset in reading.ends.items():
            self._partitions[number].advance(offset)
        chunks = []
        for number, partition in self._partitions.items():
            if partition.next != partition.told:
                partition.told = partition.next
                records, offsets = reading.records.get(number, []), reading.offsets.get(number, [])
                chunks.append(Chunk(str(number), records, offsets, partition.next, ordinal=number))
        return chunks

    def _tick(self, consumer: "TopicConsumer") -> None:
        self._ticked_us = self._clock.now_us()
        self._commit(consumer)
        for number, partition in self._partitions.items():
            high = consumer.known_high(number) if partition.assigned else None
            if high is not None:
                partition.high = high

    def _commit(self, consumer: "TopicConsumer") -> None:
        positions, self._to_commit = self._to_commit, {}
        if positions:
            consumer.commit(positions)

    def _should_look(self, consumer: "TopicConsumer") -> bool:
        if self.problem is not None:
            return self._due(self._looked_us, _LOOK_AGAIN_US)
        return consumer.disturbed or self._due(self._looked_us, _LOOK_EVERY_US)

    def _due(self, since_us: int, every_us: int) -> bool:
        return not 0 <= self._clock.now_us() - since_us < every_us  # a clock set back must not stop what is periodic

    def _say(self, problem: str | None) -> None:
        """Logs what changed, once."""
        if problem is not None and self.problem is None:
            _log.warning("Kafka can't be read; trying on", source=self._name, topic=self._spec.topic, problem=problem)
        elif problem is None and self.problem is not None:
            _log.info("Kafka can be read again", source=self._name, topic=self._spec.topic)
        self.problem = problem
