"""What a running server knows of its alerts, and what people say of them."""

from collections.abc import Callable, Sequence

from livekpi.alerts import listing, words
from livekpi.alerts.ledger import Alert
from livekpi.alerts.listing import History, Shown, Wanted
from livekpi.alerts.words import Kind, Word
from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.web.backend import HistoryRequest, Judging
from livekpi.web.objects.words import Saying, say
from livekpi.web.running.cursors import Cursors


class RunningAlerts:
    """The alerts of a running server, for the web (livekpi.web.backend.Alerts)."""

    def __init__(self, cursors: Cursors, definition: Callable[[], Definition], clock: Clock, judging: Judging) -> None:
        """`definition` gives it as it is shown."""
        self._cursors, self._definition, self._clock, self._judging = cursors, definition, clock, judging

    def alert_rules(self) -> Sequence[str]:
        with self._cursors.cursor() as cursor:
            return listing.known_rules(cursor, self._definition())

    def alerts(self, wanted: Wanted) -> list[Shown]:
        with self._cursors.snapshot() as cursor:
            return listing.current(cursor, self._definition(), wanted, self._clock.now_us())

    def alerts_now(self, changed: Sequence[Alert]) -> list[Shown]:
        with self._cursors.snapshot() as cursor:
            return listing.show(cursor, self._definition(), changed, self._clock.now_us())

    def alert_history(self, request: HistoryRequest) -> History:
        with self._cursors.snapshot() as cursor:
            return listing.history(
                cursor,
                self._definition(),
                self._clock.now_us(),
                rules=request.rules,
                from_us=request.from_us,
                to_us=request.to_us,
                limit=request.limit,
            )

    def words(self, kind: Kind) -> list[Word]:
        with self._cursors.cursor() as cursor:
            return words.words(cursor, kind, self._clock.now_us())

    def say(self, saying: Saying) -> Word:
        with self._cursors.writing() as cursor:
            said = say(cursor, self._definition(), saying, self._clock.now_us())
        self._judging.wake()
        return said

    def end_word(self, kind: Kind, number: int) -> Word | None:
        with self._cursors.writing() as cursor:
            ended = words.end(cursor, kind, number, self._clock.now_us())
            found = next((word for word in words.words(cursor, kind) if word.number == number), None) if ended else None
        self._judging.wake()
        return found
