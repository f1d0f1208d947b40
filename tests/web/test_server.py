import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from livekpi.web import server as server_module
from livekpi.web.server import Server, ServerError, parse_listen
from tests.web.answers import problem
from tests.web.streaming import serving, stream
from tests.web.world import GOOD, World, make_world

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize(
    ("text", "address"), [("127.0.0.1:8321", ("127.0.0.1", 8321)), ("[::1]:0", ("::1", 0)), ("kpi.example:65535", ("kpi.example", 65535))]
)
def test_where_to_listen(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize("text", ["", "8321", ":8321", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "::1:8321", "[]:1"])
def test_nowhere_to_listen(text: str) -> None:
    with pytest.raises(ServerError, match="expected HOST:PORT"):
        parse_listen(text)


def test_an_address_in_use(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"127.0.0.1:{port} is in use by another process"):
            Server(world.app, "127.0.0.1", port, world.app.stop)


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
def test_an_address_of_another_machine(world: World, host: str) -> None:
    with pytest.raises(ServerError, match=host):
        Server(world.app, host, 0, world.app.stop)


def test_events_over_a_real_socket(world: World) -> None:
    with serving(world) as url:
        assert httpx.post(f"{url}/v1/events/app", content=GOOD).status_code == 202
        answer = httpx.get(f"{url}/v1/kpis")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    assert world.logged() == [GOOD]


def test_a_body_over_the_limit_is_answered_while_it_is_still_sent(tmp_path: Path) -> None:
    with make_world(tmp_path) as world, serving(world) as url:
        for content in (bytes(2**24), (bytes(2**16) for _ in range(2**8))):
            problem(httpx.post(f"{url}/v1/events/app", content=content), 413)


def test_a_body_that_says_it_is_too_large_is_not_waited_for(world: World) -> None:
    with serving(world) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30) as client:
        client.sendall(b"POST /v1/events/app HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % 2**40)
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_server_may_follow_another_at_once(world: World) -> None:
    with httpx.Client() as client, serving(world) as url:
        client.get(f"{url}/healthz")  # the connection stays open, so the server is the first to close it
    Server(world.app, "127.0.0.1", int(url.rpartition(":")[2]), world.app.stop)._socket.close()


def test_it_ends_soon_with_streams_open_and_a_request_that_never_comes_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_module.DRAIN_S + server_module._GRACE_S < 4
    monkeypatch.setattr(server_module, "_GRACE_S", 1)
    server = Server(world.app, "127.0.0.1", 0, world.app.stop, drain_s=0)
    server.start()
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port))) as unfinished, stream(f"http://{server.address}") as messages:
        unfinished.sendall(b"POST /v1/events/app HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{")
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 5  # the grace, and what it takes to notice
        assert list(messages) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "web"]


def test_streams_end_at_once(world: World) -> None:
    server = Server(world.app, "127.0.0.1", 0, world.app.stop, drain_s=0)
    server.start()
    with stream(f"http://{server.address}") as messages:
        server.stop()
        assert list(messages) == []


def test_while_it_is_stopping_it_answers_that_it_is(world: World) -> None:
    server = Server(world.app, "127.0.0.1", 0, world.app.stop, drain_s=3)
    server.start()
    url = f"http://{server.address}"
    with httpx.Client(timeout=30) as kept, httpx.Client(timeout=30) as late:
        assert kept.get(f"{url}/readyz").status_code == 200
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while late.get(f"{url}/readyz").status_code == 200:
            pass
        for client in (kept, late):
            answer = client.post(f"{url}/v1/events/app", content=GOOD)
            assert problem(answer, 503) == "the server is stopping; send the request again later"
            assert (answer.headers["connection"], answer.headers["retry-after"]) == ("close", "1")
        assert problem(kept.get(f"{url}/v1/kpis"), 503)
        assert kept.get(f"{url}/healthz").status_code == 200
        stopping.join()
        with pytest.raises(httpx.ConnectError):
            kept.get(f"{url}/readyz")
    assert world.logged() == []
