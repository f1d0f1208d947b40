"""Fixtures that hand out real servers; a server that can't be had skips the test, with the reason."""

import itertools
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.alerts.http_receiver import HttpReceiver
from tests.servers.alertmanager_server import AlertmanagerServer, start_alertmanager
from tests.servers.kafka_server import KafkaServer, start_kafka
from tests.servers.nursery import Nursery
from tests.servers.offering import offered
from tests.servers.process import Running
from tests.servers.spark_server import SparkServer, start_spark


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Starts livekpi, as often as a test asks, without waiting for its imports each time; shared by the run."""
    found = Nursery(tmp_path_factory.mktemp("nursery") / "log")
    yield found
    found.close()


@pytest.fixture(scope="session")
def _kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with offered("Kafka", partial(start_kafka, tmp_path_factory.mktemp("kafka"))) as server:
        yield server


@pytest.fixture
def kafka(_kafka_server: KafkaServer) -> Iterator[KafkaServer]:
    """A running broker, shared by the run; a test may kill or suspend it, and takes topics of its own."""
    yield _kafka_server
    _kafka_server.mend()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    """A running master and worker, shared by a module's tests."""
    with offered("Spark", partial(start_spark, tmp_path_factory.mktemp("spark"))) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """One that says yes to whatever is posted."""
    with HttpReceiver() as started:
        yield started


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Callable[[str], AlertmanagerServer]]:
    """Starts an Alertmanager that tells a webhook, as often as it is called; all are ended with the test."""
    directories = (tmp_path / f"alertmanager-{number}" for number in itertools.count())
    with ExitStack() as started:

        def start(webhook: str) -> AlertmanagerServer:
            own = next(directories)
            own.mkdir()
            return started.enter_context(offered("Alertmanager", partial(start_alertmanager, own, webhook)))

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what servers said last under the report of a test that failed."""
    report = yield
    if report.failed:
        given = getattr(item, "funcargs", {}).values()
        processes = {value if isinstance(value, Running) else getattr(value, "process", None) for value in given}
        report.sections += [(f"log of {process.log}", process.tail()) for process in processes if isinstance(process, Running)]
    return report
