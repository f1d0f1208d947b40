"""A livekpi on a topic of its own, and a shop that keeps writing to it."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.producing import Producing
from tests.faults.traffic import DEFINITION, SECOND_US, Traffic
from tests.servers.kafka_server import KafkaServer
from tests.servers.nursery import Nursery

PARTITIONS = 3
RATE = 1_500


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """The same in every run, unless LIVEKPI_TEST_SEED says otherwise."""
    return random.Random(os.environ.get("LIVEKPI_TEST_SEED", "") + request.node.name)


@pytest.fixture
def kills() -> int:
    """How often a server is killed; LIVEKPI_TEST_KILLS says otherwise."""
    return int(os.environ.get("LIVEKPI_TEST_KILLS", "50"))


@pytest.fixture
def topic(kafka: KafkaServer) -> str:
    return kafka.create_topic(partitions=PARTITIONS)


@pytest.fixture
def server(kafka: KafkaServer, topic: str, nursery: Nursery, tmp_path: Path) -> Iterator[LivekpiServer]:
    """Not started yet."""
    source = f'kafka: {{ brokers: "{kafka.brokers}", topic: {topic} }}'
    livekpi = LivekpiServer(tmp_path, DEFINITION.format(source=source), nursery)
    yield livekpi
    livekpi.close()


@pytest.fixture
def begin_us() -> int:
    """Three hours ago: time in the traffic goes faster than the clock."""
    return (time.time_ns() // 1_000_000_000 - 3 * 3_600) * SECOND_US


@pytest.fixture
def traffic(rng: random.Random, begin_us: int) -> Traffic:
    return Traffic(rng, begin_us)


@pytest.fixture
def producing(kafka: KafkaServer, topic: str, traffic: Traffic) -> Iterator[Producing]:
    with Producing(kafka, topic, PARTITIONS, traffic, RATE) as begun:
        yield begun
