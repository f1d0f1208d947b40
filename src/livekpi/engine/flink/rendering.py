"""The plan as Flink's SQL: a table a source, which reads and judges each record once; a statement a table of partials; one statement set.

What is right and what is wrong with a record is told by our own format (java/livekpi/flink/Format.java).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.durations import microseconds
from livekpi.definition.shape.model import Flink, Setting
from livekpi.definition.tiers import tiers
from livekpi.definition.types import Field, Type
from livekpi.engine.flink.expressions import Expressions
from livekpi.engine.flink.sql import FUNCTION, call, quote, sql_type, text
from livekpi.engine.java_kafka import CLASSES, client_settings
from livekpi.engine.plan import Grouping, Partial, Plan, bin_tree
from livekpi.engine.topics import NULL, VALUE, Topic, dead_letters_topic, progress_topic, table_topic
from livekpi.sources.decode import ORDINAL_POSITIONS
from livekpi.store.layout import cells, column, dimensions, spread

_SECOND_US = 1_000_000
_KAFKA_CLASSES = f"org.apache.flink.kafka.shaded.{CLASSES}"
"""Flink's connector brings Kafka's client under a name of its own."""
_OWN_COLUMNS = {"_time": "BIGINT", **dict.fromkeys(("_code", "_field", "_reason", "_record", "_record_base64"), "STRING")}
_METADATA = {"_partition": ("INT", "partition"), "_offset": ("BIGINT", "offset")}
OWN = frozenset((*_OWN_COLUMNS, *_METADATA))
"""Names that no declared field may have."""
_ID, _COUNT = '`"id"`', '`"count"`'
"""Columns beside all fields of an event: no field has a quotation mark in its name."""
_JSON_TYPES = {"integer": "BIGINT", "text": "STRING"}
_TARGET = "execution.target"
_SILENCE = timedelta(days=1)
"""How long a source may be silent without any state being forgotten that can still be asked for."""
_SETTINGS = {
    "execution.runtime-mode": "streaming",
    "execution.checkpointing.interval": "10 s",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "table.local-time-zone": "UTC",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "20000",
    "table.optimizer.agg-phase-strategy": "TWO_PHASE",
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
    # a row of a key comes from one subtask, in order
    "table.exec.sink.upsert-materialize": "NONE",
    "pipeline.object-reuse": "true",
}


@dataclass(frozen=True)
class Job:
    """What is to be submitted: settings, what the statement set needs, and its inserts."""

    settings: Mapping[str, str]
    setup: tuple[str, ...]
    inserts: tuple[str, ...]

    @property
    def statement_set(self) -> str:
        return "EXECUTE STATEMENT SET\nBEGIN\n" + "".join(f"{insert};\n" for insert in self.inserts) + "END"

    @property
    def statements(self) -> tuple[str, ...]:
        """All of it, as statements for Flink's SQL client or SQL Gateway, in their order."""
        settings = (f"SET {text(name)} = {text(value)}" for name, value in self.settings.items())
        return (*settings, *self.setup, self.statement_set)

    @property
    def text(self) -> str:
        """A file for Flink's SQL client."""
        return "\n\n".join(f"{statement};" for statement in self.statements) + "\n"


def render_job(definition: Definition, plan: Plan, spec: Flink) -> Job:
    """The job of a definition. Raises UnsupportedError for an expression that Flink can't compute."""
    setup: list[str] = []
    inserts: list[str] = []
    for source, groupings in plan.groupings.items():
        rendering = _SourceRendering(definition, definition.sources[source], groupings, spec)
        setup += rendering.setup()
        inserts += rendering.inserts()
    said = "\n".join((*setup, *inserts))
    functions = tuple(
        f"CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS {FUNCTION}{name} AS 'livekpi.flink.{class_}'"
        for name, class_ in FUNCTIONS.items()
        if f"{FUNCTION}{name}(" in said
    )
    fixed = {"parallelism.default": str(spec.parallelism), "table.exec.state.ttl": _remembered(definition, plan)}
    given = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in spec.settings.items()}
    return Job({**_SETTINGS, **fixed, **given, **_naming(definition, given)}, (*functions, *setup), tuple(inserts))


