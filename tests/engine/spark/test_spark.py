"""A definition on a real Spark: what its topics hold, through kills and changes, is what plain Python says of the same events."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.engine.plan import Plan, make_plan
from livekpi.engine.spark.cluster import SparkCluster
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from tests.engine.spark.expected import BROKEN, Tables, expected, made, record
from tests.engine.spark.topics_read import last_values, tables
from tests.oracle.oracle import Event
from tests.properties import shop
from tests.properties.shop import Said
from tests.servers.kafka_server import KafkaServer
from tests.servers.spark_server import SparkServer

PARTITIONS = 3
FEW = {name: shop.KPIS[name] for name in ("events", "revenue", "latest", "users", "middle", "coarse")}
_TIMEOUT_S = 240
_LOOK_EVERY_S = 0.25


class Shop:
    """A shop on Spark: its topic, and the job over it."""

    def __init__(self, kafka: KafkaServer, spark: SparkServer, directory: Path, kpis: Mapping[str, Said]) -> None:
        self.kafka, self.spark, self.directory = kafka, spark, directory
        self.topic, self.prefix = kafka.create_topic(partitions=PARTITIONS), kafka.topic_name()
        self.kpis = dict(kpis)
        self.keep: dict[str, str] = {}
        self.secured = False
        """Whether the source is read with a login, and the job's topics are written over TLS."""
        self.offsets = [0] * PARTITIONS
        self.events: list[Event] = []
        self.broken: dict[tuple[int, int], bytes | None] = {}

    def definition(self) -> Definition:
        quick = "-XX:TieredStopAtLevel=1"  # no time to learn what is slow
        settings = {
            "spark.jars": self.spark.jars,
            "spark.driver.memory": "512m",
            "spark.executor.memory": "512m",
            "spark.ui.enabled": False,
            "spark.driver.extraJavaOptions": quick,
            "spark.executor.extraJavaOptions": quick,
        }
        checkpoint = f"file://{self.directory}/checkpoint"
        cluster = {"master": self.spark.master, "topics": self.prefix, "checkpoint": checkpoint, "settings": settings}
        source: dict[str, Any] = {"brokers": self.kafka.brokers, "topic": self.topic}
        if self.secured:
            source |= {"brokers": self.kafka.sasl_brokers, "settings": self.kafka.sasl_settings}
            cluster |= {"brokers": self.kafka.tls_brokers, "client": self.kafka.tls_settings}
        text = {
            "engine": {"spark": cluster},
            "sources": {"shop": {"kafka": source, "time": "ts", "late": "10m", "fields": shop.FIELDS}},
            "kpis": {name: said.text for name, said in self.kpis.items()},
            **({"keep": self.keep} if self.keep else {}),
        }
        return parse_definition(json.dumps(text).encode(), self.directory / "shop.yaml", {})

    def cluster(self, *, once: bool = False) -> SparkCluster:
        definition = self.definition()
        spec = definition.spec.engine.spark
        assert spec is not None
        return SparkCluster(definition, spec, self.directory / "job", once=once, environ=self.spark.environ)

    def run_once(self) -> None:
        """The job reads what is there, and ends."""
        cluster = self.cluster(once=True)
        cluster.submit()
        wait_until(lambda: cluster.state().state == "finished", cluster)

    def produce(self, events: Iterable[tuple[int, Event]], broken: Sequence[bytes | None] = ()) -> None:
        """Puts events into their partitions, with broken records among them."""
        producer = self.kafka.producer()
        waiting = list(broken)
        for number, (partition, event) in enumerate(events):
            if waiting and number % 10 == 0:
                self.broken[partition, self.offsets[partition]] = waiting[0]
                self._put(producer, partition, waiting.pop(0))
            self.events.append(replace(event, order=(partition, self.offsets[partition])))
            self._put(producer, partition, record(event))
        assert not waiting
        assert producer.flush(30) == 0

    def _put(self, producer: Any, partition: int, value: bytes | None) -> None:
        producer.produce(self.topic, value, partition=partition)
        self.offsets[partition] += 1

    def progress(self) -> dict[int, dict[str, Any]]:
        return {row["partition"]: row for row in last_values(self.kafka, f"{self.prefix}.progress_shop").values()}

    def read(self) -> int:
        """How many records the job says it has read."""
        return sum(row["n"] for row in self.progress().values())

    def forget(self) -> int:
        """The topic loses the records it has; returns how many events were among them."""
        for partition, offset in enumerate(self.offsets):
            self.kafka.delete_records(self.topic, partition, offset)
        return len(self.events)

    def check(self, plan: Plan, since: Mapping[str, int] | None = None) -> None:
        """All tables, progress and dead letters are what they must be; `since` has the KPIs that know of no event before a number."""
        begun = since or {}
        wanted: Tables = {}
        for name, said in self.kpis.items():
            own = expected(self.definition(), plan, {name: said}, self.events[begun.get(name, 0) :])
            for table, rows in own.items():
                for key, row in rows.items():
                    there = wanted.setdefault(table, {}).setdefault(key, {})
                    there |= {**row, "n": max(row["n"], there.get("n", 0))} if "n" in row else row
        found = tables(self.kafka, self.prefix, plan)
        assert found.keys() == wanted.keys()
        for name, rows in wanted.items():
            assert found[name] == rows, name
        assert [self.progress()[partition]["offset"] + 1 for partition in range(PARTITIONS)] == self.offsets
        assert self.read() == sum(self.offsets)
        assert max(row["time"] for row in self.progress().values()) == max(event.time_us for event in self.events)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_EVERY_S)


