"""What a cluster's job has read of each source by the time that other numbers join those it computes.

A number that joins is complete from the bucket after the last event that it was not there for. Which event that is, the store can't say:
the job reads on while no server looks. So before a changed definition is taken on, the job of the one before is stopped, in such a way
that the next goes on from there, and its topics are read as far as it has written them.
"""

from pathlib import Path

import duckdb
import structlog

from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.definition.shape.model import Kafka
from livekpi.engine.cluster import Cluster
from livekpi.engine.plan import Plan
from livekpi.engine.supervision import Stopped, note_stopped
from livekpi.engine.topics import progress_topic
from livekpi.metrics import Metrics
from livekpi.sources.kafka import KafkaSource
from livekpi.sources.rows import RowDecoder
from livekpi.store import catalog

_LIMIT, _TIMEOUT_S = 10_000, 0.2

_log = structlog.get_logger(__name__)


def joins(cursor: duckdb.DuckDBPyConnection, plan: Plan) -> bool:
    """Whether a plan has numbers that a store, which has others, has not."""
    stored = catalog.kept(cursor).since
    return bool(stored) and any(partial.key not in stored.get(grouping.key, ()) for grouping in plan.all() for partial in grouping.partials)


def stop_earlier(cluster: Cluster, directory: Path) -> None:
    """Stops a job that computes another definition, so that the next start goes on from where it was. Raises ClusterError."""
    state = cluster.state()
    if state.state == "outdated":
        _log.info("other numbers are asked for: stopping the job, which goes on with them from where it is", job=state.name)
        note_stopped(directory, Stopped(cluster.stop(savepoint=True)))


def reached_us(definition: Definition, source: str, brokers: Kafka, group: str, clock: Clock, metrics: Metrics) -> int | None:
    """The greatest event time (µs) that a job has read of a source, by the end of its topic of progress; None before an event.

    The topic must be there. Raises SourceError where the brokers don't answer.
    """
    topic = progress_topic(definition.topics, source)
    decoder = RowDecoder(topic.key, topic.rest, ["n", "offset"])
    reading = KafkaSource(source, brokers, clock, metrics, group=group, once=True, topics=[topic.name])
    found: list[int] = []
    reading.start({})
    try:
        while not reading.at_end():
            for chunk in reading.read(_LIMIT, _TIMEOUT_S):
                found += [time for time in decoder.decode(chunk.records).table["time"].to_pylist() if time is not None]
    finally:
        reading.close()
    return max(found, default=None)
