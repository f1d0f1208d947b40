"""What the web asks of the rest of livekpi. The running engine and its store answer it (see livekpi.web.running)."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.engine.replay import Replay, Replayed
from livekpi.query.points import Points, Request
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.store.positions import Position


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
    """Which dead letters are asked for: those that arrived in [from, to), of a source, of a reason (its code or a part of its text)."""

    source: str | None = None
    reason: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    limit: int = 1_000


class Backend(Protocol):
    """Each call may come from any thread and take a while, but for `replay`, `problems`, `failure` and `interrupt`, which are quick."""

    @property
    def definition(self) -> Definition: ...

    def points(self, request: Request) -> Points:
        """Raises QueryError where the question is wrong."""

    def changed(self, commit: Commit, kpis: tuple[str, ...], by: tuple[str, ...]) -> list[Points]:
        """The points of these KPIs, by these dimensions, that a commit changed."""

    def dead_letters(self, request: DeadLetterRequest) -> list[StoredDeadLetter]: ...

    def replay(self, request: Replay) -> Future[Replayed]:
        """Feeds dead letters back between two commits; cancelled where the engine is stopped before."""

    def sources(self) -> list[SourceState]: ...

    def problems(self) -> Mapping[str, str]:
        """What keeps the numbers from being up to date, by the part it concerns; empty while all is well."""

    def interrupt(self) -> None:
        """Ends the calls that are going on, by an error, since nobody waits for them any more."""

    def failure(self) -> str | None:
        """Why the engine has stopped for good; None while it runs."""
