"""Posts to a receiver over HTTP: to an address that was looked at, within a time, whatever the receiver does."""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain

TIMEOUT_S = 5.0
"""For all of one request: to connect, to send, to hear the answer."""
_ANSWER_BYTES = 65_536
_SAID_CHARACTERS = 300
"""How much of an answer stands in a reason."""
_ADDRESSES = 4
"""How many of a name's addresses are tried before the receiver is taken to be away."""
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is given out of IPv6 (RFC 4291, 2.4); beyond it, only NAT64 leads to the public internet."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}

Resolve = Callable[[str, int], Sequence[str]]
"""From a host's name and a port to its addresses; raises OSError, or UnicodeError for what can't be a name."""


def resolved(host: str, port: int) -> Sequence[str]:
    """A name's addresses, as the machine finds them. Raises OSError, or UnicodeError for what can't be a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class Answer:
    """What a receiver said."""

    status: int
    retry_after: str | None
    text: str


class Poster:
    """Posts to one URL, each time on a connection of its own, which follows no redirect and heeds no proxy.

    A name is looked up once a request, and the connection goes to one of the addresses found: a name that means another
    address a moment later can't lead past the check.
    """

    def __init__(
        self,
        url: str,
        *,
        allow_private: bool,
        resolve: Resolve = resolved,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Unless `allow_private`, nothing is sent to addresses that are not of the public internet."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.host = parts.hostname
        """What stands in reasons in place of the URL, which may hold a secret."""
        self._tls = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        user, at, place = parts.netloc.rpartition("@")
        self._headers = {"Host": place, "User-Agent": "livekpi", "Connection": "close"}
        if at:
            self._headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
        self._allow_private, self._resolve, self._timeout_s = allow_private, resolve, timeout_s

    def post(self, body: bytes, headers: Mapping[str, str], now_us: int) -> Outcome:
        """Sends a body; raises nothing that the network does."""
        try:
            addresses = self._resolve(self.host, self._port)
        except OSError as error:
            return TryAgain(f"{self.host} can't be looked up: {_said(error)}")
        except UnicodeError:  # of a label that is empty or longer than 63
            return NeverWillBe(f"{self.host} can't be the name of a host")
        private = [address for address in addresses if not self._allow_private and not is_public(address)]
        if private:
            return NeverWillBe(f"{self.host} is at {private[0]}, a private address; `allow_private: true` lets livekpi post to it")
        try:
            return outcome(self.host, self._exchange(addresses, body, headers), now_us)
        except (OSError, http.client.HTTPException) as error:
            return TryAgain(f"{self.host} does not answer: {_said(error)}")

    def _exchange(self, addresses: Sequence[str], body: bytes, headers: Mapping[str, str]) -> Answer:
        with self._connected(addresses) as connection, _ended_after(connection, self._timeout_s):
            wrapped = connection if self._tls is None else self._tls.wrap_socket(connection, server_hostname=self.host)
            with closing(http.client.HTTPConnection(self.host, self._port)) as exchange:
                exchange.sock = wrapped
                exchange.request("POST", self._target, body, {**self._headers, **headers})
                response = exchange.getresponse()
                text = response.read(_ANSWER_BYTES).decode(errors="replace")
                return Answer(response.status, response.headers["Retry-After"], text)

    @contextmanager
    def _connected(self, addresses: Sequence[str]) -> Iterator[socket.socket]:
        """A connection to the first address that takes one: the receiver may listen on one of its addresses only."""
        tried = addresses[:_ADDRESSES]
        for number, address in enumerate(tried, 1):
            try:
                connection = socket.create_connection((address, self._port), self._timeout_s / len(tried))
            except OSError:
                if number == len(tried):
                    raise
                continue
            connection.settimeout(self._timeout_s)
            with connection:
                yield connection
                return
        raise OSError("its name has no address")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and holds no address within it that is not."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if found not in _GLOBAL_UNICAST:
            return False
    return found.is_global and not found.is_multicast


def outcome(host: str, answer: Answer, now_us: int) -> Outcome:
    """What a status means: 2xx is taken, 408, 425, 429 and 5xx come again, everything else is refused for good."""
    if HTTPStatus(200) <= answer.status < HTTPStatus(300):
        return Sent()
    line = " ".join(re.sub(r"[^\S ]|[\x00-\x1f\x7f]", " ", answer.text).split())[:_SAID_CHARACTERS]
    reason = f"{host} answered {answer.status}{f': {line}' if line else ''}"
    if answer.status in _LATER or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryAgain(reason, _after_us(answer.retry_after, now_us))
    if answer.status < HTTPStatus.BAD_REQUEST:
        return NeverWillBe(f"{reason}; livekpi follows no redirect: write the address it leads to")
    return NeverWillBe(reason)


def _after_us(given: str | None, now_us: int) -> int | None:
    """What Retry-After asks for (RFC 9110, 10.2.3): seconds, or a date."""
    if given is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", given):
        return int(given) * 1_000_000
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, round((at - datetime.fromtimestamp(now_us / 1_000_000, UTC)).total_seconds() * 1_000_000))


@contextmanager
def _ended_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Breaks a connection off after a time: a receiver that sends a byte now and then would hold it for ever. Raises TimeoutError."""
    other = connection.dup()  # TLS takes the first one over
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(OSError):  # it may have ended by itself
            other.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        other.close()
    if over.is_set():  # what was read may look whole: headers end where the connection does
        raise TimeoutError(f"no whole answer within {seconds:g} s")


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
