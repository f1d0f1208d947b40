"""The five KPIs of the shop work as one would write them for Spark by hand: three streaming queries over from_json.

`python -m bench.by_hand_spark MASTER JARS BROKERS TOPIC CHECKPOINT`: reads what the topic holds, and writes what it counts to topics.
"""

import sys
from typing import Any

COUNTS = "counts"
_FIELDS = "ts TIMESTAMP, event STRING, user_id STRING, country STRING, duration_ms DOUBLE, amount DECIMAL(18, 2)"


def topics(prefix: str) -> list[str]:
    """The topics that the queries write."""
    return [f"{prefix}.{name}" for name in (COUNTS, "users", "durations")]


def main(master: str, jars: str, brokers: str, topic: str, prefix: str, checkpoint: str) -> None:
    """Runs the queries to the end of the topic."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - found only where Spark is

    settings = {
        "spark.jars": jars,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.streaming.stateStore.providerClass": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    builder = SparkSession.builder.appName("by hand").master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark: Any = builder.getOrCreate()
    read = spark.readStream.format("kafka").option("kafka.bootstrap.servers", brokers).option("subscribe", topic)
    read = read.option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", "2000000")
    events = (
        read.load()
        .selectExpr(f"from_json(CAST(value AS STRING), '{_FIELDS}') AS e")
        .selectExpr("e.*", "date_trunc('minute', e.ts) AS minute")
    )
    queries = {
        COUNTS: events.groupBy("minute", "country").agg(
            *map(_expression, ("count(*) AS n", "sum(amount) AS revenue", "count_if(event = 'purchase') AS orders"))
        ),
        "users": events.groupBy("minute", "user_id").agg(_expression("count(*) AS n")),
        "durations": events.selectExpr("minute", "CAST(ceil(ln(duration_ms) / ln(1.01D / 0.99D)) AS INT) AS bin")
        .groupBy("minute", "bin")
        .agg(_expression("count(*) AS n")),
    }
    started = []
    for name, query in queries.items():
        rows = query.selectExpr("to_json(struct(*)) AS value", f"to_json(struct({', '.join(query.columns[:2])})) AS key")
        writer = rows.writeStream.format("kafka").outputMode("update").option("kafka.bootstrap.servers", brokers)
        writer = writer.option("topic", f"{prefix}.{name}").option("checkpointLocation", f"{checkpoint}/{name}")
        started.append(writer.trigger(availableNow=True).start())
    for query in started:
        query.awaitTermination()
    spark.stop()


def _expression(text: str) -> Any:
    from pyspark.sql.functions import expr  # noqa: PLC0415

    return expr(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
