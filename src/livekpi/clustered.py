"""Puts together what a definition on a cluster needs: its job, the sources that read the job's topics, the writer that replaces."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from livekpi.clock import Clock
from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.durations import microseconds
from livekpi.definition.file.yaml_source import read_yaml
from livekpi.definition.problems import Problem
from livekpi.definition.shape.model import EngineSpec, Kafka
from livekpi.engine.cluster import Cluster, ClusterError
from livekpi.engine.java_kafka import untranslatable
from livekpi.engine.plan import Plan, make_plan
from livekpi.engine.progress import BUCKETS
from livekpi.engine.replacing import ReplacingWriter
from livekpi.engine.row_columns import columns_of
from livekpi.engine.supervision import Supervisor
from livekpi.engine.topics import all_topics, dead_letters_topic, progress_topic, table_topic
from livekpi.joining import joins, reached_us, stop_earlier
from livekpi.metrics import Metrics
from livekpi.sources.base import SourceError
from livekpi.sources.kafka import KafkaSource
from livekpi.sources.opening import consumer_group
from livekpi.sources.partials import PartialsSource, Topics
from livekpi.sources.rows import RowDecoder
from livekpi.store import positions
from livekpi.store.database import Store
from livekpi.store.layout import tables

COMPACTED = {"cleanup.policy": "compact"}
JOB = "job"
"""The folder of the data directory that holds what is to be kept of a job."""


@dataclass(frozen=True)
class Clustered:
    """All that is open of a definition on a cluster."""

    sources: Mapping[str, PartialsSource]
    writer: ReplacingWriter
    job: Supervisor
    reached: Mapping[str, int | None]
    """The greatest event time (µs) of each source that a job read for an earlier definition; of none where nothing joins its numbers."""


def open_clustered(definition: Definition, store: Store, data: Path, clock: Clock, metrics: Metrics, *, once: bool) -> Clustered:
    """Opens the sources and the cluster; nothing is read or submitted yet, but a job that other numbers join is stopped.

    Raises SourceError and ClusterError.
    """
    plan = make_plan(definition)
    cluster = open_cluster(definition, plan, data, once=once)
    reached = _reached(definition, plan, cluster, data, clock, metrics) if joins(store.cursor(), plan) else {}
    sources = {name: _partials(definition, name, plan, store, data, clock, metrics, once=once) for name in definition.sources}
    writer = ReplacingWriter(definition, plan, clock, metrics, {name: source.ends for name, source in sources.items()})

    def tell(problem: str | None) -> None:
        for source in sources.values():
            source.job_problem = problem

    job = Supervisor(
        definition.spec.engine.name,
        cluster,
        lambda: create_topics(definition, plan),
        data / JOB,
        tell,
        clock,
        metrics,
        once=once,
    )
    if once and definition.spec.engine.spark is not None:  # whose job ends when it has read all there was
        for source in sources.values():
            source.finished = job.finished
    return Clustered(sources, writer, job, reached)


def _reached(definition: Definition, plan: Plan, cluster: Cluster, data: Path, clock: Clock, metrics: Metrics) -> Mapping[str, int | None]:
    """How far the job of an earlier definition has read, which is stopped for that."""
    stop_earlier(cluster, data / JOB)
    try:
        create_topics(definition, plan)
    except ConnectionError as error:
        raise SourceError(str(error)) from error
    return {
        name: reached_us(definition, name, _brokers(source, definition), consumer_group(data), clock, metrics)
        for name, source in definition.sources.items()
    }


def open_cluster(definition: Definition, plan: Plan, data: Path, *, once: bool = False) -> Cluster:
    """The cluster that a definition names. Raises ClusterError where it names none."""
    spec = definition.spec.engine
    if spec.flink is not None:
        from livekpi.engine.flink.cluster import FlinkCluster  # noqa: PLC0415 - only where it is used

        return FlinkCluster(definition, plan, spec.flink, data / JOB)
    if spec.spark is not None:
        from livekpi.engine.spark.cluster import SparkCluster  # noqa: PLC0415

        return SparkCluster(definition, spec.spark, data / JOB, once=once, environ=os.environ)
    raise ClusterError(f"{definition.path} runs on livekpi's own engine, and has no job; `engine` names another")


def problems(definition: Definition) -> list[Problem]:
    """What of a definition its engine can't do."""
    spec = definition.spec.engine
    found: list[str] = []
    if spec.flink is not None:
        from livekpi.engine.flink.support import unsupported as not_by_flink  # noqa: PLC0415

        found = not_by_flink(definition, make_plan(definition))
    elif spec.spark is not None:
        from livekpi.engine.spark.support import unsupported as not_by_spark  # noqa: PLC0415

        found = not_by_spark(definition, make_plan(definition))
    return [*(Problem(message, str(definition.path)) for message in found), *_client_problems(definition)]


