"""Where a script's steps are done: a server that they define, feed, move through time, break and question."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from livekpi.alerts import ledger
from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition
from livekpi.definition.file.substitute import Unset
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError, nearest
from livekpi.query.steps import QueryError
from livekpi.scripts.alert_expectation import compare_alerts, compare_messages
from livekpi.scripts.expectation import Line, compare_letters, compare_points, laid_out
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.scripts.script import (
    Advance,
    Arrive,
    Define,
    ExpectAlerts,
    ExpectDeadLetters,
    ExpectMessages,
    ExpectPoints,
    Kill,
    Restart,
    SetClock,
    Step,
)
from livekpi.scripts.words import ScriptError
from livekpi.store import dead_letters

_LETTERS = 10_000


@dataclass(frozen=True)
class Failure:
    """What came otherwise than expected at a line."""

    line: int
    message: str
    details: tuple[str, ...] = ()


class Stage:
    """Does steps, one after the other; each that can fail answers with its failure."""

    def __init__(self, directory: Path, *, kill_everywhere: bool) -> None:
        """With `kill_everywhere` the server is restarted before each step, killed in its commit, and killed after it."""
        self._directory, self._kill_everywhere = directory, kill_everywhere
        self._clock: ManualClock | None = None
        self._definition: Definition | None = None
        self._rehearsal: Rehearsal | None = None

    def close(self) -> None:
        if self._rehearsal is not None:
            self._rehearsal.close()

    def do(self, step: Step) -> Failure | None:
        """Does a step. Raises ScriptError for one that can't be done."""
        match step:
            case Define():
                self._define(step)
            case SetClock():
                self._set_clock(step.now_us)
            case Advance():
                server = self._server(step)
                self._act(step, lambda: server.advance(server.clock.now_us() + step.by_us))
            case Arrive():
                self._arrive(step)
            case Restart():
                self._server(step).restart()
            case Kill():
                self._server(step).kill()
            case _:
                return self._expect(step)
        return None

    def _expect(self, step: Step) -> Failure | None:
        match step:
            case ExpectPoints():
                return self._expect_points(step)
            case ExpectDeadLetters():
                return self._expect_dead_letters(step)
            case ExpectAlerts():
                return self._expect_alerts(step)
            case ExpectMessages():
                return self._expect_messages(step)
        return None

    def _define(self, step: Define) -> None:
        try:
            definition = parse_definition(step.text, step.path, Unset())
        except DefinitionError as error:
            raise ScriptError(step.line, "the definition can't be used", tuple(map(str, error.problems))) from error
        self._definition = definition
        if self._rehearsal is not None:
            self._act(step, lambda: self._server(step).redefine(definition))

    def _set_clock(self, now_us: int) -> None:
        if self._clock is None:
            self._clock = ManualClock(now_us)
        elif self._rehearsal is None:
            self._clock.set_us(now_us)
        else:
            self._rehearsal.advance(now_us)

    def _server(self, step: Step) -> Rehearsal:
        """The server, started where this step is the first to need it."""
        if self._rehearsal is None:
            if self._definition is None:
                raise ScriptError(step.line, "expected a definition before: definition: FILE, or definition: with its text below")
            if self._clock is None:
                raise ScriptError(step.line, "expected the time before, as in: clock 2026-03-01T12:00:00Z")
            self._rehearsal = Rehearsal(self._directory, self._clock, self._definition)
        return self._rehearsal

    def _act(self, step: Step, work: Callable[[], None]) -> None:
        if not self._kill_everywhere:
            work()
            return
        server = self._server(step)
        server.restart()
        server.kill_in(work)
        server.kill()

    def _arrive(self, step: Arrive) -> None:
        server = self._server(step)
        _check_source(step.line, step.source, server.definition)
        self._act(step, lambda: server.arrive(step.source, step.partition, step.records))

    def _expect_points(self, step: ExpectPoints) -> Failure | None:
        name, rows = step.request.kpi, step.rows
        try:
            with self._server(step).query() as query:
                came = query.points(step.request).points
        except QueryError as error:
            if step.error is not None and step.error in str(error):
                return None
            expected = () if step.error is None else (f"- error: {step.error}",)
            return Failure(step.line, f"{name} was refused", (*expected, f"+ error: {error}"))
        if step.error is not None:
            return Failure(step.line, f"{name} was answered with {len(came)} points, and should be refused", (f"- error: {step.error}",))
        return _difference(step.line, name, compare_points(rows, came, compared=step.request.compare is not None))

    def _expect_dead_letters(self, step: ExpectDeadLetters) -> Failure | None:
        server = self._server(step)
        _check_source(step.line, step.source, server.definition)
        with server.cursor() as cursor:
            letters = dead_letters.find(cursor, source=step.source, limit=_LETTERS)
        return _difference(step.line, f"the dead letters of {step.source}", compare_letters(step.rows, letters))

    def _expect_alerts(self, step: ExpectAlerts) -> Failure | None:
        with self._server(step).cursor() as cursor:
            came = ledger.alerts(cursor)
        return _difference(step.line, "the alerts", compare_alerts(step.rows, came))

    def _expect_messages(self, step: ExpectMessages) -> Failure | None:
        server = self._server(step)
        if step.receiver not in server.definition.spec.notify:
            raise ScriptError(step.line, f"there is no notifier {step.receiver!r}{nearest(step.receiver, server.definition.spec.notify)}")
        with server.cursor() as cursor:
            came = ledger.messages(cursor, step.receiver)
        return _difference(step.line, f"the messages to {step.receiver}", compare_messages(step.rows, came))


def _check_source(line: int, name: str, definition: Definition) -> None:
    if name not in definition.sources:
        raise ScriptError(line, f"there is no source {name!r}{nearest(name, definition.sources)}")


def _difference(line: int, what: str, lines: Iterable[Line]) -> Failure | None:
    found = list(lines)
    if all(each.sign == " " for each in found):
        return None
    return Failure(line, f"{what} came otherwise than expected (- expected, + came)", tuple(laid_out(found)))
