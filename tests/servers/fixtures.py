"""Fixtures that hand out real servers; a server that can't be had skips the test, with the reason."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.servers.alertmanager_server import AlertmanagerServer, start_alertmanager
from tests.servers.cache import UnavailableError
from tests.servers.kafka_server import KafkaServer, start_kafka
from tests.servers.process import Process
from tests.servers.spark_server import SparkServer, start_spark


@pytest.fixture(scope="session")
def _kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    try:
        server = start_kafka(tmp_path_factory.mktemp("kafka"))
    except UnavailableError as error:
        pytest.skip(f"no Kafka: {error}")
    yield server
    server.close()


@pytest.fixture
def kafka(_kafka_server: KafkaServer) -> Iterator[KafkaServer]:
    """A running broker, shared by the run; a test may kill or suspend it, and takes topics of its own."""
    yield _kafka_server
    _kafka_server.mend()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    """A running master and worker, shared by a module's tests."""
    try:
        server = start_spark(tmp_path_factory.mktemp("spark"))
    except UnavailableError as error:
        pytest.skip(f"no Spark: {error}")
    yield server
    server.close()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Callable[[str], AlertmanagerServer]]:
    """Starts an Alertmanager that tells a webhook, as often as it is called; all are ended with the test."""
    started: list[AlertmanagerServer] = []

    def start(webhook: str) -> AlertmanagerServer:
        own = tmp_path / f"alertmanager-{len(started)}"
        own.mkdir()
        try:
            started.append(start_alertmanager(own, webhook))
        except UnavailableError as error:
            pytest.skip(f"no Alertmanager: {error}")
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what servers said last under the report of a test that failed."""
    report = yield
    if report.failed:
        given = getattr(item, "funcargs", {}).values()
        processes = {value if isinstance(value, Process) else getattr(value, "process", None) for value in given}
        report.sections += [(f"log of {process.log}", process.tail()) for process in processes if isinstance(process, Process)]
    return report
