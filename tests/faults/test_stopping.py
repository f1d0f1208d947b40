"""SIGTERM: what has been read is committed, and it ends with 0 within 5 s, whatever the broker does."""

import random
import time

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import Traffic
from tests.servers.kafka_server import KafkaServer

STOP_S = 5


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
