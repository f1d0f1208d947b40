"""SIGTERM: what has been read is committed, and it ends with 0 within 5 s, whatever the broker does."""

import json
import os
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import Traffic
from tests.servers.kafka_server import KafkaServer

STOP_S = 5
PARTS_S = 4
"""How long its parts together may take to end."""


def test_stopped_again_and_again(rng: random.Random, server: LivekpiServer, traffic: Traffic, producing: Producing) -> None:
    for _ in range(5):
        server.start()
        server.wait_until_it_answers()
        time.sleep(rng.uniform(0, 1))
        server.process.terminate()
        assert server.process.wait(STOP_S) == 0
    producing.stop()
    server.run_once()
    server.check(traffic)


@pytest.mark.parametrize("how", ["gone", "silent"])
def test_stopped_while_the_broker_does_not_answer(how: str, kafka: KafkaServer, server: LivekpiServer, producing: Producing) -> None:
    server.start()
    server.wait_until_it_answers()
    server.until(lambda: server.count() > 0)
    if how == "gone":
        kafka.process.kill()
    else:
        kafka.process.suspend()
    time.sleep(2)  # long enough to have noticed
    server.process.terminate()
    assert server.process.wait(STOP_S) == 0
    kafka.mend()
    producing.stop()


RULES = 12
FLAPPING = """
sources:
  s: { file: { path: events.ndjson }, time: at, fields: { at: timestamp, n: integer } }
kpis:
  n: { value: sum(n), every: 1m }
keep: { 1m: 10y }
alerts:
""" + "".join(f"  r{rule}: {{ when: n > 0, severity: info, title: it flaps }}\n" for rule in range(RULES))


def test_stopped_while_it_tries_rules_on_history(tmp_path: Path) -> None:
    """What computes without the store can't be interrupted."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = (f'{{"at": "{(start + timedelta(minutes=at)).isoformat()}", "n": {at % 2}}}\n' for at in range(200_000))
    (tmp_path / "events.ndjson").write_text("".join(lines))
    server = LivekpiServer(tmp_path, FLAPPING)
    server.run_once()
    server.start()
    server.wait_until_it_answers()
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        connection = HTTPConnection(server.address, timeout=60)
        connection.request("POST", "/v1/backtest", json.dumps({"definition": FLAPPING}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answers.append((answer.status, answer.read().decode()))

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(2)  # it takes far longer, and is somewhere in it
    assert asking.is_alive()
    server.process.terminate()
    assert server.process.wait(STOP_S) == 0
    asking.join(30)
    [(status, text)] = answers
    assert (status, "the server is stopping" in text) == (503, True)


def test_stopped_while_its_changed_file_takes_long_to_load(tmp_path: Path) -> None:
    """It leaves the other parts their time."""
    server = LivekpiServer(
        tmp_path, "sources: { s: { http: {}, time: at, fields: { at: timestamp } } }\nkpis: { n: { value: count(*), every: 1m } }\n"
    )
    server.start()
    server.wait_until_it_answers()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe").rename(tmp_path / "definition.yaml")  # which nobody writes to
    time.sleep(2)  # until it is opened
    server.process.terminate()
    assert server.process.wait(PARTS_S - 0.5) == 0
