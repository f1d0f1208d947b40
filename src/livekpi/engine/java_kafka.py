"""A Kafka client's settings in the words of Java's client, as the clusters' connectors take them; the file has librdkafka's."""

from collections.abc import Mapping

from livekpi.definition.shape.model import Setting

_SAME = frozenset(
    {
        *("security.protocol", "client.id", "client.rack", "client.dns.lookup", "isolation.level", "metadata.max.age.ms"),
        *("fetch.min.bytes", "fetch.max.bytes", "max.partition.fetch.bytes", "heartbeat.interval.ms", "session.timeout.ms"),
        *("request.timeout.ms", "reconnect.backoff.ms", "reconnect.backoff.max.ms", "retry.backoff.ms", "connections.max.idle.ms"),
        *("linger.ms", "acks", "enable.idempotence", "delivery.timeout.ms", "compression.type"),
        *("sasl.kerberos.service.name", "sasl.oauthbearer.token.endpoint.url", "ssl.endpoint.identification.algorithm"),
    }
)
_RENAMED = {
    "sasl.mechanism": "sasl.mechanism",
    "sasl.mechanisms": "sasl.mechanism",
    "ssl.ca.location": "ssl.truststore.location",
    "compression.codec": "compression.type",
    "fetch.wait.max.ms": "fetch.max.wait.ms",
    "fetch.message.max.bytes": "max.partition.fetch.bytes",
    "socket.receive.buffer.bytes": "receive.buffer.bytes",
    "socket.send.buffer.bytes": "send.buffer.bytes",
}
_LOGIN = ("sasl.username", "sasl.password")
_LIBRDKAFKA_ONLY = ("queued.", "socket.keepalive", "statistics.", "log", "debug", "fetch.queue.", "enable.partition.eof", "group.id")
"""How librdkafka itself works; Java's client has nothing like it and needs nothing."""
_MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule"}
"""Who logs in with a name and a password, by mechanism."""
CLASSES = "org.apache.kafka.common.security"
"""Where Java's client has them, unless a connector brings it under a name of its own."""


def untranslatable(settings: Mapping[str, Setting]) -> list[str]:
    """The settings that mean something to a broker or a user and have no counterpart: among them a login by another mechanism."""
    known = _SAME | _RENAMED.keys() | {*_LOGIN}
    found = [name for name in settings if name not in known and not name.startswith(_LIBRDKAFKA_ONLY)]
    mechanisms = [name for name in ("sasl.mechanism", "sasl.mechanisms") if name in settings]
    if any(name in settings for name in _LOGIN):
        found += [name for name in mechanisms if str(settings[name]) not in _MODULES]
    return found


def client_settings(settings: Mapping[str, Setting], classes: str = CLASSES) -> dict[str, str]:
    """Settings of Java's client; what has no counterpart is left out, see `untranslatable`."""
    given = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    found = {_RENAMED.get(name, name): value for name, value in given.items() if name in _SAME or name in _RENAMED}
    if "ssl.ca.location" in given:
        found["ssl.truststore.type"] = "PEM"
    if given.keys() >= {*_LOGIN}:
        module = _MODULES.get(found.setdefault("sasl.mechanism", "PLAIN"))
        user, password = (_quoted(given[name]) for name in _LOGIN)
        if module is not None:
            found["sasl.jaas.config"] = f"{classes}.{module} required username={user} password={password};"
    return found


def _quoted(value: str) -> str:
    """A text in a JAAS configuration."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
