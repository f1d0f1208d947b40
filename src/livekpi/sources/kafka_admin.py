"""What is asked of Kafka's brokers beside records: that topics are there, and where they end. Needs the extra."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType  # type: ignore[attr-defined]  # its types forget some
from confluent_kafka.cimpl import NewTopic

from livekpi.definition.shape.model import Kafka
from livekpi.sources.base import SourceError
from livekpi.sources.kafka_consumer import Place, TopicConsumer, client_settings

MARKS = 100
"""How many offsets at a partition's end are looked through for records."""
_BROKERS_CHOOSE = -1
_CONSUMERS_OWN = ("group.", "fetch.", "queued.", "partition.assignment.", "isolation.level", "session.", "heartbeat.", "max.poll.")

_log = structlog.get_logger(__name__)
_librdkafka = logging.getLogger("livekpi.librdkafka")


class Admin:
    """Asks the brokers that `spec` names, by its settings. Its calls may come from any thread.

    They raise ConnectionError where the brokers don't answer in time, SourceError where they refuse.
    """

    def __init__(self, spec: Kafka, timeout_s: float = 10.0) -> None:
        """Asks nobody yet. Raises SourceError for settings that librdkafka refuses."""
        self._spec, self._brokers, self._timeout_s = spec, spec.brokers, timeout_s
        self._marked: dict[Place, tuple[int, int]] = {}
        settings = {name: value for name, value in client_settings(spec).items() if not name.startswith(_CONSUMERS_OWN)}
        try:
            self._client = AdminClient({"client.id": "livekpi", **settings}, logger=_librdkafka)
        except KafkaException as error:
            raise SourceError(f"the Kafka client refuses its settings: {error.args[0].str()}") from error

    def create(self, topics: Iterable[str], partitions: int, config: Mapping[str, str]) -> list[str]:
        """Makes those topics that are not there; returns which. Raises SourceError where one that is there is not compacted."""
        names = list(topics)
        wanted = [NewTopic(name, partitions, _BROKERS_CHOOSE, config=dict(config)) for name in names]
        made, there = [], []
        for name, future in self._client.create_topics(wanted, operation_timeout=self._timeout_s).items():
            try:
                future.result(self._timeout_s)
                made.append(name)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._failure(error) from error
                there.append(name)
            except TimeoutError as error:
                raise ConnectionError(f"no broker of {self._brokers} answers") from error
        self._check_compacted(there)
        return made

    def _check_compacted(self, names: list[str]) -> None:
        if not names:
            return
        answers = self._client.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
        for resource, future in answers.items():
            try:
                policy = future.result(self._timeout_s)["cleanup.policy"].value
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    raise self._failure(error) from error
                _log.warning("whether a topic is compacted can't be asked; let its cleanup.policy be compact", topic=resource.name)
                continue
            if "compact" not in policy:
                raise SourceError(
                    f"topic {resource.name} has cleanup.policy={policy}, which forgets numbers; set it to compact, or give other `topics`"
                )

    def spans(self, topics: Iterable[str]) -> dict[Place, tuple[int, int]]:
        """The first offset of each partition that is on the broker, and the one after the last."""
        try:
            places = self._places(list(topics))
            low = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # likewise
            high = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        except KafkaException as error:
            raise self._failure(error) from error
        except TimeoutError as error:
            raise ConnectionError(f"no broker of {self._brokers} answers") from error
        return {place: (low[place], high[place]) for place in places}

    def spans_without_marks(self, topics: Sequence[str], read: Mapping[Place, int]) -> dict[Place, tuple[int, int]]:
        """As `spans`, but that a partition ends at `read` where no record stands from there on: what a transaction leaves there is a mark.

        Only where at most MARKS offsets are left, so that no more than that is ever read for it.
        """
        spans = self.spans(topics)
        doubtful = {place: at for place, at in read.items() if place in spans and 0 < spans[place][1] - at <= MARKS}
        unknown = {place: at for place, at in doubtful.items() if self._marked.get(place) != (at, spans[place][1])}
        for place in self._ended(topics, unknown):
            self._marked[place] = unknown[place], spans[place][1]
        ended = {place: at for place, at in doubtful.items() if self._marked.get(place) == (at, spans[place][1])}
        return {place: (low, ended.get(place, high)) for place, (low, high) in spans.items()}

    def _ended(self, topics: Sequence[str], places: Mapping[Place, int]) -> list[Place]:
        """Those of the places where no record comes any more."""
        if not places:
            return []
        consumer = TopicConsumer("ends", self._spec, "livekpi-ends", topics)
        ended: set[Place] = set()
        holding: set[Place] = set()
        try:
            consumer.assign(places)
            deadline = monotonic() + self._timeout_s
            while ended | holding < places.keys() and monotonic() < deadline:
                reading = consumer.read(MARKS, 0.2)
                holding |= reading.records.keys()
                ended |= reading.ends.keys()
        finally:
            consumer.close()
        return list(ended - holding)

    def _places(self, topics: list[str]) -> list[Place]:
        """The partitions of topics. It is asked by a call that makes no topic that is not there, as a plain look at a topic may."""
        asked = self._client.describe_topics(TopicCollection(topics), request_timeout=self._timeout_s)
        found = {topic: future.result(self._timeout_s).partitions for topic, future in asked.items()}
        return [(topic, partition.id) for topic, partitions in found.items() for partition in partitions]

    def _offsets(self, places: list[Place], spec: OffsetSpec) -> dict[Place, int]:
        if not places:
            return {}
        asked = self._client.list_offsets({TopicPartition(*place): spec for place in places}, request_timeout=self._timeout_s)
        return {(place.topic, place.partition): future.result(self._timeout_s).offset for place, future in asked.items()}

    def _failure(self, error: KafkaException) -> ConnectionError | SourceError:
        reason: KafkaError = error.args[0]
        if reason.retriable() or reason.code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}:  # noqa: SLF001
            return ConnectionError(f"no broker of {self._brokers} answers: {reason.str()}")
        return SourceError(f"the brokers {self._brokers} refuse: {reason.str()}")


class Question:
    """Asks for the spans of some topics in the background, one question at a time."""

    def __init__(self, admin: Admin, topics: Iterable[str], read: Callable[[], Mapping[Place, int]] | None = None) -> None:
        """`read` says how far partitions are read, where their ends are to be those of records (see `spans_without_marks`)."""
        self._admin, self._topics, self._read = admin, tuple(topics), read
        self._pool = ThreadPoolExecutor(1, "kafka-ends")
        self._asked: Future[dict[Place, tuple[int, int]]] | None = None
        self.problem: str | None = None
        """Why the last question had no answer; None where it had one."""

    @property
    def asked(self) -> bool:
        """Whether an answer is awaited, or there."""
        return self._asked is not None

    def ask(self) -> None:
        if self._read is None:
            self._asked = self._pool.submit(self._admin.spans, self._topics)
        else:
            self._asked = self._pool.submit(self._admin.spans_without_marks, self._topics, self._read())

    def answer(self) -> dict[Place, tuple[int, int]] | None:
        """Takes the answer where it is there; None where it is not yet, or there will be none to this question."""
        if self._asked is None or not self._asked.done():
            return None
        asked, self._asked = self._asked, None
        try:
            found = asked.result()
        except (ConnectionError, SourceError) as error:
            self.problem = str(error)
            return None
        self.problem = None
        return found

    def forget(self) -> None:
        """Wants no answer to what was asked."""
        self._asked = None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