def _client_problems(definition: Definition) -> list[Problem]:
    """The settings of `client` that can't be passed on to the job, each at its place."""
    spec = definition.spec.engine
    refused = [] if spec.cluster is None else untranslatable(spec.cluster.client or {})
    if not refused:
        return []
    document, _ = read_yaml(definition.text.encode(), str(definition.path), definition.variables)
    said = f"engine {spec.name}: `client: {{}}` has no counterpart in {spec.name.capitalize()}'s Kafka client; leave it out"
    return [document.key_problem(("engine", spec.name, "client", setting), said.format(setting)) for setting in refused]


def on_engine(definition: Definition, engine: str) -> Definition:
    """The definition on an engine, with its defaults where the file says nothing of it. Raises ClusterError."""
    if engine == definition.spec.engine.name:
        return definition
    try:
        spec = EngineSpec.model_validate({engine: {}})
    except ValidationError as error:
        missing = ", ".join(f"`{each['loc'][-1]}`" for each in error.errors())
        raise ClusterError(f"engine {engine} needs {missing}; give `engine: {{ {engine}: … }}` in {definition.path}") from error
    for name, source in definition.sources.items():
        if spec.cluster is not None and source.spec.kafka is None:
            raise ClusterError(f"engine {engine} reads Kafka only; source {name} of {definition.path} is another kind")
    return replace(definition, spec=definition.spec.model_copy(update={"engine": spec}))


def create_topics(definition: Definition, plan: Plan) -> None:
    """Makes the topics of the job that are not there. Raises ConnectionError, SourceError."""
    from livekpi.sources.kafka_admin import Admin  # noqa: PLC0415 - needs the extra

    cluster = definition.spec.engine.cluster
    assert cluster is not None
    for source, topics in all_topics(definition.topics, plan).items():
        Admin(_brokers(definition.sources[source], definition)).create([topic.name for topic in topics], cluster.partitions, COMPACTED)


def _brokers(source: SourceDefinition, definition: Definition) -> Kafka:
    """Where a source's partials are, and how to get there; the topic in it is not used."""
    cluster, own = definition.spec.engine.cluster, source.spec.kafka
    assert cluster is not None
    assert own is not None
    settings = own.settings if cluster.client is None else cluster.client
    return Kafka(brokers=cluster.brokers or own.brokers, topic=definition.topics, settings=settings)


def _partials(
    definition: Definition, name: str, plan: Plan, store: Store, data: Path, clock: Clock, metrics: Metrics, *, once: bool
) -> PartialsSource:
    source, cluster = definition.sources[name], definition.spec.engine.cluster
    assert cluster is not None
    assert source.spec.kafka is not None
    topics, brokers = topics_of(definition, name, plan), _brokers(source, definition)
    reading = KafkaSource(name, brokers, clock, metrics, group=consumer_group(data), once=False, topics=topics.names)
    from livekpi.sources.kafka_admin import Admin, Question  # noqa: PLC0415 - the extra is there, now that the source is

    topic = source.spec.kafka.topic

    def read() -> Mapping[tuple[str, int], int]:
        return {(topic, number): position for number, position in made.progress().items()}

    made = PartialsSource(
        name,
        topics,
        reading,
        Question(Admin(brokers), topics.names),
        Question(Admin(source.spec.kafka), [topic], read),
        clock,
        settle_us=microseconds(cluster.settle),
        progress={
            row.partition: row.position for row in positions.load(store.cursor(), name, source.origin).values() if row.partition != BUCKETS
        },
        once=once,
    )
    return made


def topics_of(definition: Definition, source: str, plan: Plan) -> Topics:
    """The topics of a source's partials, with what reads them."""
    prefix = definition.topics
    progress, dead_letters = progress_topic(prefix, source), dead_letters_topic(prefix, source)
    decoders = {}
    for grouping in plan.groupings[source]:
        for table in tables(grouping):
            topic = table_topic(prefix, table)
            decoders[topic.name] = RowDecoder(topic.key, topic.rest, ["n"] if "n" in topic.rest else [], columns_of(grouping, table))
    return Topics(
        decoders,
        (progress.name, RowDecoder(progress.key, progress.rest, ["n", "offset"])),
        (dead_letters.name, RowDecoder(dead_letters.key, dead_letters.rest, ["reason"])),
    )
