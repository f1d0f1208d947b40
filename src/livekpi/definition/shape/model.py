"""The shape of the definition file: what may stand where, before names and expressions are resolved."""

# ruff: noqa: RUF012 - pydantic copies defaults; the linter knows that only where it sees BaseModel

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from livekpi.definition.durations import DURATION_PATTERN, parse_duration
from livekpi.definition.problems import nearest
from livekpi.definition.shape.alerting import AlertSpec
from livekpi.definition.shape.dashboarding import DashboardSpec
from livekpi.definition.shape.notifying import NotifierSpec, Url
from livekpi.definition.shape.parts import Model, one_of
from livekpi.definition.shape.values import (
    Address,
    Bucket,
    Country,
    Duration,
    FieldType,
    Moment,
    Name,
    Period,
    RegularExpression,
    Text,
    Timezone,
    TopicPrefix,
    moment,
)
from livekpi.definition.types import Delimiter

_SAID_OTHERWISE = {
    "bootstrap.servers": "`brokers`",
    "metadata.broker.list": "`brokers`",
    "auto.offset.reset": "`start` and `lost`",
}
_KEPT_IN_THE_STORE = {"enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms", "enable.auto.offset.store"}


def _consumer_setting(name: str) -> str:
    if name in _SAID_OTHERWISE:
        raise ValueError(f"expected {_SAID_OTHERWISE[name]} beside `settings` in place of this")
    if name in _KEPT_IN_THE_STORE:
        raise ValueError("expected nothing about committing: offsets are committed in the store, together with the numbers")
    if name == "enable.partition.eof":
        raise ValueError("expected a setting that livekpi does not need for itself")
    return name


class Kafka(Model):
    """A Kafka topic."""

    brokers: Text
    """Bootstrap servers, host:port separated by commas."""
    topic: Text
    """The topic whose records are events, all partitions of it."""
    start: Literal["earliest", "latest"] = "earliest"
    """Where to begin on a partition that has no committed position."""
    lost: Literal["continue", "stop"] = "continue"
    """When committed offsets are no longer on the broker: continue at the earliest left (counted, logged), or stop."""
    settings: dict[Annotated[str, AfterValidator(_consumer_setting)], str | int | float | bool] = {}
    """Passed to the consumer as they are (librdkafka's names): TLS, SASL, fetch sizes."""


class Http(Model):
    """livekpi's own HTTP door."""

    max_body_mib: Annotated[int, Field(ge=1, le=1024)] = 32
    """The largest body taken, after decompression."""
    max_behind_mib: Annotated[int, Field(ge=1)] = 1024
    """How far the engine may be behind the ingest log before requests are answered 429."""


class File(Model):
    """Files of lines."""

    path: Text
    """A file or glob, relative to the definition file; .gz and .zst are read through."""
    format: Literal["ndjson", "csv", "combined", "common", "regex"] = "ndjson"
    """How a line becomes an event; combined and common bring their own fields."""
    delimiter: Delimiter = ","
    """For format csv: what stands between the cells, such as ";" or "\\t"."""
    regex: RegularExpression | None = None
    """For format regex: a pattern with named groups, one a field."""
    follow: bool = False
    """Go on reading as the file grows, through rotation and truncation. A last line that no newline ends yet waits for it, with --once
    until the next run; without `follow` it counts as it is, so say `follow` of what is being written."""

    @model_validator(mode="after")
    def _format_fits(self) -> Self:
        if (self.format == "regex") != (self.regex is not None):
            raise ValueError("expected `regex` together with `format: regex`, and only then")
        _delimiter_of_csv(self)
        return self


class Stdin(Model):
    """The standard input."""

    format: Literal["ndjson", "csv", "combined", "common"] = "ndjson"
    """How a line becomes an event; combined and common bring their own fields."""
    delimiter: Delimiter = ","
    """For format csv: what stands between the cells, such as ";" or "\\t"."""

    @model_validator(mode="after")
    def _delimiter_fits(self) -> Self:
        _delimiter_of_csv(self)
        return self


def _delimiter_of_csv(spec: File | Stdin) -> None:
    if "delimiter" in spec.model_fields_set and spec.format != "csv":
        raise ValueError("expected `delimiter` together with `format: csv`, and only then")


