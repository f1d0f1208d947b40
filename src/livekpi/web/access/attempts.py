"""How often wrong tokens came of late. It is kept in memory, on the event loop only: it ends with the server."""

from collections import deque

from livekpi.clock import Clock

TRIES = 10
PAUSE_S = 60
"""So many wrong tokens may come from one address in so many seconds."""
_MOST_ADDRESSES = 10_000


class Attempts:
    """The wrong tokens of late, by the address that sent them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, deque[int]] = {}

    def wait_s(self, address: str) -> int:
        """For how long, in whole seconds, wrong tokens from an address are one too many; 0 where they are not."""
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
