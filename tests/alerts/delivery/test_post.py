import http.client
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from livekpi.alerts.delivery.post import Poster, is_public
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.alerts.made import NOW_US, SECOND_US
from tests.servers.ports import free_ports

TLS = Path(__file__).parents[1] / "tls"
NAME = "receiver.example.com"
"""A name that only the tests' resolvers know."""


def here(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def post(receiver: HttpReceiver, *, timeout_s: float = 5.0) -> Outcome:
    return Poster(f"{receiver.url}/hook?a=1", allow_private=True, timeout_s=timeout_s).post(b"body", {"X-Own": "1"}, NOW_US)


def test_it_posts_and_says_who_it_is(receiver: HttpReceiver) -> None:
    assert post(receiver) == Sent()
    [request] = receiver.requests
    assert (request.path, request.body) == ("/hook?a=1", b"body")
    assert (request.headers["Host"], request.headers["User-Agent"], request.headers["X-Own"]) == (
        f"127.0.0.1:{receiver.port}", "livekpi", "1",
    )  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_begins_with_2_is_sent(receiver: HttpReceiver, status: int) -> None:
    receiver.answers = [Answer(status, body=b"")]
    assert post(receiver) == Sent()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again(receiver: HttpReceiver, status: int) -> None:
    receiver.answers = [Answer(status, body=b"try\r\n later\x00")]
    assert post(receiver) == TryAgain(f"127.0.0.1 answered {status}: try later")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_what_is_refused_stays_refused(receiver: HttpReceiver, status: int) -> None:
    receiver.answers = [Answer(status, body=b"no")]
    assert post(receiver) == NeverWillBe(f"127.0.0.1 answered {status}: no")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: HttpReceiver, status: int) -> None:
    with HttpReceiver() as other:
        receiver.answers = [Answer(status, {"Location": other.url})]
        outcome = post(receiver)
        assert isinstance(outcome, NeverWillBe)
        assert "follows no redirect" in outcome.reason
        assert other.requests == []


@pytest.mark.parametrize(
    ("given", "after_us"),
    [
        ("7", 7 * SECOND_US),
        (" 120 ", 120 * SECOND_US),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60 * SECOND_US),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("Fri, 99 Jan 2027 08:01:00 GMT", None),
        ("1" * 50, None),
    ],
)
def test_how_long_a_receiver_wants_to_be_left_alone(receiver: HttpReceiver, given: str, after_us: int | None) -> None:
    receiver.answers = [Answer(429, {"Retry-After": given}, b"")]
    assert post(receiver) == TryAgain("127.0.0.1 answered 429", after_us)


def test_an_answer_without_an_end_is_not_read_to_its_end(receiver: HttpReceiver) -> None:
    receiver.answers = [Answer(400, body=b"x" * 10_000_000)]
    outcome = post(receiver)
    assert isinstance(outcome, NeverWillBe)
    assert len(outcome.reason) < 400


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(drips=True)])
def test_no_receiver_holds_it_up(receiver: HttpReceiver, answer: Answer) -> None:
    receiver.answers = [answer]
    began = time.monotonic()
    assert isinstance(post(receiver, timeout_s=0.3), TryAgain)
    assert time.monotonic() - began < 10


def test_nobody_there_is_tried_again() -> None:
    [port] = free_ports(1)
    outcome = Poster(f"http://127.0.0.1:{port}/secret", allow_private=True).post(b"", {}, NOW_US)
    assert isinstance(outcome, TryAgain)
    assert outcome.reason.startswith("127.0.0.1 does not answer: ")
    assert "secret" not in outcome.reason


def test_nonsense_for_an_answer_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        outcome = Poster(f"http://127.0.0.1:{server.getsockname()[1]}", allow_private=True).post(b"", {}, NOW_US)
        thread.join()
    assert isinstance(outcome, TryAgain)