def _naming(definition: Definition, given: Mapping[str, str]) -> dict[str, str]:
    """What has the operators named by what their states mean, so that a savepoint is good for a job that has other KPIs as well."""
    found = {_TARGET: "livekpi"} | ({f"livekpi.{_TARGET}": given[_TARGET]} if _TARGET in given else {})
    for name, source in definition.sources.items():
        found[f"livekpi.source.{_records(name)}"] = f"{name} {source.origin}"
        if source.spec.id is not None:
            found[f"livekpi.ids.{_records(name)}"] = f"{name} {source.spec.id}"
    return found


_CLASSES = (
    *(
        "Add",
        "Subtract",
        "Multiply",
        "Divide",
        "Abs",
        "Modulo",
        "Compare",
        "Greatest",
        "Least",
        "Ln",
        "Round",
        "Upper",
        "Lower",
        "Trim",
        "Left",
        "Right",
    ),
    *("Substring", "Replace", "SplitPart", "Contains", "StartsWith", "Like", "ToInteger", "ToNumber", "ToDecimal", "ToBoolean", "Text"),
    *("JsonPart", "Stamp", "Micros", "Named"),
)
FUNCTIONS = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_"): f"Functions${name}" for name in _CLASSES}
FUNCTIONS["cells"] = "Cells"
"""Our functions: name in SQL → class."""


