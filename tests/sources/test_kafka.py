"""The Kafka source against a real broker."""

import importlib
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from livekpi.clock import ManualClock
from livekpi.definition.shape.model import Kafka
from livekpi.metrics import Metrics
from livekpi.sources.base import SourceError
from livekpi.sources.kafka import KafkaSource
from tests.servers.kafka_server import PASSWORD, USER, KafkaServer
from tests.servers.ports import free_ports

Settings = dict[str, str | int | float | bool]
SECOND_US = 1_000_000
TIMEOUT_S = 0.2
PATIENCE = 60
"""Reads that find nothing before a test gives up."""


class Reader:
    """Reads a source as the engine does, and keeps what came; time goes on by a second a read that finds nothing."""

    def __init__(
        self,
        spec: Kafka,
        *,
        positions: Mapping[str, int] | None = None,
        once: bool = False,
        group: str = "livekpi-tests",
        topics: Sequence[str] = (),
    ) -> None:
        self.clock = ManualClock(1_000_000 * SECOND_US)
        self.metrics = CollectorRegistry()
        self.source = KafkaSource("shop", spec, self.clock, Metrics(self.metrics), group=group, once=once, topics=topics)
        self.records: dict[str, list[bytes | None]] = defaultdict(list)
        self.offsets: dict[str, list[int]] = defaultdict(list)
        self.positions = dict(positions or {})
        self.source.start(self.positions)

    def step(self, limit: int = 10_000) -> int:
        """One read; returns how many records came."""
        count = 0
        for chunk in self.source.read(limit, TIMEOUT_S):
            assert chunk.ordinal == int(chunk.partition.rpartition("/")[2])
            assert len(chunk.records) == len(chunk.positions)
            assert list(chunk.positions) == sorted(set(chunk.positions))
            assert all(position < chunk.next_position for position in chunk.positions)
            self.records[chunk.partition] += chunk.records
            self.offsets[chunk.partition] += chunk.positions
            self.positions[chunk.partition] = chunk.next_position
            count += len(chunk.records)
        if count == 0:
            self.clock.set_us(self.clock.now_us() + SECOND_US)
        return count

    def until(self, condition: Callable[[], bool], limit: int = 10_000) -> None:
        """Reads until something is so."""
        idle = 0
        while not condition():
            idle = 0 if self.step(limit) else idle + 1
            assert idle < PATIENCE, f"waited in vain with {self.count} records read; problem: {self.source.problem}"

    def read(self, count: int, limit: int = 10_000) -> None:
        """Reads until at least so many records have come."""
        self.until(lambda: self.count >= count, limit)

    def to_end(self) -> None:
        self.until(self.source.at_end)

    @property
    def lost(self) -> float | None:
        """As /metrics tells it."""
        return self.metrics.get_sample_value("livekpi_lost_records_total", {"source": "shop"})

    @property
    def count(self) -> int:
        return sum(map(len, self.records.values()))


@contextmanager
def reading(spec: Kafka, **given: Any) -> Iterator[Reader]:
    reader = Reader(spec, **given)
    try:
        yield reader
    finally:
        reader.source.close()


def spec_of(kafka: KafkaServer, topic: str, **given: Any) -> Kafka:
    return Kafka(brokers=kafka.brokers, topic=topic, **given)


def produce(kafka: KafkaServer, topic: str, values: list[bytes | None], partition: int = 0, batch: int = 10_000) -> None:
    """Writes values, in their order, at most `batch` at a time, and waits until they are acknowledged."""
    failures: list[object] = []
    producer = kafka.producer(message_max_bytes=20_000_000, batch_num_messages=batch)
    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=lambda error, _: failures.append(error) if error else None)
        producer.poll(0)
    assert producer.flush(30) == 0
    assert failures == []


def numbers(begin: int, end: int) -> list[bytes | None]:
    return [str(number).encode() for number in range(begin, end)]


