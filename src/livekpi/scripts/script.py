"""What a script is made of."""

from dataclasses import dataclass
from pathlib import Path

from livekpi.query.points import Request
from livekpi.scripts.words import Word


@dataclass(frozen=True)
class Step:
    """A step; `line` is where it stands, 1-based."""

    line: int


@dataclass(frozen=True)
class Define(Step):
    """The server runs with this definition from here on."""

    path: Path
    """The definition's file; the script itself where it stands there."""
    text: bytes
    """As in the file; of a definition in the script, each line stands where it stands there."""


@dataclass(frozen=True)
class SetClock(Step):
    """It is this time."""

    now_us: int


@dataclass(frozen=True)
class Advance(Step):
    """Time passes."""

    by_us: int


@dataclass(frozen=True)
class Arrive(Step):
    """Records arrive at a source, and are committed in one batch."""

    source: str
    partition: int
    records: tuple[bytes | None, ...]
    """None is a record without a value (a Kafka tombstone)."""


@dataclass(frozen=True)
class Restart(Step):
    """The server is stopped in order, and started again."""


@dataclass(frozen=True)
class Kill(Step):
    """The server is killed, and started again."""


@dataclass(frozen=True)
class Row:
    """A point as expected; its dimensions are those of the request's `by`."""

    line: int
    time_us: int
    dimensions: tuple[Word, ...]
    value: Word
    before: Word | None = None
    final: bool | None = None
    """None where it does not matter."""


@dataclass(frozen=True)
class ExpectPoints(Step):
    """A question, and the points it should be answered with."""

    request: Request
    rows: tuple[Row, ...] = ()
    error: str | None = None
    """A part of the message, where the question should be refused."""


@dataclass(frozen=True)
class LetterRow:
    """A dead letter as expected."""

    code: str
    field: Word | None = None
    """A bare - is a letter about the record as a whole; None where it does not matter."""
    reason: str | None = None
    """A part of the reason; None where it does not matter."""


@dataclass(frozen=True)
class ExpectDeadLetters(Step):
    """The dead letters of a source so far, in the order in which they came."""

    source: str
    rows: tuple[LetterRow, ...] = ()


@dataclass(frozen=True)
class AlertRow:
    """An alert as expected: its rule, its series' dimensions, and how it stands."""

    line: int
    rule: str
    series: tuple[Word, ...]
    status: str
    started_us: int
    ends_us: int | None = None
    note: str = ""


@dataclass(frozen=True)
class ExpectAlerts(Step):
    """All alerts so far, in the order in which they began."""

    rows: tuple[AlertRow, ...] = ()


@dataclass(frozen=True)
class MessageRow:
    """A message as expected."""

    rule: str
    status: str
    firing: int
    """How many alerts fire, as it says."""
    words: tuple[Word, ...] = ()
    """Parts of its first notice: a note, a dimension's value, or a part of the summary."""


@dataclass(frozen=True)
class ExpectMessages(Step):
    """All that a receiver was to be told so far, in order."""

    receiver: str
    rows: tuple[MessageRow, ...] = ()


@dataclass(frozen=True)
class Script:
    """A script's steps, in order."""

    path: Path
    steps: tuple[Step, ...]
