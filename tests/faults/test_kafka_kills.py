"""Killed at any moment, again and again, while events come in over Kafka: the numbers end as if nothing had been."""

import random

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import Traffic


@pytest.mark.timeout(900)
def test_killed_again_and_again(rng: random.Random, kills: int, server: LivekpiServer, traffic: Traffic, producing: Producing) -> None:
    server.many_lives(rng, kills)
    producing.stop()
    assert server.count() > len(traffic.all_events) / 4, "too little was read between the kills for them to mean anything"
    server.run_once()
    server.check(traffic)