def test_reads_every_partition_to_its_end(kafka: KafkaServer) -> None:
    topic = kafka.create_topic(partitions=4)
    written = {
        str(partition): numbers(partition * 10_000, partition * 10_000 + count) for partition, count in enumerate((3_000, 1, 0, 700))
    }
    for partition, values in written.items():
        produce(kafka, topic, values, int(partition))
    with reading(spec_of(kafka, topic), once=True) as reader:
        assert not reader.source.at_end()
        reader.to_end()
        assert {partition: reader.records[partition] for partition in written} == written
        assert reader.positions == {"0": 3_000, "1": 1, "2": 0, "3": 700}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_in_many_lives_is_what_is_there_once(kafka: KafkaServer, seed: int) -> None:
    rng = random.Random(seed)
    topic = kafka.create_topic(partitions=3)
    written = {str(partition): numbers(0, rng.randrange(4_000)) for partition in range(3)}
    for partition, values in written.items():
        produce(kafka, topic, values, int(partition))
    total = sum(map(len, written.values()))
    read: dict[str, list[bytes | None]] = {partition: [] for partition in written}
    positions: dict[str, int] = {}
    while sum(map(len, read.values())) < total:
        with reading(spec_of(kafka, topic), positions=positions) as reader:
            reader.read(min(rng.randrange(1, 2_000), total - sum(map(len, read.values()))), limit=rng.randrange(1, 600))
            positions = reader.positions
            for partition, records in reader.records.items():
                read[partition] += records
    assert read == written


def test_some_topics_at_once(kafka: KafkaServer) -> None:
    one, two, late = kafka.create_topic(partitions=2), kafka.create_topic(), kafka.topic_name()
    produce(kafka, one, numbers(0, 3_000), 1)
    produce(kafka, two, numbers(5_000, 9_000))
    with reading(spec_of(kafka, "-"), topics=(one, late, two)) as reader:
        reader.read(7_000)
        assert reader.source.problem == f"topic {late} does not exist; waiting for it"
        kafka.create_topic(late)
        produce(kafka, late, numbers(0, 10))
        reader.read(7_010)
        reader.until(lambda: reader.source.problem is None)
        assert reader.source.has_read({(one, 0): 0, (one, 1): 3_000, (two, 0): 4_000, (late, 0): 10})
        assert not reader.source.has_read({(one, 1): 3_001})
        assert not reader.source.has_read({(one, 2): 0})
    read = {partition: records for partition, records in reader.records.items() if records}
    assert read == {f"{one}/1": numbers(0, 3_000), f"{two}/0": numbers(5_000, 9_000), f"{late}/0": numbers(0, 10)}
    with reading(spec_of(kafka, "-"), topics=(one, two), positions={f"{one}/0": 0, f"{one}/1": 2_990, f"{two}/0": 3_999}) as reader:
        reader.read(11)
        assert reader.positions == {f"{one}/0": 0, f"{one}/1": 3_000, f"{two}/0": 4_000}


def test_takes_what_is_there_up_to_the_limit(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 5_000))
    with reading(spec_of(kafka, topic)) as reader:
        while not reader.count:
            reader.step(limit=1_000)
        assert reader.count <= 1_500
        reader.to_end()
        assert reader.count == 5_000


def test_an_empty_topic_is_at_its_end(kafka: KafkaServer) -> None:
    with reading(spec_of(kafka, kafka.create_topic(partitions=2)), once=True) as reader:
        reader.to_end()
        assert reader.count == 0


def test_the_end_is_where_it_was_at_the_start(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 10))
    with reading(spec_of(kafka, topic, settings={"max.partition.fetch.bytes": 100}), once=True) as reader:
        produce(kafka, topic, numbers(10, 500))
        reader.to_end()
        assert reader.count >= 10


def test_values_are_any_bytes_of_any_size_or_none(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    values = [b"{}", None, b"", b"\x00\xff\xfe", b"x" * 9_000_000, None, b"last"]
    produce(kafka, topic, values)
    with reading(spec_of(kafka, topic), once=True) as reader:
        reader.to_end()
        assert reader.records["0"] == values


def test_latest_begins_at_the_end_and_remembers_where_that_was(kafka: KafkaServer) -> None:
    topic = kafka.create_topic(partitions=2)
    produce(kafka, topic, numbers(0, 100))
    spec = spec_of(kafka, topic, start="latest")
    with reading(spec) as reader:
        reader.step()
        assert reader.count == 0
        assert reader.positions == {"0": 100, "1": 0}
        positions = reader.positions
    produce(kafka, topic, numbers(100, 105))
    with reading(spec, positions=positions) as reader:
        reader.read(5)
        assert reader.records["0"] == numbers(100, 105)


def test_a_partition_that_is_added_is_read_from_its_beginning(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 3))
    with reading(spec_of(kafka, topic, start="latest")) as reader:
        reader.step()
        kafka.add_partitions(topic, 3)
        produce(kafka, topic, numbers(10, 15), partition=2)
        reader.read(5)
        assert reader.records["2"] == numbers(10, 15)
        reader.until(lambda: reader.positions == {"0": 3, "1": 0, "2": 5})


