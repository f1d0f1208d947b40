"""A Kafka client's settings in the words of Java's client, as Flink's Kafka tables take them; the file has librdkafka's."""

from collections.abc import Mapping

from livekpi.definition.model import Setting

_SAME = frozenset(
    {
        *("security.protocol", "client.id", "client.rack", "isolation.level", "metadata.max.age.ms", "connections.max.idle.ms"),
        *("request.timeout.ms", "reconnect.backoff.ms", "reconnect.backoff.max.ms", "retry.backoff.ms", "session.timeout.ms"),
        *("fetch.min.bytes", "fetch.max.bytes", "max.partition.fetch.bytes", "heartbeat.interval.ms", "client.dns.lookup"),
        *("sasl.kerberos.service.name", "ssl.endpoint.identification.algorithm"),
    }
)
_RENAMED = {
    "sasl.mechanism": "sasl.mechanism",
    "sasl.mechanisms": "sasl.mechanism",
    "ssl.ca.location": "ssl.truststore.location",
    "fetch.wait.max.ms": "fetch.max.wait.ms",
    "socket.receive.buffer.bytes": "receive.buffer.bytes",
    "socket.send.buffer.bytes": "send.buffer.bytes",
}
_LOGIN = {"sasl.username", "sasl.password"}
_NOT_SAID = ("queued.", "socket.keepalive", "statistics.", "log", "debug", "fetch.queue.", "group.id")
"""How librdkafka itself works; Java's client has nothing like it and needs nothing."""
# Flink's connector brings Kafka's classes under a name of its own
_MODULES = "org.apache.flink.kafka.shaded.org.apache.kafka.common.security"


def untranslatable(settings: Mapping[str, Setting]) -> list[str]:
    """The settings that mean something to a broker and have no counterpart here."""
    known = _SAME | _RENAMED.keys() | _LOGIN
    return [name for name in settings if name not in known and not name.startswith(_NOT_SAID)]


def client_options(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Options of a table; what has no counterpart is left out, see `untranslatable`."""
    given = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    found = {_RENAMED.get(name, name): value for name, value in given.items() if name in _SAME or name in _RENAMED}
    if "ssl.ca.location" in given:
        found["ssl.truststore.type"] = "PEM"
    if given.keys() >= _LOGIN:
        mechanism = found.setdefault("sasl.mechanism", "PLAIN")
        module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
        user, password = (_quoted(given[name]) for name in sorted(_LOGIN, reverse=True))
        found["sasl.jaas.config"] = f"{_MODULES}.{module} required username={user} password={password};"
    return {f"properties.{name}": value for name, value in found.items()}


def _quoted(value: str) -> str:
    """A text in a JAAS configuration."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
