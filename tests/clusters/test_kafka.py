"""A real Kafka, the installed livekpi, and a job that repeats itself: killed again and again, the numbers end as the oracle's."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from livekpi.ask import stored
from livekpi.clustered import COMPACTED
from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.engine.plan import make_plan
from livekpi.engine.topics import all_topics
from livekpi.query.points import Request
from livekpi.query.query import Query
from livekpi.sources.kafka_admin import Admin
from livekpi.store import catalog, dead_letters
from tests.clusters import shop
from tests.clusters.on_reference import STATE
from tests.clusters.reference_job import ReferenceJob, Row, encoded
from tests.clusters.served import Topic
from tests.faults.livekpi_server import LivekpiServer
from tests.oracle.oracle import HOUR_US, Oracle, steps
from tests.properties.played import _plain, same
from tests.properties.shop import KPIS
from tests.properties.worlds import _BROKEN, Record, make_record, random_values
from tests.servers.kafka_server import KafkaServer
from tests.servers.nursery import Installed

PARTITIONS = 3
FIVE_MINUTES_US = 300_000_000
ENGINE = {"flink": {"topics": "live", "settle": "1s", "partitions": 2}}


class Job:
    """The reference job on real topics: reads from the topic's records as they are made known, writes rows, may lose all and begin anew."""

    def __init__(self, kafka: KafkaServer, definition: Definition, topic: Topic) -> None:
        self._definition, self._topic = definition, topic
        self._producer = kafka.producer()
        self._random = Random(5)
        self._read: dict[int, int] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        self._job, self._read = ReferenceJob(self._definition, shop.SOURCE), {}

    def compute(self, up_to: int = 2**31) -> None:
        """Reads at most so many records of each partition, and writes now and then."""
        for partition, records in self._topic.records.items():
            begin = self._read.get(partition, 0)
            for offset in range(begin, min(len(records), begin + up_to)):
                self._job.take(partition, offset, records[offset])
                self._read[partition] = offset + 1
                if self._random.random() < 0.02:
                    self._write(self._job.rows())
        self._write(self._job.rows())

    def _write(self, rows: list[Row]) -> None:
        self._random.shuffle(rows)
        for row in rows:
            topic, key, value = encoded(row)
            self._producer.produce(topic, key=key, value=value)
            self._producer.poll(0)
        assert self._producer.flush(60) == 0


class Shop:
    """The source's topic on a broker, what is in it, and a definition of it."""

    def __init__(self, kafka: KafkaServer, directory: Path, prefix: str) -> None:
        self.kafka, self.name, self.prefix = kafka, kafka.create_topic(partitions=PARTITIONS), prefix
        self.topic = Topic()
        engine = {"flink": {**ENGINE["flink"], "topics": prefix}}
        self.text = shop.text(brokers=kafka.brokers, topic=self.name, engine=engine, keep={"1m": "2d", "1h": "2y"})
        self.definition = parse_definition(self.text.encode(), directory / "shop.yaml", {})
        self.random = Random(11)
        self.begin_us = int(datetime.now(UTC).timestamp() - 5 * 3_600) * 1_000_000

    def send(self, count: int, *, transaction: bool = False) -> None:
        """More records, broken ones among them, over three hours that are past; in a transaction at most once."""
        producer = self.kafka.producer(**({"transactional_id": self.name} if transaction else {}))
        if transaction:
            producer.init_transactions(60)
            producer.begin_transaction()
        for _ in range(count):
            record = Record(None, self.random.choice(_BROKEN)) if self.random.random() < 0.03 else self._event()
            partition = self.random.randrange(PARTITIONS)
            self.topic.arrive(partition, [record], 0)
            producer.produce(self.name, record.raw, partition=partition)
        if transaction:
            producer.commit_transaction(60)
        assert producer.flush(60) == 0

    def _event(self) -> Record:
        return make_record(self.begin_us + self.random.randrange(3 * HOUR_US), random_values(self.random))

    def make_topics(self) -> None:
        names = [topic.name for topics in all_topics(self.prefix, make_plan(self.definition)).values() for topic in topics]
        kafka = self.definition.sources[shop.SOURCE].spec.kafka
        assert kafka is not None
        Admin(kafka).create(names, 2, COMPACTED)

    def wrong(self, data: Path) -> list[str]:
        """What in a data directory is not as the oracle has it."""
        times = [event.time_us for event in self.topic.events]
        found = []
        with stored(data) as (cursor, definition, alive_us):
            query = Query(cursor, definition, make_plan(definition), alive_us)
            for name, said in KPIS.items():
                for step, size_us in (("1h", HOUR_US), (None, said.kpi.every_us)):
                    first_us = min(times) - min(times) % said.kpi.every_us
                    wanted = Oracle(self.topic.events).points(said.kpi, steps(first_us, max(times), size_us, "UTC"), said.kpi.by)
                    got = {
                        (point.time_us, point.dimensions): _plain(point.value)
                        for point in query.points(Request(name, step=step, by=said.kpi.by)).points
                    }
                    found += [f"{name} {step} {key}: wanted {wanted.get(key)}, got {got.get(key)}" for key in wanted.keys() ^ got.keys()]
                    found += [
                        f"{name} {step} {key}: wanted {value}, got {got[key]}"
                        for key, value in wanted.items()
                        if key in got and not same(got[key], value, said.kpi.tolerance)
                    ]
            letters = [(letter.partition, letter.position) for letter in dead_letters.find(cursor, limit=10**6)]
        if sorted(letters) != sorted(self.topic.dead):
            found.append(f"wanted {len(self.topic.dead)} dead letters, got {len(letters)}")
        return found


