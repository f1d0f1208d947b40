"""What the web asks of the rest of livekpi. The running engine and its store answer it: see livekpi.web.running."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from livekpi.alerts.asking.pace import PaceRequest, Paces
from livekpi.alerts.ledger import Alert
from livekpi.alerts.listing import History, Shown, Wanted
from livekpi.alerts.words import Kind, Word
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.engine.replay import Replay, Replayed
from livekpi.query.live import Changes, Want
from livekpi.query.points import Points, Request
from livekpi.store import dead_letters
from livekpi.store.annotations import Annotation, Note
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.store.positions import Position
from livekpi.web.objects import backtest, check
from livekpi.web.objects.words import Saying


@dataclass(frozen=True, slots=True)
class SourceState:
    """Where a source stands."""

    name: str
    kind: str
    positions: tuple[Position, ...]
    lag: Mapping[str, int]
    """What is known to be unread, by partition: records for Kafka, bytes for others."""
    watermark_us: int | None
    """Up to which event time it is thought to be complete; None before its first event."""
    problem: str | None
    """Why it can't be read at present."""


@dataclass(frozen=True, slots=True)
class DeadLetterRequest:
    """Which dead letters are asked for: those that arrived in [from, to), of a source, of a reason (its code or a part of its text); the
    oldest first, or the `newest`."""

    source: str | None = None
    reason: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    limit: int = dead_letters.DEFAULT
    newest: bool = False


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Which firings are asked for: those at any time in [from, to), of these rules, or of all where none is named."""

    rules: tuple[str, ...] = ()
    from_us: int | None = None
    to_us: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AnnotationRequest:
    """Which annotations are asked for: those about any time in [from, to), and about a KPI where one is named."""

    from_us: int | None = None
    to_us: int | None = None
    kpi: str | None = None


class Alerts(Protocol):
    """What the web asks of the alerts; each call may come from any thread and take a while. All but `say` raise nothing but what the
    store does."""

    def alert_rules(self) -> Sequence[str]:
        """The rules that there are, and those of which alerts are kept."""

    def alerts(self, wanted: Wanted) -> list[Shown]: ...

    def alerts_now(self, changed: Sequence[Alert]) -> list[Shown]:
        """These alerts as people see them."""

    def alert_history(self, request: HistoryRequest) -> History: ...

    def words(self, kind: Kind) -> list[Word]:
        """Silences or acknowledgements that hold, now or later, oldest first."""

    def say(self, saying: Saying) -> Word:
        """Writes one; it works at once. Raises NothingFiresError."""

    def end_word(self, kind: Kind, number: int) -> Word | None:
        """Lets one end now; None where none of that number holds."""


class Judging(Protocol):
    """What the web must know of those who judge; all of it is quick."""

    def wake(self) -> None:
        """Somebody said something about alerts: looks at once."""

    def problems(self) -> Mapping[str, str]:
        """What keeps alerts from being judged or told, by the part it concerns; empty while all is well."""

    def failure(self) -> str | None:
        """Why alerts are judged or told no more, for good; None while they are."""


class Backend(Protocol):
    """Each call may come from any thread and take a while, but for `replay`, `problems`, `failure` and `interrupt`, which are quick."""

    @property
    def definition(self) -> Definition:
        """As it is shown: dashboards and words may be newer than the engine's start."""

    @property
    def stale(self) -> str | None:
        """Why what the file says now is not all in effect, and what to do; None where it is."""

    def points(self, request: Request, also: tuple[str, ...] = ()) -> Points:
        """The points, with what is `also` asked for of them (`band`, `prediction`). Raises QueryError where the question is wrong."""

    def pace(self, request: PaceRequest) -> Paces:
        """Where target periods were going. Raises QueryError where the question is wrong."""

    def changed(self, commit: Commit, wants: Sequence[Want], final_us: Mapping[Want, int]) -> Changes:
        """What a commit changed of each of these, and what has become final since `final_us`, where that is known."""

    def last_commit(self) -> int:
        """The number of the store's last commit; 0 before the first."""

    def dead_letters(self, request: DeadLetterRequest) -> list[StoredDeadLetter]: ...

    def replay(self, request: Replay) -> Future[Replayed]:
        """Feeds dead letters back between two commits; cancelled where the engine is stopped before."""

    def sources(self) -> list[SourceState]: ...

    def annotations(self, request: AnnotationRequest) -> list[Annotation]: ...

    def annotate(self, note: Note) -> Annotation:
        """Writes one. Raises TooManyError where no more may be kept."""

    def remove_annotation(self, number: int) -> Annotation | None:
        """Deletes one; None where there is none of that number."""

    def backtest(self, asked: backtest.Asked) -> dict[str, Any]:
        """Tries alert rules on history; raises QueryError where they, or what is asked of them, are wrong."""

    def check(self, asked: check.Asked) -> dict[str, Any]:
        """What running a definition would do to the numbers, and what they say of its rules; raises QueryError where it has mistakes."""

    def problems(self) -> Mapping[str, str]:
        """What keeps the numbers from being up to date, by the part it concerns; empty while all is well."""

    def interrupt(self, thread: int | None = None) -> None:
        """Ends the calls that are going on, on a thread or on all, by an error, since nobody waits for them any more; those of the alerts
        too, but none that write."""

    def failure(self) -> str | None:
        """Why the engine has stopped for good; None while it runs."""