class SourceSpec(Model):
    """Where events come from; exactly one of kafka, http, file, stdin."""

    model_config = ConfigDict(json_schema_extra=one_of("kafka", "http", "file", "stdin"))

    kafka: Kafka | None = None
    """Records of a Kafka topic."""
    http: Http | None = None
    """Events posted to /v1/events/NAME, as JSON; may be left empty."""
    file: File | None = None
    """Lines of files."""
    stdin: Stdin | None = None
    """Lines of the standard input; may be left empty."""
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
    """The field with the id of the trace that an event belongs to. It is checked, and nothing is made of it yet."""
    fields: dict[str, FieldType] = {}
    """Each field's type: string, integer, number, decimal(p, s), boolean, timestamp, timestamp(FORMAT), json.

    A timestamp is in ISO 8601 with a zone, or in the FORMAT: epoch_s, epoch_ms, epoch_us, epoch_ns, or a pattern of strptime such as
    %d/%m/%Y %H:%M, in UTC where it has no %z.

    `optional` before it allows null and absence. Every timestamp, not only `time`, must lie from 1970 to 2199, or its event is a dead
    letter.
    """

    @model_validator(mode="before")
    @classmethod
    def _all_defaults(cls, given: object) -> object:
        """``http:`` and ``stdin:`` with nothing after them ask for their defaults."""
        if not isinstance(given, dict):
            return given
        return {key: {} if key in ("http", "stdin") and value is None else value for key, value in given.items()}

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


class PeriodTarget(Model):
    """What should be reached in each period: ``{1d: 50000, timezone: Europe/Berlin}``."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"patternProperties": {DURATION_PATTERN: {"type": "number"}}, "additionalProperties": False, "minProperties": 1},
    )
    __pydantic_extra__: dict[Period, float]

    timezone: Timezone | None = None
    """Where the periods begin and end; else the KPI's own."""

    @property
    def values(self) -> dict[timedelta, float]:
        """What to reach, by period."""
        return {parse_duration(period): value for period, value in self.__pydantic_extra__.items()}

    @model_validator(mode="after")
    def _some_period(self) -> Self:
        if not self.__pydantic_extra__:
            raise ValueError("expected a period and what to reach in it, such as 1d: 50000")
        return self


class DatedTarget(Model):
    """A dated target: `value` is to be reached from `from` to `to`."""

    from_: Annotated[Moment, Field(alias="from")]
    """The first moment, a date or a date with a time."""
    to: Moment
    """The moment by which it should be reached."""
    value: float
    """What should be reached."""
    timezone: Timezone | None = None
    """The zone of `from` and `to`, where they name none themselves; else the KPI's own."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        zone = self.timezone or "UTC"
        if moment(self.from_, zone) >= moment(self.to, zone):
            raise ValueError("expected a `from` before the `to`")
        return self


def _target_kind(given: object) -> str:
    return "the dated" if isinstance(given, list) else "the periodic"


Target = Annotated[
    Annotated[PeriodTarget, Tag("the periodic")] | Annotated[list[DatedTarget], Tag("the dated"), Field(min_length=1)],
    Discriminator(_target_kind),
]


class KpiSpec(Model):
    """A number to watch."""

    value: str
    """SQL aggregates over a source's fields, or arithmetic over other KPIs."""
    source: str | None = None
    """The source, where the fields named stand in more than one."""
    every: Bucket | None = None
    """The bucket: how fine the series is; a divisor of a day. Not given for a KPI of KPIs."""
    over: Duration | None = None
    """A sliding window: each point covers this much time up to its end, or all of its step where that is longer."""
    by: list[str] = []
    """Dimensions: sliced, filtered and summed over at query time."""
    title: str | None = None
    """What people call it; else its name."""
    description: str | None = None
    """What it means, in a sentence."""
    owner: str | None = None
    """Who to ask about it."""
    unit: str | None = None
    """What it counts: EUR, ms, bytes, ratio …"""
    good: Literal["up", "down"] | None = None
    """Which direction is good news."""
    target: Target | None = None
    """What should be reached in a period: {1d: 50000, timezone: Europe/Berlin}, or a list of {from, to, value}."""
    timezone: Timezone | None = None
    """Where its days begin: those of `ago` and of what is usual for it. Not given: its target's, else UTC."""
    holidays: Country | None = None
    """The country, or part of one, whose public holidays are no usual days for it: DE, US, DE-BE."""


