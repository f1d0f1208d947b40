"""The broker is gone for a while, and back: livekpi lives on, and goes on where it was."""

import os
import time

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import Traffic
from tests.servers.kafka_server import KafkaServer

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
