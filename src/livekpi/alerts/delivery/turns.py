"""Whose turn it is among the messages that wait for one receiver, and how soon: pure, so that a test can play it through."""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from livekpi.alerts.delivery.outbox import Waiting
from livekpi.clock import due

SHORTEST_US = 1_000_000
LONGEST_US = 15 * 60 * 1_000_000
ASKED_US = 60 * 60 * 1_000_000
"""The longest that a receiver is left alone because it asks for it."""
_MINUTE_US = 60 * 1_000_000


def backoff_us(failures: int, rng: random.Random) -> int:
    """How long to wait after so many failures in a row: anything from 1 µs to a bound that doubles from 1 s to 15 min.

    Full jitter, as in Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015): receivers that come back are not all
    asked at once.
    """
    return rng.randint(1, min(LONGEST_US, SHORTEST_US << min(failures - 1, 20)))


@dataclass
class Turns:
    """What is known of one receiver; all of it may be lost, as a restart does."""

    rate: int | None
    """Messages a minute; None where there is no bound: then all that waits goes at once."""
    failures: int = 0
    """In a row."""
    rests_until_us: int = 0
    asked: bool = False
    """Whether the receiver itself asked for the rest."""
    _ours: set[int] = field(default_factory=set)
    """Numbers that are put off because they failed here: they need not wait once the receiver is back."""
    _sent_us: deque[int] = field(default_factory=deque)
    _crowded: bool = False
    """Whether messages had to wait, for the rate or for the receiver to be back: the next is a digest."""
    _apart: set[int] = field(default_factory=set)
    """Numbers of a digest that was refused: each is tried alone, as the refusal may mean any of them."""

    def next(self, waiting: Sequence[Waiting], now_us: int) -> Sequence[Waiting] | int | None:
        """What to send now; or how long to wait, in µs; or None where nothing waits.

        What is told of one key keeps its order. Among keys the oldest goes first; where a receiver fails, what was tried less often,
        so that a message it chokes on holds up no other. One that is new is tried at once, unless the receiver asked to be left alone.
        """
        self._ours.intersection_update(each.message.number for each in waiting)
        self.rests_until_us = min(self.rests_until_us, now_us + ASKED_US)  # a clock that was set back makes no rest longer
        rest_us = self.rests_until_us - now_us
        waits_us = {head.message.number: self._put_off_us(head, rest_us, now_us) for head in self._heads(waiting)}
        heads = [each for each in waiting if waits_us.get(each.message.number, 1) <= 0]
        if not heads:
            return min(waits_us.values(), default=None)
        chosen = min(heads, key=lambda head: head.attempts)
        if chosen.message.number in self._apart:
            return [chosen]
        full_us = self._full_for_us(now_us)
        if full_us > 0:
            self._crowded = True
            return full_us
        if self._crowded or (self.rate is None and self.failures == 0):
            return self._together(waiting, now_us)
        return [chosen]

    def _together(self, waiting: Sequence[Waiting], now_us: int) -> Sequence[Waiting]:
        """All that is due, in order: nothing that goes before what is put off and of its key."""
        later: set[str] = set()
        found = []
        for each in waiting:
            if each.message.key in later or self._put_off_us(each, 0, now_us) > 0:
                later.add(each.message.key)
            else:
                found.append(each)
        return found

    def _put_off_us(self, head: Waiting, rest_us: int, now_us: int) -> int:
        """How long a message is to wait before it is tried."""
        if head.attempts == 0:
            rest_us = rest_us if self.asked else 0
        put_off_us = 0 if head.message.number in self._ours else head.not_before_us - now_us
        return max(rest_us, put_off_us if put_off_us <= ASKED_US else 0)

    def sent(self, numbers: Sequence[int], now_us: int) -> None:
        """The receiver has these."""
        back = self.failures > 0
        self._note(numbers, now_us)
        self._apart.difference_update(numbers)
        self.answered()
        self._crowded = back  # of what has been waiting meanwhile all at once, for most of it is no news any more

    def answered(self) -> None:
        """The receiver is there: nothing is put off for its sake."""
        self.failures = self.rests_until_us = 0
        self.asked = False

    def failed(self, numbers: Sequence[int], now_us: int, after_us: int | None, rng: random.Random) -> int:
        """The receiver did not take these; returns until when it is let rest."""
        self._note(numbers, now_us)
        self._ours.update(numbers)
        self.failures += 1
        self.asked = after_us is not None
        rest_us = max(min(after_us or 0, ASKED_US), backoff_us(self.failures, rng))
        self.rests_until_us = now_us + rest_us
        return self.rests_until_us

    def refused(self, numbers: Sequence[int], now_us: int) -> bool:
        """The receiver refused these; whether that is the last word, which for a digest it is not."""
        self._note(numbers, now_us)
        if len(numbers) > 1:
            self._apart.update(numbers)
            return False
        self._apart.difference_update(numbers)
        return True

    def _note(self, numbers: Sequence[int], now_us: int) -> None:
        self._crowded = False
        if not self._apart.intersection(numbers):
            self._sent_us.append(now_us)

    def _full_for_us(self, now_us: int) -> int:
        """How long until another message is within the rate."""
        while self._sent_us and due(now_us, self._sent_us[0], _MINUTE_US):
            self._sent_us.popleft()
        return 0 if self.rate is None or len(self._sent_us) < self.rate else self._sent_us[0] + _MINUTE_US - now_us

    @staticmethod
    def _heads(waiting: Sequence[Waiting]) -> list[Waiting]:
        """The oldest of each key."""
        found: dict[str, Waiting] = {}
        for each in waiting:
            found.setdefault(each.message.key, each)
        return list(found.values())
