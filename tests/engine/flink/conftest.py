"""A Flink cluster for a module's tests."""

from collections.abc import Iterator

import pytest

from tests.servers.cache import UnavailableError
from tests.servers.flink_server import FlinkServer, start_flink


@pytest.fixture(scope="module")
def _flink_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkServer]:
    try:
        server = start_flink(tmp_path_factory.mktemp("flink"))
    except UnavailableError as error:
        pytest.skip(f"no Flink: {error}")
    yield server
    server.close()


@pytest.fixture
def flink(_flink_server: FlinkServer) -> Iterator[FlinkServer]:
    """A running cluster, shared by a module's tests; one may kill its TaskManager. Their jobs are cancelled."""
    yield _flink_server
    _flink_server.mend()
