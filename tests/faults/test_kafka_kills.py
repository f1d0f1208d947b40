"""Killed at any moment, again and again, while events come in over Kafka: the numbers end as if nothing had been."""

import os
import random
import time

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import Traffic

KILLS = int(os.environ.get("LIVEKPI_TEST_KILLS", "50"))


@pytest.mark.timeout(120 + 10 * KILLS)
def test_killed_again_and_again(rng: random.Random, server: LivekpiServer, traffic: Traffic, producing: Producing) -> None:
    for _ in range(KILLS):
        server.start()
        if rng.random() < 0.7:
            server.wait_until_it_answers()
        time.sleep(rng.uniform(0, 1.5))
        server.process.kill()
    producing.stop()
    assert server.count() > len(traffic.all_events) / 4, "too little was read between the kills for them to mean anything"
    server.run_once()
    server.check(traffic)
