"""The shop work on every engine: embedded, Flink and Spark through livekpi, and both by hand: `make bench-engines`.

A cost is what a million events more cost: a run over many events less one over few, so that no start counts. It is the CPU time of all
processes but the broker's: the cluster's, the job's driver and workers, and livekpi's server, which reads what the job writes.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition

from bench import by_hand_flink, by_hand_spark, shop
from bench.common import LIVEKPI, Ran, Report, arguments, interleaved, main, median, module, run
from tests.servers.flink_server import FlinkServer, start_flink
from tests.servers.kafka_server import KafkaServer
from tests.servers.spark_server import SparkServer, start_spark

FEW, MANY = "few", "many"
_COUNTED_S = 600.0


@dataclass
class Place:
    """Where the runs happen."""

    kafka: KafkaServer
    scratch: Path
    events: Mapping[str, int]
    """How many a topic holds, by its name."""
    numbers: "count[int]"

    def file(self, topic: str, engine: Mapping[str, object] | None) -> Path:
        """A definition over a topic, on an engine, under names that no other run has."""
        number = next(self.numbers)
        file = self.scratch / f"shop{number}.yaml"
        text = shop.definition(shop.kafka(self.kafka.brokers, topic))
        if engine is not None:
            [(name, options)] = engine.items()
            assert isinstance(options, dict)
            text += f"engine: {json.dumps({name: {**options, 'topics': f'out{number}'}})}\n"
        file.write_text(text, encoding="utf-8")
        return file

    def livekpi(self, topic: str, engine: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Ran:
        """`livekpi run --once`, and whether it has counted all."""
        file = self.file(topic, engine)
        data = file.with_suffix("")
        ran = run([*LIVEKPI, "run", file, "--once", "--data", data], environ)
        asked = run([*LIVEKPI, "query", "events", "--data", data, "--step", "all", "--format", "json"]).output
        counted = sum(int(json.loads(line)["value"]) for line in asked.splitlines())
        if counted != self.events[topic]:
            raise ValueError(f"{topic} holds {self.events[topic]} events, livekpi counted {counted}")
        return ran

    def wait_counted(self, prefix: str, topic: str) -> None:
        """Waits until what a job by hand wrote counts all events. Raises TimeoutError."""
        consumer = Consumer({"bootstrap.servers": self.kafka.brokers, "group.id": prefix, "enable.auto.commit": False})
        with closing(consumer):
            consumer.assign([TopicPartition(f"{prefix}.{by_hand_flink.COUNTS}", 0, 0)])
            counts: dict[bytes, int] = {}
            deadline = time.monotonic() + _COUNTED_S
            while sum(counts.values()) != self.events[topic]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{sum(counts.values())} of {self.events[topic]} events are counted")
                for message in consumer.consume(1_000, 0.2):
                    key, value = message.key(), message.value()
                    assert isinstance(key, bytes)
                    assert value is not None
                    counts[key] = json.loads(value)["n"]

    def outputs(self, topics: Sequence[str]) -> None:
        for topic in topics:
            self.kafka.create_topic(topic, 1)


def cpu_s(roots: Sequence[int]) -> float:
    """What processes have taken, with all that they started, the ended included."""
    total = 0.0
    for root in map(psutil.Process, roots):
        for process in (root, *root.children(recursive=True)):
            try:
                taken = process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # it ended meanwhile; its parent has it
            total += taken.user + taken.system + taken.children_user + taken.children_system
    return total


@dataclass(frozen=True)
class Cost:
    """What one run took, the cluster's processes included."""

    cpu_s: float
    wall_s: float


def with_cluster(roots: Callable[[], Sequence[int]], work: Callable[[], Ran | None]) -> Cost:
    before, started = cpu_s(roots()), time.perf_counter()
    ran = work()
    own_s = 0.0 if ran is None else ran.cpu_s
    return Cost(cpu_s(roots()) - before + own_s, time.perf_counter() - started)


def embedded(place: Place, topic: str) -> Cost:
    ran = place.livekpi(topic)
    return Cost(ran.cpu_s, ran.wall_s)


def flink_livekpi(place: Place, server: FlinkServer, topic: str, parallelism: int = 1) -> Cost:
    engine = {"flink": {"gateway": server.gateway, "rest": server.rest, "parallelism": parallelism}}
    cost = with_cluster(lambda: [process.pid for process in server.processes], lambda: place.livekpi(topic, engine))
    server.mend()
    return cost


