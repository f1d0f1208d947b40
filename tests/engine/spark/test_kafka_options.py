"""librdkafka's settings by the Java client's names."""

from livekpi.engine.spark.kafka_options import kafka_options, untranslatable


def test_a_login_becomes_a_jaas_configuration() -> None:
    settings = {"security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "me", "sasl.password": 'a"b\\c'}
    assert kafka_options("b:1", settings) == {
        "kafka.bootstrap.servers": "b:1",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": ('org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="a\\"b\\\\c";'),
    }


def test_a_certificate_is_a_trust_store() -> None:
    assert kafka_options("b:1", {"ssl.ca.location": "/ca.pem"}) == {
        "kafka.bootstrap.servers": "b:1",
        "kafka.ssl.truststore.location": "/ca.pem",
        "kafka.ssl.truststore.type": "PEM",
    }


def test_what_is_librdkafkas_own_is_left_out_and_what_is_unknown_is_said() -> None:
    settings: dict[str, str | float] = {
        "queued.min.messages": 5,
        "socket.keepalive.enable": True,
        "ssl.key.password": "x",
        "fetch.max.bytes": 7,
    }
    assert kafka_options("b:1", settings) == {"kafka.bootstrap.servers": "b:1", "kafka.fetch.max.bytes": "7"}
    assert untranslatable(settings) == ["ssl.key.password"]
