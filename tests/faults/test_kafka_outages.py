"""The broker is gone for a while, and back: livekpi lives on, and goes on where it was."""

import os
import time
from pathlib import Path

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import Traffic
from tests.servers.kafka_server import KafkaServer

COUNTED = """
sources:
  s: {{ kafka: {{ brokers: "{brokers}", topic: {topic} }}, time: ts, fields: {{ ts: timestamp }} }}
kpis:
  events: {{ value: count(*), every: 1h }}
"""
OUTAGE_S = float(os.environ.get("LIVEKPI_TEST_OUTAGE_S", "30"))


@pytest.mark.parametrize("how", ["killed", "silent"])
def test_broker_gone_and_back(how: str, kafka: KafkaServer, server: LivekpiServer, traffic: Traffic, producing: Producing) -> None:
    server.start()
    server.wait_until_it_answers()
    server.until(lambda: server.count() > 0)
    if how == "killed":
        kafka.process.kill()
    else:
        kafka.process.suspend()
    back = time.monotonic() + OUTAGE_S
    server.until(lambda: not server.ready())
    while time.monotonic() < back:
        time.sleep(0.2)
        assert server.get("/healthz")
        assert server.count() > 0
    kafka.mend()
    producing.stop()
    server.until_all_are_counted(traffic)
    server.until(server.ready)
    server.check(traffic)


def test_a_topic_made_anew_is_counted_from_its_beginning(kafka: KafkaServer, tmp_path: Path) -> None:
    """Its offsets lie before those that are known."""
    topic = kafka.create_topic()
    server = LivekpiServer(tmp_path, COUNTED.format(brokers=kafka.brokers, topic=topic))

    def produce(events: int) -> None:
        producer = kafka.producer()
        for _ in range(events):
            producer.produce(topic, b'{"ts": "2026-03-01T12:00:00Z"}')
        assert producer.flush(30) == 0

    def counted() -> int:
        return sum(point["value"] for point in server.get("/v1/kpis/events?from=2026-03-01T12:00:00Z&to=2026-03-01T13:00:00Z")["points"])

    produce(100)
    server.start()
    server.wait_until_it_answers()
    server.until(lambda: counted() == 100)
    kafka.delete_topic(topic)
    server.until(lambda: not server.ready())
    kafka.create_topic(topic)
    produce(20)
    server.until(lambda: counted() == 120)
    server.close()
