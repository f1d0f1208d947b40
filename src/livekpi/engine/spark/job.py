"""The driver: ``python -m livekpi.engine.spark.job JOB.json``, or by spark-submit. It needs pyspark, and livekpi on the workers too.

One streaming query a source: Kafka's records go through the workers (worker.py), which make partials of them; one aggregation merges
these over all batches and writes each row that changed to its topic, under its key. What a restart repeats overwrites itself.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from pyspark import __version__ as spark_version
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import expr
from pyspark.sql.streaming.query import StreamingQuery

from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.problems import DefinitionError
from livekpi.disk import replace_text
from livekpi.engine.plan import Grouping, Plan, make_plan
from livekpi.engine.spark.description import FINISHED, STOPPED, Description, DescriptionError
from livekpi.engine.spark.options import sink_options, source_options
from livekpi.engine.spark.rendering import OFFSET, TIME, all_slots, key_column, merges, row_schema, statements, topic_column, value_column
from livekpi.engine.spark.slots import Slots, SlotsError, wanted_keeps
from livekpi.engine.spark.slots_file import HadoopFiles, settle
from livekpi.engine.spark.worker import Work
from livekpi.store.layout import cells

FAILED = 1
_LOOK_EVERY_S = 1
_FINISH_TIMEOUT_S = 30
_DAY_US = 86_400_000_000
_TRIGGER = "1 second"
_DEFAULTS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.streaming.stateStore.providerClass": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_PACKAGE = "org.apache.spark:spark-sql-kafka-0-10_2.13:{}"


def main(arguments: Sequence[str]) -> int:
    """Runs the described job until it ends; returns the exit code."""
    if len(arguments) != 1:
        print("usage: job.py JOB.json", file=sys.stderr)  # noqa: T201 - a program of its own
        return FAILED
    try:
        description = Description.read(Path(arguments[0]))
        definition = description.resolve(os.environ)
    except (DescriptionError, DefinitionError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return FAILED
    return Driver(description, definition).run()


class Driver:
    """Runs a definition's queries and writes down how they are."""

    def __init__(self, description: Description, definition: Definition) -> None:
        self._description, self._definition = description, definition
        self._plan = make_plan(definition)
        self._stopping = False
        self._notes: list[str] = []
        """What an operator should know of it as long as it runs."""

    def run(self) -> int:
        """Runs until all queries have ended, one has failed, or a signal asks for the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        spark: SparkSession | None = None
        self._write("starting", {})
        try:
            spark = session(self._description)
            queries = {name: self._start(spark, source) for name, source in self._definition.sources.items()}
            self._watch(queries)
        except (PySparkException, SlotsError) as error:
            if self._stopping:
                return STOPPED
            self._write("failed", {}, detail=_first_line(error))
            return FAILED
        finally:
            if spark is not None:
                spark.stop()
        self._write("missing" if self._stopping else "finished", {})
        return STOPPED if self._stopping else FINISHED

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, spark: SparkSession, source: SourceDefinition) -> StreamingQuery:
        groupings = self._plan.groupings[source.name]
        checkpoint = f"{self._description.checkpoint}/{source.name}"
        wanted_us = wanted_keeps(self._definition, groupings)
        slots = settle(_files(spark), f"{checkpoint}.slots.json", groupings, wanted_us)
        if any(slots.kept[table] != kept_us for table, kept_us in wanted_us.items()):
            self._notes.append(f"{source.name}: its state goes by the `keep` that its checkpoint began with; another takes a new one")
        rows = read(spark, source, work(self._definition, self._plan, source, slots))
        merged = merge(rows, slots, keep_us(slots, groupings))
        found = (
            merged.where(all_slots(slots))
            .selectExpr(
                f"{topic_column(self._description.topics)} AS topic",
                f"{key_column(source.name)} AS key",
                f"{value_column(source.name, groupings, slots)} AS value",
            )
            .where("value IS NOT NULL")
        )
        writer = found.writeStream.format("kafka").outputMode("update").queryName(source.name)
        writer = writer.option("checkpointLocation", checkpoint).options(**sink_options(self._definition, source))
        return (writer.trigger(availableNow=True) if self._description.once else writer.trigger(processingTime=_TRIGGER)).start()

    def _watch(self, queries: Mapping[str, StreamingQuery]) -> None:
        """Returns when all have ended; raises what one failed with."""
        while any(query.isActive for query in queries.values()) and not self._stopping:
            for query in queries.values():
                query.awaitTermination(_LOOK_EVERY_S)
            self._write("running", {name: _progress(query) for name, query in queries.items()}, detail="; ".join(self._notes) or None)
        for query in queries.values():
            _finish_batch(query)
            query.stop()
            query.awaitTermination()

    def _write(self, state: str, sources: Mapping[str, Any], detail: str | None = None) -> None:
        """Replaces the status file by what is now."""
        if self._description.status is None:
            return
        status = {"state": state, "pid": os.getpid(), "at_us": time.time_ns() // 1_000, "detail": detail, "sources": sources}
        replace_text(Path(self._description.status), json.dumps(status))


def session(description: Description) -> SparkSession:
    """The session of a job, with its settings over our defaults."""
    given = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in description.settings.items()}
    builder = SparkSession.builder.appName(description.name).master(description.master)
    if not given.keys() & {"spark.jars", "spark.jars.packages"}:
        given["spark.jars.packages"] = _PACKAGE.format(spark_version)
    for name, value in (_DEFAULTS | given).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    if "spark.sql.shuffle.partitions" not in given:  # one a core; a checkpoint keeps what it began with
        spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    return spark


def work(definition: Definition, plan: Plan, source: SourceDefinition, slots: Slots) -> Work:
    """What the workers do for a source."""
    own = [
        statement
        for grouping in plan.groupings[source.name]
        for statement in statements(grouping, source.fields, slots, slots.kept[cells(grouping).name])
    ]
    return Work(source, plan.fields(source.name, definition), tuple(own), slots, keep_us(slots, plan.groupings[source.name]))


def read(spark: SparkSession, source: SourceDefinition, work_: Work) -> DataFrame:
    """The rows that the workers make of a source's records."""
    records = spark.readStream.format("kafka").options(**source_options(source)).load().select("partition", "offset", "value")
    return records.mapInArrow(work_.rows, row_schema(work_.slots))


