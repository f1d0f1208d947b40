"""The definition resolved: names looked up, expressions parsed, durations in µs. What all other parts read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from livekpi.definition.dashboards import Dashboard
from livekpi.definition.durations import microseconds
from livekpi.definition.problems import Problem
from livekpi.definition.rules.calendars import is_holiday
from livekpi.definition.rules.rules import Rule
from livekpi.definition.shape.model import DefinitionSpec, KpiSpec, SourceSpec
from livekpi.definition.sql.expressions import KpiValue
from livekpi.definition.types import Field


@dataclass(frozen=True, slots=True)
class SourceDefinition:
    """A source with its fields; `spec` has the rest."""

    name: str
    spec: SourceSpec
    fields: Mapping[str, Field]

    @property
    def origin(self) -> str:
        """What its positions are positions in: a Kafka topic, or the kind of source."""
        if self.spec.kafka is not None:
            return f"kafka:{self.spec.kafka.topic}"
        return "http" if self.spec.http is not None else "file" if self.spec.file is not None else "stdin"

    @property
    def late_us(self) -> int:
        return microseconds(self.spec.late)

    @property
    def ahead_us(self) -> int:
        return microseconds(self.spec.ahead)

    @property
    def idle_us(self) -> int:
        return microseconds(self.spec.idle)

    @property
    def remember_us(self) -> int:
        return microseconds(self.spec.remember)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI ready to be computed.

    `value` is arithmetic over aggregates; each aggregate knows its source, bucket and window, so a KPI of KPIs is the
    arithmetic of its parts' aggregates.
    """

    name: str
    spec: KpiSpec
    value: KpiValue
    every_us: int
    """The bucket; for a KPI of KPIs the largest of its parts'."""
    over_us: int
    """The window each point covers, to the end of its bucket; equals every_us where none is given."""
    by: tuple[str, ...]
    """Dimensions it can be sliced by; for a KPI of KPIs those that all parts have."""
    timezone: str
    """Where its days begin."""
    holidays: str | None
    """The country, or part of one, whose public holidays are no usual days for it."""

    def holiday(self, at_us: int) -> bool:
        """Whether a time (µs since the epoch) is on one of these holidays, by the date in its time zone."""
        return is_holiday(self.holidays, ZoneInfo(self.timezone), at_us)

    @property
    def sources(self) -> frozenset[str]:
        return frozenset(aggregate.source for aggregate in self.value.aggregates)


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition file, checked and resolved."""

    path: Path
    text: str
    variables: Mapping[str, str]
    """Those that `text` needs to say the same elsewhere, and no secrets; empty where one is not set."""
    spec: DefinitionSpec
    sources: Mapping[str, SourceDefinition]
    kpis: Mapping[str, Kpi]
    keep_us: tuple[tuple[int, int], ...]
    """(bucket, how long it is kept) in µs, finest bucket first."""
    rules: Mapping[str, Rule]
    """The alert rules, by name."""
    dashboards: Mapping[str, Dashboard]
    """What people look at together, by name."""
    warnings: tuple[Problem, ...] = ()
    """What is odd in the file, though it runs."""

    @property
    def topics(self) -> str:
        """What the names of a cluster's topics begin with."""
        cluster = self.spec.engine.cluster
        return (cluster.topics if cluster is not None else None) or self.path.stem