def test_a_name_that_is_not_known_is_tried_again() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror("no such name")

    assert Poster(f"http://{NAME}", allow_private=True, resolve=unknown).post(b"", {}, NOW_US) == TryAgain(
        f"{NAME} can't be looked up: no such name"
    )


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver: HttpReceiver) -> None:
    asked: list[str] = []

    def once(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    assert Poster(f"http://{NAME}:{receiver.port}", allow_private=True, resolve=once).post(b"", {}, NOW_US) == Sent()
    assert asked == [NAME]
    assert receiver.requests[0].headers["Host"] == f"{NAME}:{receiver.port}"


def test_an_address_that_does_not_listen_is_passed_over(receiver: HttpReceiver) -> None:
    def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.9", "127.0.0.1"]

    assert Poster(f"http://{NAME}:{receiver.port}", allow_private=True, resolve=two).post(b"", {}, NOW_US) == Sent()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.7"], ["::1"]])
def test_a_private_address_is_refused(receiver: HttpReceiver, addresses: list[str]) -> None:
    poster = Poster(f"http://{NAME}:{receiver.port}", allow_private=False, resolve=lambda host, port: addresses)
    outcome = poster.post(b"", {}, NOW_US)
    assert outcome == NeverWillBe(f"{NAME} is at {addresses[-1]}, a private address; `allow_private: true` lets livekpi post to it")
    assert receiver.requests == []


@pytest.mark.parametrize("host", [".example.com", f"{'a' * 64}.example.com"])
def test_what_can_not_be_a_name_is_refused(host: str) -> None:
    poster = Poster(f"http://{host}/x", allow_private=False)
    assert poster.post(b"", {}, NOW_US) == NeverWillBe(f"{host} can't be the name of a host")


def test_each_time_it_is_looked_at_anew(receiver: HttpReceiver) -> None:
    found = [["93.184.216.34"], ["127.0.0.1"]]
    poster = Poster(f"http://{NAME}:{receiver.port}", allow_private=False, resolve=lambda host, port: found.pop(), timeout_s=0.2)
    assert isinstance(poster.post(b"", {}, NOW_US), NeverWillBe)
    assert receiver.requests == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::"),
        *("64:ff9b::a00:1", "2001:db8::1", "::7f00:1", "64:ff9b:1::1", "::ffff:0:7f00:1", "fec0::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_name_and_password_in_the_address_go_in_a_header(receiver: HttpReceiver) -> None:
    assert Poster(f"http://me:p%40ss@127.0.0.1:{receiver.port}/", allow_private=True).post(b"", {}, NOW_US) == Sent()
    assert receiver.requests[0].headers["Authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss
    assert receiver.requests[0].headers["Host"] == f"127.0.0.1:{receiver.port}"


def test_the_certificate_is_checked_against_the_name() -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    asked: list[str | None] = []
    serving.sni_callback = lambda _socket, name, _context: asked.append(name)
    trusting = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    with HttpReceiver(serving) as receiver:
        right = Poster(f"https://{NAME}:{receiver.port}", allow_private=True, resolve=here, context=trusting)
        assert right.post(b"", {}, NOW_US) == Sent()
        assert asked == [NAME]
        other = Poster(f"https://other.example.com:{receiver.port}", allow_private=True, resolve=here, context=trusting)
        assert "certificate verify failed" in str(other.post(b"", {}, NOW_US))
        unknown = Poster(f"https://{NAME}:{receiver.port}", allow_private=True, resolve=here)
        assert "certificate verify failed" in str(unknown.post(b"", {}, NOW_US))
        assert len(receiver.requests) == 1


def test_a_proxy_of_the_environment_is_not_asked(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(receiver) == Sent()


def test_the_default_port_is_not_said() -> None:
    assert Poster("https://example.com/x", allow_private=False)._headers["Host"] == "example.com"
    assert Poster("https://example.com/x", allow_private=False)._port == http.client.HTTPS_PORT
