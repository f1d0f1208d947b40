"""A question about a KPI, and the points that answer it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlglot import exp

from livekpi.definition.definition import Kpi
from livekpi.query.steps import Steps

Value = int | float | Decimal | str | bool | datetime
Dimension = str | int | bool | None


@dataclass(frozen=True)
class Request:
    """A question about one KPI."""

    kpi: str
    from_us: int | None = None
    """The first step starts here or later; None: where the data begins."""
    to_us: int | None = None
    """The last step starts before; None: after the last event."""
    step: str | None = None
    """A multiple of the KPI's bucket (1h, 1d, 1w), or `all` for the range as one; None: the finest kept."""
    by: tuple[str, ...] = ()
    where: str | None = None
    timezone: str = "UTC"
    compare: str | None = None
    """A span such as 1d or 1w: each point also gets the value that much earlier, by the calendar."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was expected of a value, between which bounds it usually is, and how it stands there: a score above 1 is outside."""

    expected: float
    low: float
    high: float
    score: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a value will be once all its events are there, and between which values that lies in about 19 cases of 20."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """The value of a step that starts at `time_us`; `dimensions` as asked for by `by`."""

    time_us: int
    value: Value
    final: bool
    """Whether no more events are waited for; later ones would still correct it."""
    dimensions: tuple[Dimension, ...] = ()
    before: Value | None = None
    """The value a span earlier, where one was asked for and is there."""
    standing: Standing | None = None
    """Where it was asked for and is known; as is the outlook."""
    outlook: Outlook | None = None
    corrected_us: int | None = None
    """When it was last corrected, if that was after it had been final; of a level only where an event gave it."""


@dataclass(frozen=True)
class Points:
    """The answer: points ordered by time, then dimensions."""

    kpi: str
    unit: str | None
    dimensions: tuple[str, ...]
    points: list[Point]
    compared: bool = False
    also: tuple[str, ...] = ()
    """What else was asked for of each point: `band`, `prediction`."""
    commit: int = 0
    """The number of the last commit that they have seen, where that was asked in the same transaction."""


@dataclass(frozen=True)
class Asked:
    """A question whose names are looked up."""

    kpi: Kpi
    by: tuple[str, ...]
    where: exp.Expr | None
    """A condition over the KPI's dimensions."""
    steps: Steps
    timezone: str
    compare: timedelta | None = None
    """How much earlier it is compared with."""

    @property
    def whole_series(self) -> bool:
        """Whether each point is of a whole series: no condition leaves out a part of what is sliced."""
        return self.where is None or {column.name for column in self.where.find_all(exp.Column)} <= set(self.by)


def dimension_text(value: Dimension) -> str | None:
    """A dimension's value as it is kept, whatever its type; None for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
