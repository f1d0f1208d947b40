from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import Served, served
from tests.web.world import Client, World, client_of, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with client_of(world) as client:
        yield client


@pytest.fixture
def shop(tmp_path: Path, receiver: HttpReceiver) -> Iterator[Served]:
    with served(tmp_path, receiver) as shop:
        yield shop
