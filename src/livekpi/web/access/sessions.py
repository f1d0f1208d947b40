"""Sessions: what a browser holds in place of a token; and how often a wrong token may be tried.

Both are kept in memory, on the event loop only: they end with the server.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from livekpi.clock import Clock
from livekpi.web.access.tokens import Scope

LIFE_S = 30 * 86_400
MOST_SESSIONS = 1_000
TRIES = 10
PAUSE_S = 60
"""So many wrong tokens may come from one address in so many seconds."""
_MOST_ADDRESSES = 10_000
_NOTHING: frozenset[Scope] = frozenset()


def _random_name() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class _Session:
    scopes: frozenset[Scope]
    ends_us: int


class Sessions:
    """Names that nobody can guess, and what each opens; past so many the oldest is forgotten."""

    def __init__(self, clock: Clock, make_name: Callable[[], str] = _random_name) -> None:
        self._clock, self._make_name = clock, make_name
        self._sessions: dict[str, _Session] = {}

    def open(self, scopes: frozenset[Scope]) -> str:
        """Begins a session; returns its name."""
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        name = self._make_name()
        self._sessions[name] = _Session(scopes, self._clock.now_us() + LIFE_S * 1_000_000)
        return name

    def scopes(self, name: str) -> frozenset[Scope]:
        """What a session opens; nothing where there is none of that name, or none any more."""
        found = self._sessions.get(name)
        if found is None:
            return _NOTHING
        if found.ends_us <= self._clock.now_us():
            del self._sessions[name]
            return _NOTHING
        return found.scopes

    def close(self, name: str) -> None:
        """Ends a session; nothing where there is none of that name."""
        self._sessions.pop(name, None)


class Attempts:
    """The wrong tokens of late, by the address that sent them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, deque[int]] = {}

    def wait_s(self, address: str) -> int:
        """How long an address must wait before it may try again, in whole seconds; 0 where it may now."""
        failures, now_us = self._failures.get(address), self._clock.now_us()
        if failures is None or len(failures) < TRIES:
            return 0
        return max(0, -((now_us - failures[0] - PAUSE_S * 1_000_000) // 1_000_000))

    def failed(self, address: str) -> None:
        """Remembers a wrong token; past so many addresses the one that has been silent longest is forgotten."""
        failures = self._failures.pop(address, None) or deque(maxlen=TRIES)
        failures.append(self._clock.now_us())
        self._failures[address] = failures
        if len(self._failures) > _MOST_ADDRESSES:
            del self._failures[next(iter(self._failures))]