def wait_until(what: Callable[[], bool], cluster: SparkCluster) -> None:
    """Waits for something that a running job brings about."""

    def come() -> bool:
        state = cluster.state()
        assert state.state in ("starting", "running", "finished"), state
        return what()

    wait_for(come)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where a job runs; none is left running."""
    yield tmp_path
    if (tmp_path / "job" / "driver.json").exists():
        pid = json.loads((tmp_path / "job" / "driver.json").read_text())["pid"]
        if psutil.pid_exists(pid) and os.getpgid(pid) == pid:
            psutil.Process(pid).kill()


def test_once_counts_what_embedded_would_and_loses_nothing_that_is_broken(kafka: KafkaServer, spark: SparkServer, directory: Path) -> None:
    own = Shop(kafka, spark, directory, shop.KPIS)
    own.secured = True
    own.produce(made(3_000, 1, PARTITIONS), [broken for broken, _, _ in BROKEN])
    assert own.cluster().state().state == "missing"
    own.run_once()
    own.check(make_plan(own.definition()))
    letters = last_values(kafka, f"{own.prefix}.dead_letters_shop")
    assert {(letter["partition"], letter["offset"]) for letter in letters.values()} == own.broken.keys()
    said = {(code, field) for _, code, field in BROKEN}
    assert {(letter["code"], letter["field"]) for letter in letters.values()} == said
    decoder = Decoder(own.definition().sources["shop"])
    for letter in letters.values():
        place = letter["partition"], letter["offset"]
        (dead,) = decoder.decode([Chunk(str(place[0]), [own.broken[place]], [place[1]], place[1] + 1)], time.time_ns() // 1_000).dead
        assert letter["code"] == dead.code
        assert letter["code"] == "ahead" or letter["reason"] == dead.reason
        if letter["record"] is not None:
            assert letter["record"].encode() == (own.broken[place] or b"")


def test_kills_change_no_number(kafka: KafkaServer, spark: SparkServer, directory: Path) -> None:
    own = Shop(kafka, spark, directory, FEW)
    events = made(2_000, 2, PARTITIONS)
    cluster = own.cluster()
    cluster.submit()
    own.produce(events[:800])
    wait_until(lambda: own.read() >= 800, cluster)
    wait_until(lambda: cluster.state().last_checkpoint_us is not None, cluster)
    state = cluster.state()
    assert state.state == "running"
    assert state.job_id is not None
    cluster.submit()  # runs already
    assert cluster.state().job_id == state.job_id

    psutil.Process(int(state.job_id)).kill()
    own.produce(events[800:1_400])
    wait_for(lambda: cluster.state().state == "failed")
    assert own.cluster().state().state == "failed"  # seen by a server that did not start it, too

    cluster = own.cluster()
    cluster.submit()
    wait_until(lambda: own.read() >= 1_400, cluster)
    assert (state.restarts, cluster.state().restarts) == (0, 1)
    spark.restart_worker()
    own.produce(events[1_400:])
    wait_until(lambda: own.read() >= 2_000, cluster)
    assert cluster.stop(savepoint=True) == f"file://{directory}/checkpoint"
    assert cluster.state().state == "missing"
    own.check(make_plan(own.definition()))


def test_a_kpi_that_is_added_leaves_the_others_their_state(kafka: KafkaServer, spark: SparkServer, directory: Path) -> None:
    """What the topic has lost meanwhile, the state still knows; only those that are added begin with what comes now.

    That buckets are kept for longer than they were changes nothing either.
    """
    own = Shop(kafka, spark, directory, FEW)
    own.produce(made(800, 2, PARTITIONS))
    own.run_once()
    own.check(make_plan(own.definition()))
    added = {name: shop.KPIS[name] for name in ("many", "greatest")}
    own.kpis |= added
    own.keep = {"10s": "30d", "1h": "90d"}
    since = dict.fromkeys(added, own.forget())
    own.produce(made(400, 3, PARTITIONS))
    own.run_once()
    own.check(make_plan(own.definition()), since)