@pytest.fixture
def here(kafka: KafkaServer, tmp_path: Path) -> Shop:
    made = Shop(kafka, tmp_path, kafka.topic_name())
    made.make_topics()
    return made


@pytest.fixture
def server(here: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LivekpiServer]:
    monkeypatch.setenv(STATE, str(tmp_path / "state"))
    command = [sys.executable, str(Path(__file__).with_name("on_reference.py"))]
    with closing(LivekpiServer(tmp_path, here.text, Installed(command))) as livekpi:
        yield livekpi


def events_read(server: LivekpiServer) -> int:
    """How far the job is, as the server says."""
    [source] = server.get("/v1/sources")["sources"]
    return sum(partition["position"] for partition in source["partitions"])


@pytest.mark.parametrize("transaction", [False, True])
def test_once_reads_all_the_job_computes_of_what_is_there(here: Shop, server: LivekpiServer, transaction: bool) -> None:
    here.send(300, transaction=transaction)
    job = Job(here.kafka, here.definition, here.topic)
    job.compute()
    server.run_once()
    assert here.wrong(server.data) == []


@pytest.mark.timeout(600)
def test_killed_again_and_again_while_the_job_repeats_itself(here: Shop, server: LivekpiServer) -> None:
    rng = Random(os.environ.get("LIVEKPI_TEST_SEED", "3"))
    job = Job(here.kafka, here.definition, here.topic)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            here.send(40)
            job.compute()
            if rng.random() < 0.15:
                job.begin_anew()
            stop.wait(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(12):
            server.start()
            if rng.random() < 0.7:
                server.wait_until_it_answers()
            threading.Event().wait(rng.uniform(0, 1.5))  # at any moment
            server.process.kill()
    finally:
        stop.set()
        worker.join()
    job.compute()
    server.run_once()
    assert here.wrong(server.data) == []


def test_a_new_server_has_it_all_from_the_topics(here: Shop, server: LivekpiServer, tmp_path: Path) -> None:
    here.send(300)
    job = Job(here.kafka, here.definition, here.topic)
    job.compute()
    job.begin_anew()
    job.compute()
    server.data = tmp_path / "another"
    server.run_once()
    assert here.wrong(server.data) == []


def test_what_joins_a_job_is_complete_after_the_last_event_it_was_not_there_for(here: Shop, server: LivekpiServer, tmp_path: Path) -> None:
    """The job has read on while no server looked."""
    state, submitted = tmp_path / "state", tmp_path / "state.submitted"
    job = Job(here.kafka, here.definition, here.topic)
    here.send(100)
    job.compute()
    server.run_once()
    stored_us = max(event.time_us for event in here.topic.events)
    here.begin_us += 4 * HOUR_US
    here.send(100)
    job.compute()
    read_us = max(event.time_us for event in here.topic.events)
    assert read_us > stored_us + HOUR_US
    said = json.loads(here.text)
    said["kpis"]["another"] = {"value": "count(*)", "every": "5m"}
    (tmp_path / "definition.yaml").write_text(json.dumps(said))
    (tmp_path / "data" / "job" / "stopped.json").unlink()
    state.write_text("outdated")
    server.run_once()
    assert submitted.read_text() == "/savepoint"  # where the job before was stopped
    changed = parse_definition(json.dumps(said).encode(), tmp_path / "shop.yaml", {})
    [added] = [grouping for grouping in make_plan(changed).all() if grouping.every_us == FIVE_MINUTES_US]
    with stored(server.data) as (cursor, _, _):
        since = dict(catalog.kept(cursor).since)
    assert set(since.pop(added.key).values()) == {(read_us // FIVE_MINUTES_US + 1) * FIVE_MINUTES_US}
    assert {each for partials in since.values() for each in partials.values()} == {None}


def test_a_job_that_fails_is_told_and_submitted_again_and_one_that_was_stopped_is_not(
    here: Shop, server: LivekpiServer, tmp_path: Path
) -> None:
    state, submitted, stopped = tmp_path / "state", tmp_path / "state.submitted", tmp_path / "data" / "job" / "stopped.json"
    server.start()
    server.until(server.ready)
    assert not submitted.exists()  # it ran already
    stopped.parent.mkdir()
    stopped.write_text('{"savepoint": "/savepoint"}')
    state.write_text("failed")
    server.until(lambda: not server.ready())
    assert not submitted.exists()
    stopped.unlink()
    server.until(submitted.exists)
    server.until(server.ready)
    server.process.kill()
    state.write_text("failed")
    stopped.write_text('{"savepoint": "/savepoint"}')
    server.start()
    server.until(lambda: submitted.read_text() == "/savepoint")
    server.until(lambda: not stopped.exists())
    assert 'livekpi_job_up{engine="flink"} 1' in server.text("/metrics")
    said = server.query("status", str(tmp_path / "definition.yaml"))
    assert {"engine: flink", "job: played", "state: running", f"server: {server.address}"} <= set(said)
    assert any(line.startswith("shop lag: ") for line in said)
