"""An outbox in memory, which does what the one in the store does."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from livekpi.alerts.delivery.outbox import Waiting
from livekpi.alerts.message import Message, Notice


@dataclass
class MemoryOutbox:
    """Of one receiver or several; `changed` is notified of each call that writes."""

    rows: dict[str, list[Waiting]] = field(default_factory=dict)
    had: list[tuple[str, int]] = field(default_factory=list)
    lost: list[tuple[str, int, str]] = field(default_factory=list)
    fires: list[Notice] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def write(self, receiver: str, *messages: Message, not_before_us: int = 0) -> None:
        with self.changed:
            self.rows.setdefault(receiver, []).extend(Waiting(message, 0, not_before_us) for message in messages)

    def waiting(self, receiver: str) -> Sequence[Waiting]:
        with self.changed:
            return list(self.rows.get(receiver, ()))

    def sent(self, receiver: str, numbers: Iterable[int], now_us: int) -> None:
        with self.changed:
            self.had += [(receiver, number) for number in self._taken(receiver, numbers)]
            self.changed.notify_all()

    def later(self, receiver: str, numbers: Iterable[int], not_before_us: int, reason: str) -> None:
        with self.changed:
            those = set(numbers)
            self.rows[receiver] = [
                replace(row, attempts=row.attempts + 1, not_before_us=not_before_us) if row.message.number in those else row
                for row in self.rows[receiver]
            ]
            self.changed.notify_all()

    def given_up(self, receiver: str, numbers: Iterable[int], now_us: int, reason: str) -> None:
        with self.changed:
            self.lost += [(receiver, number, reason) for number in self._taken(receiver, numbers)]
            self.changed.notify_all()

    def firing(self, receiver: str) -> Sequence[Notice]:
        with self.changed:
            return list(self.fires)

    def _taken(self, receiver: str, numbers: Iterable[int]) -> list[int]:
        those = list(numbers)
        assert those
        assert set(those) <= {row.message.number for row in self.rows[receiver]}
        self.rows[receiver] = [row for row in self.rows[receiver] if row.message.number not in those]
        return those
