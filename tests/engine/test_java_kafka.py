"""librdkafka's settings by the Java client's names."""

import pytest

from livekpi.definition.shape.model import Setting
from livekpi.engine.java_kafka import client_settings, untranslatable

LOGIN: dict[str, Setting] = {"sasl.username": "me", "sasl.password": 'a"b\\c'}


@pytest.mark.parametrize(
    ("given", "mechanism", "module"),
    [
        ({}, "PLAIN", "plain.Plain"),
        ({"sasl.mechanism": "PLAIN"}, "PLAIN", "plain.Plain"),
        ({"sasl.mechanisms": "SCRAM-SHA-512"}, "SCRAM-SHA-512", "scram.Scram"),
    ],
)
def test_a_login_becomes_a_jaas_configuration(given: dict[str, Setting], mechanism: str, module: str) -> None:
    settings = {"security.protocol": "SASL_SSL", **given, **LOGIN}
    assert client_settings(settings, "my.security") == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": mechanism,
        "sasl.jaas.config": f'my.security.{module}LoginModule required username="me" password="a\\"b\\\\c";',
    }
    assert untranslatable(settings) == []


def test_a_login_by_another_mechanism_is_said() -> None:
    settings: dict[str, Setting] = {"sasl.mechanism": "GSSAPI", **LOGIN}
    assert untranslatable(settings) == ["sasl.mechanism"]
    assert "sasl.jaas.config" not in client_settings(settings)


def test_a_certificate_is_a_trust_store() -> None:
    assert client_settings({"ssl.ca.location": "/ca.pem"}) == {"ssl.truststore.location": "/ca.pem", "ssl.truststore.type": "PEM"}


def test_what_is_librdkafkas_own_is_left_out_and_what_is_unknown_is_said() -> None:
    settings: dict[str, Setting] = {
        "queued.min.messages": 5,
        "socket.keepalive.enable": True,
        "ssl.key.password": "x",
        "fetch.max.bytes": 7,
    }
    assert client_settings(settings) == {"fetch.max.bytes": "7"}
    assert untranslatable(settings) == ["ssl.key.password"]