def merge(rows: DataFrame, slots: Slots, keep_us_: int) -> DataFrame:
    """One row a table and key, of all rows so far; forgotten when it is older than its table keeps it."""
    timed = rows.selectExpr("`table`", "key", "timestamp_micros(expires) AS expires", "n", OFFSET, TIME, *slots.names)
    bounded = timed.withWatermark("expires", f"{keep_us_ // 1_000} milliseconds")
    return bounded.groupBy("table", "key", "expires").agg(*map(expr, merges(slots)))


def keep_us(slots: Slots, groupings: Sequence[Grouping]) -> int:
    """How far the latest row's expiry is ahead of the events, so that all of a source's tables can share a watermark."""
    return max((slots.kept[cells(grouping).name] for grouping in groupings), default=_DAY_US)


def _files(spark: SparkSession) -> HadoopFiles:
    """The file systems of a session, by Spark's own way to them."""
    context = spark.sparkContext
    return HadoopFiles(context._jvm, context._jsc.hadoopConfiguration())  # noqa: SLF001


def _finish_batch(query: StreamingQuery) -> None:
    """Lets a batch that is being computed come to its end, within bounds: else it would be computed again."""
    deadline = time.monotonic() + _FINISH_TIMEOUT_S
    while query.isActive and query.status["isTriggerActive"] and time.monotonic() < deadline:
        query.awaitTermination(_LOOK_EVERY_S)


def _progress(query: StreamingQuery) -> dict[str, Any]:
    """What is worth knowing of a query's last batch."""
    last: Mapping[str, Any] | None = query.lastProgress
    if last is None:
        return {}
    operators = last["stateOperators"]
    return {
        "batch": last["batchId"],
        "at": last["timestamp"],
        "records": last["numInputRows"],
        "rows": sum(operator["numRowsTotal"] for operator in operators),
        "forgotten": sum(operator["numRowsDroppedByWatermark"] for operator in operators),
    }


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
