"""The shape of the definition file: what may stand where, before names and expressions are resolved."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def parse_duration(text: object) -> timedelta:
    """Reads ``90s``, ``5m``, ``1h30m`` or ``2d`` (units ms, s, m, h, d, w; a year is ``y``, 365 days).

    Raises ValueError with what was expected.
    """
    if isinstance(text, timedelta):
        return text
    if isinstance(text, str):
        expanded = re.sub(r"(\d+)y", lambda m: f"{int(m[1]) * 365}d", text.strip())
        parts = _DURATION.findall(expanded)
        if parts and "".join(number + unit for number, unit in parts) == expanded:
            return timedelta(milliseconds=sum(int(number) * _UNIT_MS[unit] for number, unit in parts))
    raise ValueError("expected a duration such as 10s, 5m, 1h30m or 2d")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=Annotated[str, Field(pattern=r"^(\d+(ms|s|m|h|d|w|y))+$")]),
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class Model(BaseModel):
    """What all parts of the file share: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Kafka(Model):
    brokers: str
    """Bootstrap servers, host:port separated by commas."""
    topic: str
    """The topic whose records are events, all partitions of it."""
    start: Literal["earliest", "latest"] = "earliest"
    """Where to begin on a partition that has no committed position."""
    lost: Literal["continue", "stop"] = "continue"
    """When committed offsets are no longer on the broker: continue at the earliest left (counted, logged), or stop."""
    settings: dict[str, str | int | float | bool] = {}
    """Passed to the consumer as they are (librdkafka's names): TLS, SASL, fetch sizes."""


class Http(Model):
    max_body_mib: Annotated[int, Field(ge=1, le=1024)] = 32
    """The largest body taken, after decompression."""
    max_behind_mib: Annotated[int, Field(ge=1)] = 1024
    """How far the engine may be behind the ingest log before requests are answered 429."""


class File(Model):
    path: str
    """A file or glob, relative to the definition file; .gz and .zst are read through."""
    format: Literal["ndjson", "csv", "combined", "common", "regex"] = "ndjson"
    """How a line becomes an event; combined and common bring their own fields."""
    regex: str | None = None
    """For format regex: a pattern with named groups, one a field."""
    follow: bool = False
    """Go on reading as the file grows, through rotation and truncation."""

    @model_validator(mode="after")
    def _regex_given(self) -> Self:
        if (self.format == "regex") != (self.regex is not None):
            raise ValueError("expected `regex` together with `format: regex`, and only then")
        return self


class Stdin(Model):
    format: Literal["ndjson", "csv", "combined", "common"] = "ndjson"
    """How a line becomes an event."""


class SourceSpec(Model):
    """Where events come from; exactly one of kafka, http, file, stdin."""

    kafka: Kafka | None = None
    http: Http | None = None
    file: File | None = None
    stdin: Stdin | None = None
    time: str
    """The field that holds the event's own time."""
    id: str | None = None
    """The field that names an event; a repeat of a name already seen is dropped."""
    remember: Duration = timedelta(hours=24)
    """How long after its arrival an id is remembered."""
    late: Duration = timedelta(hours=1)
    """How long a bucket waits for late events before it is called final."""
    ahead: Duration = timedelta(minutes=5)
    """An event further in the future than this is a dead letter."""
    idle: Duration = timedelta(minutes=1)
    """A partition silent for this long no longer holds the watermark back."""
    trace: str | None = None
    """The field with the trace id that links points to traces."""
    fields: dict[str, str] = {}
    """Each field's type: string, integer, number, decimal(p, s), boolean, timestamp, timestamp(FORMAT), json.

    `optional` before it allows null and absence.
    """

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.kafka, self.http, self.file, self.stdin)) != 1:
            raise ValueError("expected exactly one of kafka, http, file, stdin")
        return self

    @property
    def kind(self) -> Kafka | Http | File | Stdin:
        """The one kind of source that is given."""
        found = self.kafka or self.http or self.file or self.stdin
        assert found is not None
        return found


class TargetPeriod(Model):
    """A dated target: `value` is to be reached from `from` to `to`."""

    from_: Annotated[str, Field(alias="from")]
    to: str
    value: float


class KpiSpec(Model):
    value: str
    """SQL aggregates over a source's fields, or arithmetic over other KPIs."""
    source: str | None = None
    """The source, where the fields named stand in more than one."""
    every: Duration | None = None
    """The bucket: how fine the series is; a divisor of a day. Not given for a KPI of KPIs."""
    over: Duration | None = None
    """A sliding window: each point covers this much time up to its bucket's end."""
    by: list[str] = []
    """Dimensions: sliced, filtered and summed over at query time."""
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    unit: str | None = None
    good: Literal["up", "down"] | None = None
    """Which direction is good news."""
    target: dict[str, Any] | list[TargetPeriod] | None = None
    """What should be reached in a period: {1d: 50000, timezone: Europe/Berlin}, or a list of {from, to, value}."""


class AlertSpec(Model):
    when: str
    """The condition: comparisons and arithmetic over KPIs, ago(), absent(), anomalous(), pace(), rising(), falling()."""
    by: list[str] = []
    """One alert for each combination of these dimensions."""
    for_: Annotated[Duration, Field(alias="for")] = timedelta(0)
    """How long the condition must hold."""
    keep: Duration = timedelta(0)
    """How long an alert stays firing after its condition ceased."""
    clear: str | None = None
    """The condition under which a firing alert stops; else when `when` no longer holds."""
    severity: Literal["critical", "error", "warning", "info"] = "warning"
    notify: list[str] = []
    """Notifiers by name."""
    labels: dict[str, str] = {}
    runbook: str | None = None
    summary: str | None = None


class PagerDuty(Model):
    routing_key: str


class Alertmanager(Model):
    urls: Annotated[list[str], Field(min_length=1)]


class NotifierSpec(Model):
    """Who is told; exactly one kind."""

    pagerduty: PagerDuty | None = None
    alertmanager: Alertmanager | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.pagerduty is None) == (self.alertmanager is None):
            raise ValueError("expected exactly one of pagerduty, alertmanager")
        return self


class Limits(Model):
    series: Annotated[int, Field(ge=1)] = 10_000
    """Series a KPI may have; the rest are counted together as __other__."""
    points: Annotated[int, Field(ge=1)] = 100_000
    """Points one query may return."""
    viewers: Annotated[int, Field(ge=1)] = 1_000
    """Streams open at once."""
    memory_mib: Annotated[int, Field(ge=64)] = 512
    """Memory the store may use before it spills to disk."""


_KEEP = {timedelta(seconds=10): timedelta(days=2), timedelta(minutes=1): timedelta(days=14), timedelta(hours=1): timedelta(days=730)}


class DefinitionSpec(Model):
    """A livekpi definition file."""

    sources: Annotated[dict[Name, SourceSpec], Field(min_length=1)]
    kpis: Annotated[dict[Name, KpiSpec], Field(min_length=1)]
    alerts: dict[Name, AlertSpec] = {}
    notify: dict[Name, NotifierSpec] = {}
    keep: Annotated[dict[Duration, Duration], Field(min_length=1)] = _KEEP
    """How long buckets of a size are kept before they are merged into the next size, and at last dropped."""
    limits: Limits = Limits()
