"""What every notifier is: something that hands a message to one receiver."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from livekpi.alerts.message import Message


@dataclass(frozen=True)
class Sent:
    """The receiver has it."""


@dataclass(frozen=True)
class TryAgain:
    """The receiver does not take it now."""

    reason: str
    after_us: int | None = None
    """How long it asks to be left alone, where it does."""


@dataclass(frozen=True)
class NeverWillBe:
    """The receiver refuses it, and would refuse it again: a wrong key, a wrong address."""

    reason: str


Outcome = Sent | TryAgain | NeverWillBe


class Notifier(Protocol):
    """Tells one receiver. Used by one thread; a call ends within some seconds, whatever the receiver does, and raises nothing."""

    @property
    def resend_us(self) -> int | None:
        """How often what fires is to be told again, for receivers that forget what they do not hear of; else None."""

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        """Hands over one message, or several as a digest, oldest first."""

    def close(self) -> None: ...
