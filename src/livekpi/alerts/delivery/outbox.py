"""What waits to be told, as delivery sees it: kept in the store, written in the transaction of the judgement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from livekpi.alerts.message import Message, Notice


@dataclass(frozen=True)
class Waiting:
    """A message that a receiver has not got yet."""

    message: Message
    attempts: int
    not_before_us: int


class Outbox(Protocol):
    """Each call is one transaction; calls come from the receivers' threads."""

    def waiting(self, receiver: str) -> Sequence[Waiting]:
        """What a receiver has not got, oldest first."""

    def sent(self, receiver: str, numbers: Iterable[int], now_us: int) -> None:
        """The receiver has these."""

    def later(self, receiver: str, numbers: Iterable[int], not_before_us: int, reason: str) -> None:
        """An attempt failed; there will be another, not before that time."""

    def given_up(self, receiver: str, numbers: Iterable[int], now_us: int, reason: str) -> None:
        """These will never be had: the receiver refuses them, or was away for too long."""

    def firing(self, receiver: str) -> Sequence[Notice]:
        """What a receiver should hold as firing now, for those that must be told again and again."""
