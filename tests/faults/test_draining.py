"""A server that is stopping says so for a moment, on connections new and old, before nobody answers; and it ends in time."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.servers.nursery import Installed

STOP_S = 5
FILES = 64
FEW_FILES = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES})); from livekpi.cli import main; main()"
SHOP = """
sources:
  shop:
    http: {}
    time: ts
    fields: { ts: timestamp }
kpis:
  every_event: { value: count(*), every: 1m }
"""
EVENT = b'{"ts":"2026-03-01T12:00:00Z"}'
HEAD = b"POST /v1/events/shop HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(EVENT)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LivekpiServer]:
    found = LivekpiServer(tmp_path, SHOP)
    try:
        found.start()
        found.wait_until_it_answers()
        yield found
    finally:
        found.close()


def test_it_says_that_it_is_stopping_before_nobody_answers(server: LivekpiServer) -> None:
    kept = HTTPConnection(server.address, timeout=30)
    with socket.create_connection(("127.0.0.1", kept.port), timeout=30) as slow:
        slow.sendall(HEAD)
        assert asked(kept)[0] == 200  # so the head has been heard too
        begun = time.monotonic()
        server.process.terminate()
        while (last := asked(kept))[0] == 200:
            pass
        assert last == (503, "server: it is stopping", "close")
        slow.sendall(EVENT)
        taken = HTTPResponse(slow)
        taken.begin()
        assert taken.status == 202
        kept.close()
        assert server.process.wait(STOP_S) == 0
    assert time.monotonic() - begun < STOP_S
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", kept.port), timeout=30)
    server.run_once()
    assert server.count() == 1


def asked(connection: HTTPConnection) -> tuple[int, str, str | None]:
    """What /readyz says on this connection: the status, why not, and whether it is closed."""
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    return response.status, json.loads(response.read()).get("detail", ""), response.headers["connection"]


def test_with_few_files_connections_wait_and_the_log_stays_short(tmp_path: Path) -> None:
    server = LivekpiServer(tmp_path, SHOP, Installed([sys.executable, "-c", FEW_FILES]))
    port = int(server.address.rpartition(":")[2])
    waiting: list[socket.socket] = []
    try:
        server.start()
        server.wait_until_it_answers()
        waiting += [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(2 * FILES)]
        server.until(lambda: "new connections wait until others end" in server.process.tail())
        asks = HTTPConnection(server.address, timeout=30)
        asks.request("POST", "/v1/events/shop", EVENT)  # behind all the others
        time.sleep(3)  # time for a flood
        for each in waiting:
            each.close()
        answer = asks.getresponse()
        assert (answer.status, json.loads(answer.read())["accepted"]) == (202, 1)
        asks.close()
        server.until(lambda: server.count() == 1)
        lines = server.process.tail().splitlines()
        assert len([line for line in lines if "new connections wait" in line]) == 1
        assert len(lines) < 20, lines
        server.process.terminate()
        assert server.process.wait(STOP_S) == 0
    finally:
        for each in waiting:
            each.close()
        server.close()
