"""What Spark's Kafka source and sink are told, with all variables filled in."""

from collections.abc import Mapping

from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.shape.model import Setting
from livekpi.engine.java_kafka import client_settings

_MAX_OFFSETS = 2_000_000
"""Records of a batch at most, so that a first run's numbers come before all is read."""


def source_options(source: SourceDefinition) -> dict[str, str]:
    """How a source's records are read."""
    kafka = source.spec.kafka
    assert kafka is not None, "checked with the definition"
    return {
        "kafka.isolation.level": "read_committed",
        **_client(kafka.brokers, kafka.settings),
        "subscribe": kafka.topic,
        "startingOffsets": kafka.start,
        "failOnDataLoss": str(kafka.lost == "stop").lower(),
        "maxOffsetsPerTrigger": str(_MAX_OFFSETS),
        "groupIdPrefix": "livekpi",
    }


def sink_options(definition: Definition, source: SourceDefinition) -> dict[str, str]:
    """Where the topics are: the cluster's brokers, else the source's."""
    spec, kafka = definition.spec.engine.spark, source.spec.kafka
    assert kafka is not None, "checked with the definition"
    brokers = spec.brokers if spec is not None else None
    client = spec.client if spec is not None else None
    return _client(brokers or kafka.brokers, kafka.settings if client is None else client)


def _client(brokers: str, settings: Mapping[str, Setting]) -> dict[str, str]:
    """A client's settings as options of Spark's Kafka source and sink."""
    return {"kafka.bootstrap.servers": brokers, **{f"kafka.{name}": value for name, value in client_settings(settings).items()}}
