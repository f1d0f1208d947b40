"""The five KPIs of the shop work as one would write them for Flink by hand: a plain statement set over Flink's json format.

It is as lenient as that format: what can't be read is skipped in silence, and "7" is a 7.
"""

from collections.abc import Mapping

from livekpi.engine.flink.gateway import Session

COUNTS = "counts"
"""What the topic is called, after its prefix, that counts each event once."""
_SOURCE = """\
CREATE TABLE shop (
  ts STRING, event STRING, user_id STRING, country STRING, duration_ms DOUBLE, amount DECIMAL(18, 2),
  minute_ AS SUBSTRING(ts, 1, 16)
) WITH (
  'connector' = 'kafka', 'properties.bootstrap.servers' = '{brokers}', 'topic' = '{topic}', 'scan.startup.mode' = 'earliest-offset',
  'format' = 'json', 'json.ignore-parse-errors' = 'true'
)"""
_SINK = """\
CREATE TABLE {name} ({columns}, PRIMARY KEY ({key}) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'properties.bootstrap.servers' = '{brokers}', 'topic' = '{prefix}.{name}',
  'key.format' = 'json', 'value.format' = 'json'
)"""
_SINKS = {
    COUNTS: ("minute_ STRING, country STRING, n BIGINT, revenue DECIMAL(38, 2), orders BIGINT", "minute_, country"),
    "users": ("minute_ STRING, user_id STRING", "minute_, user_id"),
    "durations": ("minute_ STRING, bin INT, n BIGINT", "minute_, bin"),
}
_INSERTS = """\
EXECUTE STATEMENT SET
BEGIN
INSERT INTO counts SELECT minute_, country, COUNT(*), SUM(amount), COUNT(*) FILTER (WHERE event = 'purchase')
  FROM shop GROUP BY minute_, country;
INSERT INTO users SELECT minute_, user_id FROM shop GROUP BY minute_, user_id;
INSERT INTO durations SELECT minute_, bin, COUNT(*)
  FROM (SELECT minute_, CAST(CEIL(LN(duration_ms) / LN(1.01 / 0.99)) AS INT) AS bin FROM shop) GROUP BY minute_, bin;
END"""
_SETTINGS = {  # as livekpi's own job has them
    "execution.checkpointing.interval": "10 s",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "20000",
    "table.optimizer.agg-phase-strategy": "TWO_PHASE",
    "table.exec.sink.upsert-materialize": "NONE",
    "pipeline.object-reuse": "true",
}


def topics(prefix: str) -> list[str]:
    """The topics that the job writes."""
    return [f"{prefix}.{name}" for name in _SINKS]


def submit(gateway: str, brokers: str, topic: str, prefix: str, settings: Mapping[str, str]) -> None:
    """Starts the job; its topics must be there."""
    with Session(gateway, {**_SETTINGS, **settings}) as session:
        session.execute(_SOURCE.format(brokers=brokers, topic=topic))
        for name, (columns, key) in _SINKS.items():
            session.execute(_SINK.format(name=name, columns=columns, key=key, brokers=brokers, prefix=prefix))
        session.execute(_INSERTS)