def test_a_partition_added_while_nobody_read_is_read_from_its_beginning(kafka: KafkaServer) -> None:
    topic = kafka.create_topic(partitions=2)
    produce(kafka, topic, numbers(0, 3), partition=1)
    with reading(spec_of(kafka, topic, start="latest"), positions={"0": 0}) as reader:
        reader.to_end()
        assert reader.records["1"] == numbers(0, 3)


def test_removed_records_are_counted_and_passed_over(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 20))
    kafka.delete_records(topic, 0, before=10)
    with capture_logs() as logs, reading(spec_of(kafka, topic), positions={"0": 4}, once=True) as reader:
        reader.to_end()
        assert reader.records["0"] == numbers(10, 20)
        assert reader.lost == 6
    assert [(entry["partition"], entry["lost"]) for entry in logs if "lost" in entry] == [(0, 6)]


def test_where_reading_goes_on_is_told_although_all_records_are_gone(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 20))
    kafka.delete_records(topic, 0, before=20)
    with reading(spec_of(kafka, topic), positions={"0": 4}, once=True) as reader:
        reader.to_end()
        reader.step()
        assert reader.count == 0
        assert reader.positions == {"0": 20}


def test_records_removed_under_way_are_counted_and_passed_over(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 4_000), batch=50)  # a batch is the least that is fetched
    little_ahead = {"queued.min.messages": 1, "queued.max.messages.kbytes": 1, "max.partition.fetch.bytes": 100}
    with reading(spec_of(kafka, topic, settings=little_ahead)) as reader:
        reader.until(lambda: reader.count > 0)
        kafka.delete_records(topic, 0, before=3_900)
        reader.to_end()
        assert reader.count < 4_000
        assert reader.lost == 4_000 - reader.count
        assert reader.offsets["0"][-100:] == list(range(3_900, 4_000))


def test_removed_records_stop_it_where_told_so(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 20))
    kafka.delete_records(topic, 0, before=10)
    with pytest.raises(SourceError, match=r"source shop: partition 0 of topic .* offset 4, .* holds 10 to 19.*`lost: continue`"):
        Reader(spec_of(kafka, topic, lost="stop"), positions={"0": 4})


@pytest.mark.parametrize("lost", ["continue", "stop"])
def test_a_position_past_the_end_is_one_of_another_topic(kafka: KafkaServer, lost: str) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 20))
    with reading(spec_of(kafka, topic, lost=lost), positions={"0": 999}, once=True) as reader:
        if lost == "stop":
            with pytest.raises(SourceError, match="offset 999"):
                reader.to_end()
        else:
            reader.to_end()
            assert reader.records["0"] == numbers(0, 20)
            assert reader.lost == 0


def test_a_topic_made_anew_is_read_from_its_beginning(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 20))
    with reading(spec_of(kafka, topic)) as reader:
        reader.to_end()
        kafka.delete_topic(topic)
        reader.until(lambda: reader.source.problem is not None)
        kafka.create_topic(topic)
        produce(kafka, topic, numbers(100, 105))
        reader.read(25)
        assert reader.records["0"] == numbers(0, 20) + numbers(100, 105)


def test_aborted_transactions_are_not_read_and_their_marks_do_not_hide_the_end(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    producer = kafka.producer(transactional_id=topic)
    producer.init_transactions(30)
    for value, commits in ((b"kept", True), (b"aborted", False), (b"kept too", True), (b"aborted too", False)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(30)
        (producer.commit_transaction if commits else producer.abort_transaction)(30)
    with reading(spec_of(kafka, topic), once=True) as reader:
        reader.to_end()
        assert reader.records["0"] == [b"kept", b"kept too"]
        assert reader.positions["0"] == 8
    kafka.delete_records(topic, 0, before=8)
    with reading(spec_of(kafka, topic, lost="stop"), positions=reader.positions, once=True) as reader:
        reader.to_end()


def test_an_open_transaction_does_not_keep_once_from_its_end(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 3))
    producer = kafka.producer(transactional_id=topic)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"under way")
    producer.flush(30)
    produce(kafka, topic, numbers(3, 5))
    with reading(spec_of(kafka, topic), once=True) as reader:
        reader.to_end()
        assert reader.records["0"] == numbers(0, 3)
        positions = reader.positions
    with reading(spec_of(kafka, topic), positions=positions) as reader:
        producer.commit_transaction(30)
        reader.read(3)
        assert reader.records["0"] == [b"under way", *numbers(3, 5)]


