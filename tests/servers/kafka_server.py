"""Apache Kafka as tests need it: one KRaft broker that can be killed, suspended and brought back on the same ports."""

import itertools
import logging
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.servers.cache import cache_directory, installed, program
from tests.servers.maven import copy_jars
from tests.servers.offering import ready
from tests.servers.ports import free_ports
from tests.servers.process import Process

VERSION = "4.3.1"
USER, PASSWORD = "livekpi", "open-sesame"  # of the SASL listener, on loopback
_KEYS, _CERTIFICATE = "broker.p12", "broker.pem"
_START_TIMEOUT_S = 60
_START_ATTEMPTS = 3
"""A port that was free when it was chosen may be taken by somebody else before the broker has it."""
_log = logging.getLogger("tests.kafka")

_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAIN://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},TLS://127.0.0.1:{tls},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAIN://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},TLS://127.0.0.1:{tls}
listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}";
listener.name.tls.ssl.keystore.type=PKCS12
listener.name.tls.ssl.keystore.location={keys}
listener.name.tls.ssl.keystore.password={password}
listener.name.tls.ssl.key.password={password}
log.dirs={data}
message.max.bytes=20000000
replica.fetch.max.bytes=20000000
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=1000
"""
# The session is short because a broker brought back after a kill is let in only when its old one has run out.


class KafkaServer:
    """A broker with its data in `directory`, from what `kafka_home` installed."""

    def __init__(self, java: str, home: Path, directory: Path) -> None:
        plain, sasl, tls, controller = free_ports(4)
        self.brokers, self.sasl_brokers, self.tls_brokers = (f"127.0.0.1:{port}" for port in (plain, sasl, tls))
        self.certificate = home / _CERTIFICATE
        """What a client of the TLS listener must trust."""
        login = {"sasl.username": USER, "sasl.password": PASSWORD}
        self.sasl_settings = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", **login}
        self.tls_settings = {"security.protocol": "SSL", "ssl.ca.location": str(self.certificate)}
        """What a client of a secured listener is to be told, in librdkafka's words."""
        self._java = [java, "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        self._java += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{home}/*"]
        self._properties = directory / "server.properties"
        ports = {"plain": plain, "sasl": sasl, "tls": tls, "controller": controller}
        self._properties.write_text(_PROPERTIES.format(**ports, data=directory / "data", keys=home / _KEYS, user=USER, password=PASSWORD))
        self._log = directory / "server.log"
        self._topics = itertools.count(1)
        self._format()
        self.process = self._begin()
        self.admin = AdminClient({"bootstrap.servers": self.brokers, "reconnect.backoff.max.ms": 500}, logger=_log)

    def restart(self) -> None:
        """Starts it again after `kill`, on the same ports and data; returns when it answers."""
        self.process = self._begin()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Waits until it answers. Raises TimeoutError, or RuntimeError when it ended instead, with its log's tail."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            if not self.process.running():
                raise RuntimeError(f"Kafka ended while starting:\n{self.process.tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Kafka did not answer within {_START_TIMEOUT_S} s:\n{self.process.tail()}")

    def mend(self) -> None:
        """Undoes what a test did to the process."""
        if self.process.running():
            self.process.resume()
        else:
            self.restart()

    def close(self) -> None:
        """Ends it at once: its data is thrown away with the test run."""
        self.process.kill()

    def topic_name(self) -> str:
        """A name that no topic has."""
        return f"topic-{next(self._topics)}"

    def create_topic(self, name: str | None = None, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Makes a topic, with a new name where none is given, and returns its name."""
        name = name or self.topic_name()
        self.admin.create_topics([NewTopic(name, partitions, 1, config=dict(config or {}))])[name].result(30)
        return name

    def add_partitions(self, topic: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(30)

    def delete_topic(self, topic: str) -> None:
        self.admin.delete_topics([topic])[topic].result(30)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Forgets the records of a partition that stand before an offset, as retention would."""
        for future in self.admin.delete_records([TopicPartition(topic, partition, before)]).values():
            future.result(30)

    def producer(self, **settings: str | int) -> Producer:
        """A producer whose records are acknowledged, once and in order, though it tries again; librdkafka's settings, _ for dots."""
        given = {name.replace("_", "."): value for name, value in settings.items()}
        ours = {"bootstrap.servers": self.brokers, "linger.ms": 5, "acks": "all", "enable.idempotence": True}
        return Producer({**ours, **given}, logger=_log)

    def _answers(self) -> bool:
        try:
            return bool(self.admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def _format(self) -> None:
        cluster = "livekpi-tests-00000000"  # 22 characters, as the tool wants them
        self._run("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self._properties)

    def _run(self, tool: str, *arguments: str | Path) -> None:
        with Process([*self._java, tool, *arguments], self._log) as process:
            if process.wait(_START_TIMEOUT_S) != 0:
                raise RuntimeError(f"{tool} failed:\n{process.tail()}")

    def _begin(self) -> Process:
        return Process([*self._java, "kafka.Kafka", self._properties], self._log)


def kafka_home(environ: Mapping[str, str] = os.environ) -> Path:
    """A directory with Kafka's jars and a broker's key, from the cache or else made. Raises UnavailableError."""

    def install(directory: Path) -> None:
        copy_jars([f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36"], directory, environ)
        keytool = program("keytool", "Kafka", environ)
        store: list[str | Path] = ["-keystore", directory / _KEYS, "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", "broker"]
        name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"]
        make = [keytool, "-genkeypair", "-keyalg", "EC", "-validity", "36500", *name, *store]
        export = [keytool, "-exportcert", "-rfc", "-file", directory / _CERTIFICATE, *store]
        for command in (make, export):
            subprocess.run(command, check=True, capture_output=True, timeout=_START_TIMEOUT_S)

    return installed(cache_directory(environ), f"kafka-{VERSION}-with-key", install)


def start_kafka(directory: Path, environ: Mapping[str, str] = os.environ) -> KafkaServer:
    """A running broker; the caller closes it. Raises UnavailableError where it can't be had."""
    java = program("java", "Kafka", environ)
    home = kafka_home(environ)
    for attempt in range(_START_ATTEMPTS):
        own = directory / str(attempt)
        own.mkdir()
        server = KafkaServer(java, home, own)
        try:
            return ready(server)
        except RuntimeError:
            if "Address already in use" not in server.process.tail() or attempt + 1 == _START_ATTEMPTS:
                raise
    raise AssertionError("unreachable")