def _some_time(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError("expected a duration longer than that, such as 10s")
    return duration


class Limits(Model):
    """How much may be used before livekpi says no."""

    series: Annotated[int, Field(ge=1)] = 10_000
    """Series a KPI may have; the rest are counted together as __other__."""
    points: Annotated[int, Field(ge=1)] = 100_000
    """Points one query may return."""
    queries: Annotated[int, Field(ge=1, le=64)] = 4
    """Questions over HTTP that are answered at once; further ones wait for their turn."""
    query_time: Annotated[Duration, AfterValidator(_some_time)] = timedelta(seconds=10)
    """How long the answer to one may take, and how long one may wait for its turn."""
    viewers: Annotated[int, Field(ge=1)] = 1_000
    """Streams open at once."""
    annotations: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    """Annotations kept; one more is refused until others are deleted."""
    dead_letters: Annotated[int, Field(ge=1)] = 1_000_000
    """Dead letters kept, of all sources and those fed back among them; beyond them the oldest go."""
    memory_mib: Annotated[int, Field(ge=64)] = 512
    """Memory the store may use before it spills to disk."""


Setting = str | int | float | bool


class Embedded(Model):
    """livekpi's own engine, in the server's process."""


class Cluster(Model):
    """What all cluster engines need: the topics in which a job hands over what it computes."""

    topics: TopicPrefix | None = None
    """What the names of the job's topics begin with; no two definitions on the same brokers may share it. Not given: the file's name."""
    brokers: Text | None = None
    """Bootstrap servers of the job's topics, host:port separated by commas. Not given: those of each source."""
    client: dict[Annotated[str, AfterValidator(_consumer_setting)], Setting] | None = None
    """Passed to the Kafka client that makes and reads the topics (librdkafka's names). Not given: each source's `settings`."""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Partitions of each topic that is made; one that is there keeps its own."""
    settle: Duration = timedelta(seconds=5)
    """How long after the job's progress the last of the rows it speaks of may come; buckets are called final that much later."""


class Flink(Cluster):
    """Apache Flink, reached through its SQL Gateway."""

    gateway: Address = "http://localhost:8083"
    """The SQL Gateway's address."""
    rest: Address = "http://localhost:8081"
    """The address of the JobManager's REST API."""
    parallelism: Annotated[int, Field(ge=1)] = 1
    """How many subtasks share the work; more than the source's partitions are of no use."""
    settings: dict[str, Setting] = {}
    """Flink's own settings for the job, as for SET."""


class Spark(Cluster):
    """Apache Spark, Structured Streaming."""

    master: Text = "spark://localhost:7077"
    """The master that the job is given to."""
    checkpoint: Text
    """A directory that driver and executors see, such as file:///shared/livekpi or s3a://…: where the job keeps how far it is."""
    settings: dict[str, Setting] = {}
    """Spark's own settings for the job."""


_ENGINES = ("embedded", "flink", "spark")


def _engine_by_name(given: object) -> object:
    if isinstance(given, dict):
        return {key: {} if key in _ENGINES and value is None else value for key, value in given.items()}
    if isinstance(given, str):
        if given not in _ENGINES:
            raise ValueError(f"expected {', '.join(_ENGINES[:-1])} or {_ENGINES[-1]}{nearest(given, _ENGINES)}")
        return {given: {}}
    return given


class EngineSpec(Model):
    """What computes the numbers; exactly one of embedded, flink, spark."""

    model_config = ConfigDict(json_schema_extra=one_of("embedded", "flink", "spark"))

    embedded: Embedded | None = None
    """livekpi itself."""
    flink: Flink | None = None
    """A job on a Flink cluster."""
    spark: Spark | None = None
    """A job on a Spark cluster."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.embedded, self.flink, self.spark)) != 1:
            raise ValueError("expected exactly one of embedded, flink, spark")
        return self

    @property
    def name(self) -> Literal["embedded", "flink", "spark"]:
        """What the file calls it."""
        return "flink" if self.flink is not None else "spark" if self.spark is not None else "embedded"

    @property
    def cluster(self) -> Flink | Spark | None:
        """The cluster that computes; None where livekpi itself does."""
        return self.flink or self.spark


Engine = Annotated[EngineSpec, BeforeValidator(_engine_by_name, json_schema_input_type=Literal["embedded", "flink", "spark"] | EngineSpec)]

_KEEP = {timedelta(seconds=10): timedelta(days=2), timedelta(minutes=1): timedelta(days=14), timedelta(hours=1): timedelta(days=730)}


class DefinitionSpec(Model):
    """A livekpi definition file."""

    sources: Annotated[dict[Name, SourceSpec], Field(min_length=1)]
    """Where events come from, by name."""
    kpis: Annotated[dict[Name, KpiSpec], Field(min_length=1)]
    """The numbers to watch, by name."""
    alerts: dict[Name, AlertSpec] = {}
    """When somebody is to be told, by name."""
    notify: dict[Name, NotifierSpec] = {}
    """Who is told, by name."""
    page: Url | None = None
    """The address by which people reach the page of this server, such as https://kpi.example.com; alerts link to it."""
    dashboards: dict[Name, DashboardSpec] = {}
    """What people look at together, by name; without any the page draws an overview of all KPIs."""
    keep: Annotated[dict[Bucket, Duration], Field(min_length=1)] = _KEEP
    """How long buckets of a size are kept before they are merged into the next size, and at last dropped."""
    limits: Limits = Limits()
    """Upper bounds on what is kept, shown and used."""
    engine: Annotated[Engine, Field(json_schema_extra={"default": "embedded"})] = EngineSpec(embedded=Embedded())
    """What computes the numbers: embedded, or a cluster: `flink`, or { flink: { … } } with what differs from the defaults."""