class _SourceRendering:
    """What one source needs."""

    def __init__(self, definition: Definition, source: SourceDefinition, groupings: Iterable[Grouping], spec: Flink) -> None:
        self._definition, self._source, self._groupings, self._spec = definition, source, tuple(groupings), spec
        self._fields: Mapping[str, Field] = source.fields
        self._expressions = Expressions(self._fields)
        self._records, self._events = quote(_records(source.name)), quote(f"events_{source.name}")
        self._sinks: list[str] = []
        self._prefix = definition.topics

    def setup(self) -> list[str]:
        self._sinks = []
        self.inserts()
        return [self._records_table(), self._events_view(), *self._sinks]

    def inserts(self) -> list[str]:
        found = [insert for grouping in self._groupings for insert in self._grouping(grouping)]
        return [*found, self._progress(), self._dead_letters()]

    def _records_table(self) -> str:
        """The records with the fields that are needed; all that are declared are checked."""
        needed = self._needed()
        columns = [f"{quote(name)} {sql_type(self._fields[name].type)}" for name in needed]
        columns += [f"{name} {type_}" for name, type_ in _OWN_COLUMNS.items()]
        columns += [f"{name} {type_} METADATA FROM '{key}' VIRTUAL" for name, (type_, key) in _METADATA.items()]
        kafka = self._source.spec.kafka
        assert kafka is not None, "checked with the file"
        options = {
            "connector": "kafka",
            "topic": kafka.topic,
            "properties.bootstrap.servers": kafka.brokers,
            "properties.group.id": f"livekpi-{self._prefix}-{self._source.name}",
            "scan.startup.mode": f"{kafka.start}-offset",
            "scan.topic-partition-discovery.interval": "10 s",
            # Java's client reads what was aborted, too, unless it is told so; librdkafka does not
            "properties.isolation.level": "read_committed",
            **_client(kafka.settings),
            "format": "livekpi",
            "livekpi.time": self._source.spec.time,
            "livekpi.ahead-us": str(self._source.ahead_us),
            "livekpi.fields": "\n".join(f"{field.name}: {declaration(field)}" for field in self._fields.values()),
        }
        return _create("TEMPORARY TABLE", self._records, columns, options)

    def _needed(self) -> list[str]:
        found: set[str] = set() if self._source.spec.id is None else {self._source.spec.id}
        for grouping in self._groupings:
            found.update(grouping.by)
            trees = [tree for partial in grouping.partials for tree in (partial.argument, partial.where) if tree is not None]
            found.update(node.name for tree in trees for node in tree.find_all(exp.Column))
        return [name for name in self._fields if name in found]

    def _events_view(self) -> str:
        position = f"_partition * {ORDINAL_POSITIONS} + _offset AS _position"
        columns = ", ".join([*map(quote, self._needed()), "_time", position])
        events = f"SELECT {columns} FROM {self._records} WHERE _code IS NULL"
        id_field = self._source.spec.id
        if id_field is not None:
            # an event without an id is like no other
            own = f"COALESCE('{VALUE}' || {_text(quote(id_field), self._fields[id_field].type)}, CAST(_position AS STRING))"
            events = f"SELECT *, {own} AS {_ID} FROM ({events})"
            names = ", ".join([*map(quote, self._needed()), "_time", "_position"])
            first = f"ROW_NUMBER() OVER (PARTITION BY {_ID} ORDER BY PROCTIME()) AS {_COUNT}"
            events = f"SELECT {names} FROM (SELECT *, {first} FROM ({events})) WHERE {_COUNT} = 1"
        return f"CREATE TEMPORARY VIEW {self._events} AS {events}"

    def _grouping(self, grouping: Grouping) -> Iterable[str]:
        yield self._cells(grouping)
        for partial in grouping.spreads:
            yield self._bins(grouping, partial) if partial.kind == "bins" else self._distinct(grouping, partial)

    def _cells(self, grouping: Grouping) -> str:
        """A row a group. Its state knows each partial by its name, so that one more or less leaves it to the others."""
        inner, table = _Columns(), cells(grouping)
        given = [inner.add(self._given(partial)) for partial in grouping.cells]
        keys, names = _keys(grouping), [column(partial).name for partial in grouping.cells]
        rows = f"SELECT {self._keyed(grouping, inner.sql)} FROM {self._events}"
        hint = f"/*+ STATE_TTL('k' = '{_duration(self._ttl(grouping))}') */"
        merged = f"COUNT(*) AS n, {call('cells', text(' '.join(names)), *given)} AS _cells"
        groups = f"SELECT {hint} {', '.join(keys)}, {merged}\n  FROM ({rows}) AS k\n  GROUP BY {', '.join(keys)}"
        shown = [_named(table.name, "CAST(n AS STRING)"), *(f"_cells[{at + 1}]" for at in range(len(names)))]
        return self._insert(table_topic(self._prefix, table), f"SELECT {', '.join([*keys, *shown])} FROM (\n  {groups})")

    def _given(self, partial: Partial) -> str:
        """What an event gives to a cell; null where it gives nothing."""
        conditions = [] if partial.where is None else [self._expressions.condition(partial.where)]
        given = "TRUE"
        if partial.argument is not None:
            value = self._expressions.value(partial.argument, partial.type)
            value_type = value.type or partial.type
            if partial.kind in ("last", "first"):
                given = call("stamp", "_time", "_position", value.text if value_type.kind == "number" else _text(value.text, value_type))
            elif partial.kind == "count":
                conditions.append(f"{value.text} IS NOT NULL")
            elif value_type.kind == "timestamp":
                given = call("micros", value.text)
            else:
                given = f"CAST({value.text} AS BIGINT)" if value_type.kind == "integer" else value.text
        return f"CASE WHEN {' AND '.join(f'({each})' for each in conditions)} THEN {given} END" if conditions else given

    def _bins(self, grouping: Grouping, partial: Partial) -> str:
        keys = [*_keys(grouping), quote("key")]
        value = self._value(partial)
        number = Expressions({"v": value[1]}).render(bin_tree(exp.column("v"))).text
        rows = f"SELECT {', '.join(_keys(grouping))}, {number} AS {quote('key')} FROM ({self._values(grouping, partial, value[0])})"
        hint = f"/*+ STATE_TTL('k' = '{_duration(self._ttl(grouping))}') */"
        groups = f"SELECT {hint} {', '.join(keys)}, COUNT(*) AS n\n  FROM ({rows}) AS k\n  WHERE {quote('key')} IS NOT NULL"
        groups += f" GROUP BY {', '.join(keys)}"
        table = spread(grouping, partial)
        count = _named(table.name, "CAST(n AS STRING)")
        return self._insert(table_topic(self._prefix, table), f"SELECT {', '.join(keys)}, {count} FROM (\n  {groups})")

    def _distinct(self, grouping: Grouping, partial: Partial) -> str:
        """The first row of each value: later ones change nothing, so they cost no output."""
        value, type_ = self._value(partial)
        keys = ", ".join(_keys(grouping))
        once = f"ROW_NUMBER() OVER (PARTITION BY {keys}, v ORDER BY PROCTIME()) AS _count"
        rows = self._values(grouping, partial, call("text", value) if type_.kind in ("number", "timestamp") else _text(value, type_))
        firsts = f"SELECT *, {once}\n  FROM ({rows}) WHERE v IS NOT NULL"
        table = spread(grouping, partial)
        key = f"MD5({_named(table.name, 'v')})"
        return self._insert(table_topic(self._prefix, table), f"SELECT {keys}, {key} FROM (\n  {firsts}) WHERE _count = 1")

    def _value(self, partial: Partial) -> tuple[str, Type]:
        assert partial.argument is not None
        value = self._expressions.value(partial.argument, partial.type)
        return value.text, value.type or partial.type

    def _values(self, grouping: Grouping, partial: Partial, value: str) -> str:
        where = "" if partial.where is None else f" WHERE {self._expressions.condition(partial.where)}"
        return f"SELECT {self._keyed(grouping, [f'{value} AS v'])} FROM {self._events}{where}"

    def _keyed(self, grouping: Grouping, columns: Iterable[str]) -> str:
        """The bucket and the dimensions as an event has them, and more columns."""
        bucket = f"_time - MOD(_time, {grouping.every_us}) AS bucket"
        sides = zip(map(self._dimension, grouping.by), dimensions(grouping), strict=True)
        return ", ".join([bucket, *(f"{sql} AS {name}" for sql, name in sides), *columns])

    def _dimension(self, name: str) -> str:
        return f"COALESCE('{VALUE}' || {_text(quote(name), self._fields[name].type)}, '{NULL}')"

    def _ttl(self, grouping: Grouping) -> int:
        """How long a group's state is kept after its last event, µs: until the server takes no more rows of its bucket.

        A state that went earlier would begin anew with a late event, whose row would not have the whole. The server counts by the
        events' times and Flink by the clock, so that it does go earlier where a source is silent for longer than `_SILENCE`.
        """
        return state_ttl_us(self._definition, grouping)

    def _progress(self) -> str:
        """Its state is that of the topic the records come from: another has other offsets."""
        hint = "/*+ STATE_TTL('k' = '0s') */"
        made = f"SELECT {hint} _partition AS p, COUNT(*) AS n, MAX(_offset) AS o, MAX(_time) AS t"
        count = _named(f"progress_{self._source.name} {self._source.origin}", "n")
        return self._insert(
            progress_topic(self._prefix, self._source.name),
            f"SELECT p, {count}, o, t FROM (\n  {made}\n  FROM {self._records} AS k GROUP BY _partition)",
        )

    def _dead_letters(self) -> str:
        columns = f"_partition, _offset, _field, _reason, {_named(f'dead_letters_{self._source.name}', '_code')}, _record, _record_base64"
        return self._insert(
            dead_letters_topic(self._prefix, self._source.name), f"SELECT {columns} FROM {self._records} WHERE _code IS NOT NULL"
        )

    def _insert(self, topic: Topic, rows: str) -> str:
        self._sinks.append(self._sink(topic))
        return f"INSERT INTO {quote(_sink_name(topic))}\n{rows}"

    def _sink(self, topic: Topic) -> str:
        kafka = self._source.spec.kafka
        assert kafka is not None, "checked with the file"
        columns = [f"{quote(name)} {_JSON_TYPES[kind]}" for name, kind in topic.value.items()]
        columns.append(f"PRIMARY KEY ({', '.join(map(quote, topic.key))}) NOT ENFORCED")
        client = kafka.settings if self._spec.client is None else self._spec.client
        options = {
            "connector": "upsert-kafka",
            "topic": topic.name,
            "properties.bootstrap.servers": self._spec.brokers or kafka.brokers,
            **_client(client),
            "key.format": "json",
            "value.format": "json",
            "sink.buffer-flush.max-rows": "5000",
            "sink.buffer-flush.interval": "500 ms",
        }
        return _create("TEMPORARY TABLE", quote(_sink_name(topic)), columns, options)