def test_a_broker_killed_and_brought_back_costs_no_record(kafka: KafkaServer, capfd: pytest.CaptureFixture[str]) -> None:
    topic = kafka.create_topic(partitions=2)
    for partition in range(2):
        produce(kafka, topic, numbers(0, 3_000), partition)
    with capture_logs() as logs, reading(spec_of(kafka, topic, settings={"queued.max.messages.kbytes": 8})) as reader:
        reader.read(1_000, limit=100)
        reader.source.committed(reader.positions)
        kafka.process.kill()
        reader.until(lambda: "refused" in (reader.source.problem or ""))
        reader.step()
        kafka.restart()
        produce(kafka, topic, numbers(3_000, 3_500))
        reader.read(6_500)
        reader.until(lambda: reader.source.problem is None)
        assert reader.records == {"0": numbers(0, 3_500), "1": numbers(0, 3_000)}
        assert reader.lost == 0
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]
    assert capfd.readouterr().err == ""


def test_a_broker_that_comes_later_is_waited_for(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 3))
    kafka.process.kill()
    with reading(spec_of(kafka, topic)) as reader:
        reader.step()
        assert reader.source.problem is not None
        assert not reader.source.at_end()
        kafka.restart()
        reader.to_end()
        assert reader.records["0"] == numbers(0, 3)
        assert reader.source.problem is None


def test_once_does_not_wait_for_a_broker_for_ever() -> None:
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    with reading(Kafka(brokers=nobody, topic="any"), once=True) as reader:
        reader.step()
        reader.clock.set_us(reader.clock.now_us() + 29 * SECOND_US)
        with pytest.raises(SourceError, match=f"source shop: no broker of {nobody} answers: .*refused"):
            reader.step()


@pytest.mark.timeout(60)
def test_it_closes_although_the_broker_is_silent(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 3))
    with reading(spec_of(kafka, topic)) as reader:
        reader.to_end()
        reader.source.committed(reader.positions)
        kafka.process.suspend()


def test_a_missing_topic_is_waited_for_and_said_once(kafka: KafkaServer) -> None:
    topic = kafka.topic_name()
    with capture_logs() as logs, reading(spec_of(kafka, topic, start="latest")) as reader:
        for _ in range(5):
            reader.step()
        assert not reader.source.at_end()
        assert topic not in kafka.admin.list_topics(timeout=30).topics
        kafka.create_topic(topic, partitions=2)
        produce(kafka, topic, numbers(0, 3), partition=1)
        reader.read(3)
    assert [entry["problem"] for entry in logs if "problem" in entry] == [f"topic {topic} does not exist; waiting for it"]


def test_once_does_not_wait_for_a_missing_topic(kafka: KafkaServer) -> None:
    with pytest.raises(SourceError, match=f"source shop: topic nothing-here does not exist at {kafka.brokers}"):
        Reader(spec_of(kafka, "nothing-here"), once=True)


def test_it_starts_again_after_a_failure(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 10))
    with reading(spec_of(kafka, topic)) as reader:
        reader.to_end()
        reader.source.start({"0": 7})
        reader.to_end()
        assert reader.offsets["0"] == [*range(10), 7, 8, 9]


def test_starting_again_leaves_nothing_of_the_last_start(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    port = int(kafka.brokers.split(":")[1])

    def connections() -> int:
        return sum(each.raddr != () and each.raddr.port == port for each in psutil.Process().net_connections())

    before = connections()
    with reading(spec_of(kafka, topic)) as reader:
        for _ in range(5):
            reader.to_end()
            reader.source.start({})
        reader.to_end()
        assert connections() <= before + 3  # to the bootstrap address, the broker and the group's coordinator


def sasl(password: str) -> Settings:
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": USER, "sasl.password": password}


def test_settings_log_in(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 3))
    with reading(Kafka(brokers=kafka.sasl_brokers, topic=topic, settings=sasl(PASSWORD)), once=True) as reader:
        reader.to_end()
        assert reader.count == 3


