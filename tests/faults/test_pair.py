"""Two servers, each with its own data, read the same topic by the same file: either may be gone, and the others see one livekpi."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from tests.alerts.http_receiver import HttpReceiver
from tests.alerts.notifiers.events_v2 import ROUTING_KEY
from tests.alerts.notifiers.events_v2 import answer as pagerduty_answer
from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import DEFINITION, Traffic
from tests.servers.alertmanager_server import AlertmanagerServer
from tests.servers.kafka_server import KafkaServer

_LIVES = 6
_STOCKS = """
sources:
  stocks:
    kafka: {{ brokers: "{brokers}", topic: {topic} }}
    time: ts
    idle: 1s
    fields: {{ ts: timestamp, sku: string, level: integer }}
kpis:
  stock: {{ value: last(level), every: 1s, by: [sku] }}
alerts:
  stock_low: {{ when: stock < 20, by: [sku], notify: [am, oncall] }}
notify:
  am: {{ alertmanager: {{ urls: ["{alertmanager}"], resend: 10s }} }}
  oncall: {{ pagerduty: {{ routing_key: "{key}", url: "{pagerduty}/v2/enqueue" }}, rate: 1000 }}
"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[[str], list[LivekpiServer]]]:
    """Makes two servers of one definition, not started yet."""
    made: list[LivekpiServer] = []

    def make(definition: str) -> list[LivekpiServer]:
        for name in ("one", "other"):
            own = tmp_path / name
            own.mkdir()
            made.append(LivekpiServer(own, definition))
        return made

    yield make
    for server in made:
        server.close()


def test_each_has_every_number_whichever_was_killed(
    rng: random.Random,
    kafka: KafkaServer,
    topic: str,
    traffic: Traffic,
    producing: Producing,
    pair: Callable[[str], list[LivekpiServer]],
) -> None:
    servers = pair(DEFINITION.format(source=f'kafka: {{ brokers: "{kafka.brokers}", topic: {topic} }}'))
    for server in servers:
        server.start()
        server.wait_until_it_answers()
    for _ in range(_LIVES):
        gone, there = rng.sample(servers, 2)
        gone.process.kill()
        there.until_it_counts_more(there.count())
        gone.start()
        gone.wait_until_it_answers()
    producing.stop()
    for server in servers:
        server.until_all_are_counted(traffic)
        server.check(traffic)


def test_their_alerts_are_one_alert(
    kafka: KafkaServer,
    topic: str,
    alertmanager: Callable[[str], AlertmanagerServer],
    pair: Callable[[str], list[LivekpiServer]],
) -> None:
    with HttpReceiver() as told, HttpReceiver(usual=pagerduty_answer) as oncall:
        am = alertmanager(told.url)
        one, other = pair(
            _STOCKS.format(brokers=kafka.brokers, topic=topic, alertmanager=am.url, pagerduty=oncall.url, key=ROUTING_KEY),
        )
        for server in (one, other):
            server.start()
            server.until(server.ready)

        level(kafka, topic, "cup", 5)
        one.until(lambda: firing(one) == firing(other) == firing(am) == ["cup"])

        one.process.kill()
        level(kafka, topic, "pot", 5)
        other.until(lambda: firing(other) == firing(am) == ["cup", "pot"])
        level(kafka, topic, "cup", 50)
        other.until(lambda: firing(other) == firing(am) == ["pot"])

        one.start()
        one.until(one.ready)
        one.until(lambda: firing(one) == firing(am) == ["pot"])
        other.process.kill()
        level(kafka, topic, "pot", 50)
        one.until(lambda: firing(one) == firing(am) == [])

        one.until(lambda: oncall.requests[-1].json["event_action"] == "resolve")  # each receiver is told by a thread of its own
        assert {request.json["dedup_key"] for request in oncall.requests} == {"livekpi/definition/stock_low"}
        one.until(lambda: statuses(told, "pot") == ["firing", "resolved"])
        assert statuses(told, "cup") == ["firing", "resolved"], "it began again when the one came back"


def level(kafka: KafkaServer, topic: str, sku: str, count: int) -> None:
    """Writes how many there are now."""
    producer = kafka.producer()
    producer.produce(topic, json.dumps({"ts": datetime.now(UTC).isoformat(), "sku": sku, "level": count}))
    assert producer.flush(30) == 0


def statuses(told: HttpReceiver, sku: str) -> list[str]:
    """What Alertmanager told of a series, each change once."""
    alerts = [alert for request in list(told.requests) for alert in request.json["alerts"]]
    return [status for status, _ in groupby(alert["status"] for alert in alerts if alert["labels"]["sku"] == sku)]


def firing(of: LivekpiServer | AlertmanagerServer) -> list[str]:
    """The series that fire there."""
    if isinstance(of, AlertmanagerServer):
        return sorted(alert["labels"]["sku"] for alert in of.alerts())
    return sorted(alert["series"]["sku"] for alert in of.get("/v1/alerts")["alerts"] if alert["status"] == "firing")
