"""A Kafka client's settings by librdkafka's names, as Spark's Kafka source and sink take them: by the Java client's."""

from collections.abc import Mapping

_SAME = frozenset(
    {
        *("security.protocol", "client.id", "client.rack", "fetch.min.bytes", "fetch.max.bytes", "max.partition.fetch.bytes"),
        *("request.timeout.ms", "session.timeout.ms", "heartbeat.interval.ms", "metadata.max.age.ms", "isolation.level"),
        *("reconnect.backoff.ms", "reconnect.backoff.max.ms", "retry.backoff.ms", "connections.max.idle.ms", "client.dns.lookup"),
        *("linger.ms", "acks", "enable.idempotence", "delivery.timeout.ms", "ssl.endpoint.identification.algorithm"),
        *("sasl.kerberos.service.name", "sasl.oauthbearer.token.endpoint.url"),
    }
)
_RENAMED = {
    "sasl.mechanisms": "sasl.mechanism",
    "sasl.mechanism": "sasl.mechanism",
    "ssl.ca.location": "ssl.truststore.location",
    "compression.codec": "compression.type",
    "compression.type": "compression.type",
    "socket.receive.buffer.bytes": "receive.buffer.bytes",
    "socket.send.buffer.bytes": "send.buffer.bytes",
    "fetch.wait.max.ms": "fetch.max.wait.ms",
    "fetch.message.max.bytes": "max.partition.fetch.bytes",
}
_LOGIN = {"sasl.username", "sasl.password"}
_LIBRDKAFKA_ONLY = ("queued.", "socket.keepalive", "statistics.", "log", "debug", "fetch.queue.", "enable.partition.eof", "group.id")
"""What says how librdkafka itself works; the Java client has nothing like it and needs nothing."""
_MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule"}


def untranslatable(settings: Mapping[str, str | float]) -> list[str]:
    """The settings that mean something to a broker or a user and have no counterpart here."""
    known = _SAME | _RENAMED.keys() | _LOGIN
    return [name for name in settings if name not in known and not name.startswith(_LIBRDKAFKA_ONLY)]


def kafka_options(brokers: str, settings: Mapping[str, str | float]) -> dict[str, str]:
    """Options for Spark, each ``kafka.`` and the Java client's name. What has no counterpart is left out: see `untranslatable`."""
    given = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    found = {_RENAMED.get(name, name): value for name, value in given.items() if name in _SAME or name in _RENAMED}
    if "ssl.ca.location" in given:
        found["ssl.truststore.type"] = "PEM"
    if given.keys() >= _LOGIN:
        module = _MODULES.get(found.setdefault("sasl.mechanism", "PLAIN"), _MODULES["PLAIN"])
        user, password = (_quoted(given[name]) for name in ("sasl.username", "sasl.password"))
        found["sasl.jaas.config"] = f"org.apache.kafka.common.security.{module} required username={user} password={password};"
    return {"kafka.bootstrap.servers": brokers, **{f"kafka.{name}": value for name, value in found.items()}}


def _quoted(value: str) -> str:
    """A text in a JAAS configuration."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