def test_settings_encrypt(kafka: KafkaServer) -> None:
    topic = kafka.create_topic()
    produce(kafka, topic, numbers(0, 3))
    trusted: Settings = {"security.protocol": "SSL", "ssl.ca.location": str(kafka.certificate)}
    with reading(Kafka(brokers=kafka.tls_brokers, topic=topic, settings=trusted), once=True) as reader:
        reader.to_end()
        assert reader.count == 3


def test_a_wrong_password_is_said(kafka: KafkaServer) -> None:
    spec = Kafka(brokers=kafka.sasl_brokers, topic="any", settings=sasl("wrong"))
    with (
        pytest.raises(SourceError, match=r"source shop: the broker refuses the connection: .*uthentication failed"),
        reading(spec) as reader,
    ):
        reader.to_end()


def test_a_certificate_that_is_not_trusted_is_said(kafka: KafkaServer) -> None:
    spec = Kafka(brokers=kafka.tls_brokers, topic="any", settings={"security.protocol": "SSL"})
    with pytest.raises(SourceError, match=r"source shop: the broker refuses the connection: .*certificate"), reading(spec) as reader:
        reader.to_end()


def test_a_listener_without_tls_is_said(kafka: KafkaServer) -> None:
    with reading(Kafka(brokers=kafka.brokers, topic="any", settings={"security.protocol": "SSL"})) as reader:
        reader.until(lambda: "SSL handshake failed" in (reader.source.problem or ""))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ssl.ca.location", "/nowhere/ca.pem", "ca.location"),
        ("fetch.wait.max.millis", 5, 'property: "fetch.wait.max.millis"'),
        ("fetch.min.bytes", "many", '"fetch.min.bytes"'),
    ],
)
def test_a_setting_that_the_client_refuses_is_said(name: str, value: str | int, said: str) -> None:
    spec = Kafka(brokers="127.0.0.1:1", topic="any", settings={"security.protocol": "SSL", name: value})
    with pytest.raises(SourceError, match=f"source shop: the Kafka client refuses its settings: .*{said}"):
        Reader(spec)


def test_the_group_is_told_for_people_to_see(kafka: KafkaServer) -> None:
    topic = kafka.create_topic(partitions=2)
    produce(kafka, topic, numbers(0, 5))
    with reading(spec_of(kafka, topic, settings={"group.id": topic})) as reader:
        reader.to_end()
        reader.source.committed(reader.positions)
        reader.until(lambda: group_offsets(kafka.admin, topic) == {0: 5, 1: 0})
        produce(kafka, topic, numbers(5, 7))
        reader.read(7)
        reader.source.committed(reader.positions)
    assert group_offsets(kafka.admin, topic) == {0: 7, 1: 0}


def group_offsets(admin: AdminClient, group: str) -> dict[int, int]:
    [future] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    partitions: list[TopicPartition] = future.result(30).topic_partitions
    return {each.partition: each.offset for each in partitions}


def test_lag_is_what_is_known_to_be_unread(kafka: KafkaServer) -> None:
    topic = kafka.create_topic(partitions=2)
    produce(kafka, topic, numbers(0, 5_000))
    with reading(spec_of(kafka, topic)) as reader:
        assert reader.source.lag() == {"0": 5_000, "1": 0}
        reader.read(1_000, limit=500)
        assert reader.source.lag()["0"] == 5_000 - reader.count
        produce(kafka, topic, numbers(0, 100))
        reader.read(5_100)
        reader.until(lambda: reader.source.lag() == {"0": 0, "1": 0})


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    monkeypatch.delitem(sys.modules, "livekpi.sources.kafka_consumer", raising=False)
    monkeypatch.delattr(importlib.import_module("livekpi.sources"), "kafka_consumer", raising=False)
    with pytest.raises(SourceError, match=r"source shop: .*pip install 'livekpi\[kafka\]'"):
        KafkaSource("shop", Kafka(brokers="localhost:9092", topic="any"), ManualClock(0), Metrics(CollectorRegistry()), group="any")
