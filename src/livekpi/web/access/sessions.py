"""Sessions: what a browser holds in place of a token. They are kept in memory, on the event loop only: they end with the server."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from livekpi.clock import Clock
from livekpi.web.access.tokens import NOTHING, Rights

LIFE_S = 30 * 86_400
MOST_SESSIONS = 1_000


def _random_name() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class _Session:
    rights: Rights
    ends_us: int


class Sessions:
    """Names that nobody can guess, and what each opens; past so many the oldest is forgotten."""

    def __init__(self, clock: Clock, make_name: Callable[[], str] = _random_name) -> None:
        self._clock, self._make_name = clock, make_name
        self._sessions: dict[str, _Session] = {}

    def open(self, rights: Rights) -> str:
        """Begins a session; returns its name."""
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        name = self._make_name()
        self._sessions[name] = _Session(rights, self._clock.now_us() + LIFE_S * 1_000_000)
        return name

    def rights(self, name: str) -> Rights:
        """What a session opens; nothing where there is none of that name, or none any more."""
        found = self._sessions.get(name)
        if found is None:
            return NOTHING
        if found.ends_us <= self._clock.now_us():
            del self._sessions[name]
            return NOTHING
        return found.rights

    def close(self, name: str) -> None:
        """Ends a session; nothing where there is none of that name."""
        self._sessions.pop(name, None)