class _Columns:
    """What is computed of an event for a grouping's cells, each expression once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, sql: str) -> str:
        """The name of the column that holds an expression's value."""
        return self._names.setdefault(sql, f"c{len(self._names)}")

    @property
    def sql(self) -> list[str]:
        return [f"{sql} AS {name}" for sql, name in self._names.items()]


def _records(source: str) -> str:
    """The table of a source's records."""
    return f"records_{source}"


def declaration(field: Field) -> str:
    """A field's type as the file declares it."""
    type_ = f"timestamp({field.time_format})" if field.time_format is not None else str(field.type)
    return f"optional {type_}" if field.optional else type_


def state_ttl_us(definition: Definition, grouping: Grouping) -> int:
    """How long a grouping's state is kept after its last change: as long as its finest buckets, `late` more, and a silence."""
    kept_us = tiers(grouping.every_us, definition.keep_us)[0][1]
    return kept_us + definition.sources[grouping.source].late_us + microseconds(_SILENCE)


def _remembered(definition: Definition, plan: Plan) -> str:
    """How long ids and distinct values are remembered; to forget one of the latter costs a row that is there already."""
    ids = [source.remember_us for source in definition.sources.values() if source.spec.id is not None]
    return _duration(max(ids or [state_ttl_us(definition, grouping) for grouping in plan.all()]))