def flink_by_hand(place: Place, server: FlinkServer, topic: str) -> Cost:
    prefix = f"hand{next(place.numbers)}"
    place.outputs(by_hand_flink.topics(prefix))

    def work() -> None:
        by_hand_flink.submit(server.gateway, place.kafka.brokers, topic, prefix, {})
        place.wait_counted(prefix, topic)

    cost = with_cluster(lambda: [process.pid for process in server.processes], work)
    server.mend()
    return cost


def spark_livekpi(place: Place, server: SparkServer, topic: str) -> Cost:
    checkpoint = f"file://{place.scratch}/checkpoint{next(place.numbers)}"
    engine = {"spark": {"master": server.master, "checkpoint": checkpoint, "settings": {"spark.jars": server.jars}}}
    roots = [server.process.pid, server.worker.pid]
    return with_cluster(lambda: roots, lambda: place.livekpi(topic, engine, server.environ))


def spark_by_hand(place: Place, server: SparkServer, topic: str) -> Cost:
    prefix = f"hand{next(place.numbers)}"
    place.outputs(by_hand_spark.topics(prefix))
    arguments_ = (server.master, server.jars, place.kafka.brokers, topic, prefix, f"file://{place.scratch}/{prefix}")

    def work() -> Ran:
        ran = run(module("by_hand_spark", *arguments_), server.environ)
        place.wait_counted(prefix, topic)
        return ran

    return with_cluster(lambda: [server.process.pid, server.worker.pid], work)


def measure(report: Report, options: argparse.Namespace) -> None:
    with shop.broker() as (kafka, scratch), ExitStack() as stack:
        place = Place(kafka, scratch, {FEW: options.events // 10, MANY: options.events}, count())
        for topic, events in place.events.items():
            shop.fill(kafka, topic, events)
        ways: dict[str, Callable[[str], Cost]] = {"embedded": lambda topic: embedded(place, topic)}
        (scratch / "flink").mkdir()
        flink = start_flink(scratch / "flink", java_options=())
        stack.callback(flink.close)
        ways["Flink, livekpi"] = lambda topic: flink_livekpi(place, flink, topic)
        ways["Flink, by hand"] = lambda topic: flink_by_hand(place, flink, topic)
        (scratch / "spark").mkdir()
        spark = start_spark(scratch / "spark", os.environ)
        stack.callback(spark.close)
        ways["Spark, livekpi"] = lambda topic: spark_livekpi(place, spark, topic)
        ways["Spark, by hand"] = lambda topic: spark_by_hand(place, spark, topic)
        costs = _costs(report, place, ways, options.repetitions)
        for engine in ("Flink", "Spark"):
            report.figure(f"{engine}, livekpi : by hand", costs[f"{engine}, livekpi"] / costs[f"{engine}, by hand"], "", at_most=1.6)
            report.figure(f"{engine}, livekpi : embedded", costs[f"{engine}, livekpi"] / costs["embedded"], "", at_least=5)
        report.remark("By hand means: as lenient as the engine's own JSON reader. livekpi's jobs tell broken events apart, and keep them.")
        _parallel(report, place, flink)


def _costs(report: Report, place: Place, ways: Mapping[str, Callable[[str], Cost]], repetitions: int) -> dict[str, float]:
    """CPU seconds a million events, by way."""
    for work in ways.values():  # Java's compiler has learnt what is hot before it is measured
        work(MANY)
    works = {f"{way}/{topic}": (lambda way=way, topic=topic: ways[way](topic)) for way in ways for topic in (FEW, MANY)}
    runs = interleaved(repetitions, **works)
    for name, each in runs.items():
        report.log(f"{name}: " + "; ".join(f"{cost.cpu_s:.1f} CPU-s, {cost.wall_s:.1f} s" for cost in each))
    millions = (place.events[MANY] - place.events[FEW]) / 1e6
    found = {}
    for way in ways:
        many, few = (median(cost.cpu_s for cost in runs[f"{way}/{topic}"]) for topic in (MANY, FEW))
        found[way] = (many - few) / millions
        report.figure(f"{way}, a million events", found[way], "CPU-s")
    return found


def _parallel(report: Report, place: Place, flink: FlinkServer) -> None:
    """How throughput grows with parallelism, on the partitions of the topic."""
    for parallelism in (1, 2, 4):
        few, many = (flink_livekpi(place, flink, topic, parallelism).wall_s for topic in (FEW, MANY))
        speed = (place.events[MANY] - place.events[FEW]) / max(many - few, 1e-9)
        report.figure(f"Flink, livekpi, parallelism {parallelism}", speed, "events/s")


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=2)
    main("engines", "The same file on every engine", measure, parser)