def _duration(us: int) -> str:
    return f"{math.ceil(us / _SECOND_US)}s"


def _keys(grouping: Grouping) -> list[str]:
    return ["bucket", *dimensions(grouping)]


def _named(name: str, value: str) -> str:
    """A value of a state, of which it says the name: see java/livekpi/flink/Executor.java."""
    return call("named", text(name), value)


def _sink_name(topic: Topic) -> str:
    return f"to {topic.name}"


def _text(value: str, type_: Type) -> str:
    """A value's text: what tells it from others, and what it is written as."""
    if type_.kind in ("string", "json"):
        return value
    if type_.kind == "boolean":
        return f"CASE WHEN {value} THEN 'true' WHEN NOT {value} THEN 'false' END"
    if type_.kind == "number":
        return call("text", value)
    return f"CAST({call('micros', value) if type_.kind == 'timestamp' else value} AS STRING)"


def _create(what: str, name: str, columns: Iterable[str], options: Mapping[str, str]) -> str:
    lines = ",\n".join(f"  {text(key)} = {text(value)}" for key, value in options.items())
    return f"CREATE {what} {name} (\n  {', '.join(columns)}\n) WITH (\n{lines}\n)"


def _client(settings: Mapping[str, Setting]) -> dict[str, str]:
    """A client's settings as options of a table."""
    return {f"properties.{name}": value for name, value in client_settings(settings, _KAFKA_CLASSES).items()}
