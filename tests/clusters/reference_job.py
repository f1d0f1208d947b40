"""A cluster's job in plain Python, slow and plain to see through: events in, rows of partials out. Of livekpi it knows the names only."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from livekpi.definition.definition import Definition
from livekpi.engine.plan import Grouping, grouping_of, make_plan, partial_of
from livekpi.engine.topics import dead_letters_topic, progress_topic, table_topic
from livekpi.store.layout import cells, column, spread
from tests.oracle.oracle import WIDE, Event, Part
from tests.properties.shop import KPIS
from tests.properties.worlds import Record

GAMMA = 101 / 99
Key = tuple[Any, ...]
Row = tuple[str, dict[str, Any], dict[str, Any]]
"""A topic, a key, a value."""


@dataclass(frozen=True)
class Columns:
    """Where a grouping's partials go: topics, and columns of the cells."""

    by: tuple[str, ...]
    every_us: int
    cells: str
    columns: Mapping[str, Part]
    bins: Mapping[str, Part]
    distinct: Mapping[str, Part]


def columns_of(definition: Definition) -> list[Columns]:
    """Names of what is to be written, by what is to be computed."""
    prefix, plan = definition.topics, make_plan(definition)
    found: dict[str, tuple[Grouping, dict[str, Part]]] = {grouping.key: (grouping, {}) for grouping in plan.all()}
    for name, said in KPIS.items():
        if name in definition.kpis and "every" in said.text:
            for aggregate in definition.kpis[name].value.aggregates:
                [part] = [part for part in said.kpi.parts if part.kind == aggregate.kind]
                found[grouping_of(plan, aggregate).key][1][partial_of(aggregate).key] = part
    made = []
    for grouping, parts in found.values():
        topics = {partial.key: table_topic(prefix, spread(grouping, partial)).name for partial in grouping.spreads}
        kinds = {partial.key: partial.kind for partial in grouping.partials}
        made.append(
            Columns(
                grouping.by,
                grouping.every_us,
                table_topic(prefix, cells(grouping)).name,
                {column(partial).name: parts[partial.key] for partial in grouping.cells},
                {topic: parts[key] for key, topic in topics.items() if kinds[key] == "bins"},
                {topic: parts[key] for key, topic in topics.items() if kinds[key] == "distinct"},
            )
        )
    return made


@dataclass
class ReferenceJob:
    """One run of the job. A new one has forgotten all: it must be given every record again."""

    definition: Definition
    source: str
    _columns: list[Columns] = field(init=False)
    _cells: dict[tuple[str, Key], list[Event]] = field(default_factory=dict)
    _changed: dict[tuple[str, str], Row] = field(default_factory=dict)
    _progress: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._columns = columns_of(self.definition)

    def take(self, partition: int, offset: int, record: Record) -> None:
        """Reads a record of the source."""
        at = self._progress.setdefault(partition, {"partition": partition, "n": 0, "offset": 0, "time": None})
        at["n"] += 1
        at["offset"] = offset
        if record.values is None:
            self._write_dead_letter(partition, offset, record.raw)
        else:
            at["time"] = max(at["time"] or 0, record.time_us)
            event = Event(record.time_us, (partition, offset), record.values)
            for columns in self._columns:
                self._count(columns, event)
        topic = progress_topic(self.definition.topics, self.source)
        self._write(topic.name, {"partition": partition}, dict(at))

    def rows(self) -> list[Row]:
        """What has changed since they were last asked for, the last of each key."""
        found, self._changed = list(self._changed.values()), {}
        return found

    def _write(self, topic: str, key: dict[str, Any], value: dict[str, Any]) -> None:
        self._changed[topic, json.dumps(key)] = (topic, key, key | value)

    def _write_dead_letter(self, partition: int, offset: int, raw: bytes) -> None:
        value: dict[str, Any] = {"field": None, "reason": "it is none", "code": "invalid"}
        try:
            value["record"] = raw.decode()
        except UnicodeDecodeError:
            value["record_base64"] = "/w=="  # the only one there is
        self._write(dead_letters_topic(self.definition.topics, self.source).name, {"partition": partition, "offset": offset}, value)

    def _count(self, columns: Columns, event: Event) -> None:
        bucket = event.time_us - event.time_us % columns.every_us
        key = {"bucket": bucket} | {f"d{index}": dimension(event[name]) for index, name in enumerate(columns.by)}
        events = self._cells.setdefault((columns.cells, tuple(key.values())), [])
        events.append(event)
        values = {name: merged(part, events) for name, part in columns.columns.items()}
        self._write(columns.cells, key, {"n": str(len(events)), **values})
        for topic, part in columns.bins.items():
            found = [bin_of(value) for value in arguments(part, events)]
            for value in arguments(part, [event]):
                self._write(topic, key | {"key": bin_of(value)}, {"n": str(found.count(bin_of(value)))})
        for topic, part in columns.distinct.items():
            for value in arguments(part, [event]):
                self._write(topic, key | {"key": md5(shown(value))}, {})


def arguments(part: Part, events: Sequence[Event]) -> list[Any]:
    """What a part aggregates."""
    return [value for event in events if part.where(event) and (value := part.of(event)) is not None]


def merged(part: Part, events: Sequence[Event]) -> str | None:
    """A cell's text."""
    values = arguments(part, events)
    if part.kind == "count":
        return str(len(values))
    if not values:
        return None
    if part.kind in ("last", "first"):
        taken = [event for event in events if arguments(part, [event])]
        chosen = {"last": max, "first": min}[part.kind](taken, key=lambda event: (event.time_us, event.order))
        partition, offset = chosen.order
        return f"{chosen.time_us:020d}{partition * 2**48 + offset:020d}{shown(part.of(chosen))}"
    if part.kind == "sum":
        total = values[0]
        for value in values[1:]:
            total = WIDE.add(total, value) if isinstance(total, Decimal) else total + value
        return shown(total)
    aggregates: Mapping[str, Callable[[list[Any]], Any]] = {"min": min, "max": max}
    return shown(aggregates[part.kind](values))


def shown(value: Any) -> str:
    """A value's exact text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else repr(value) if isinstance(value, float) else str(value)


def dimension(value: Any) -> str:
    return "n" if value is None else f"v{shown(value)}"


def bin_of(value: Any) -> int:
    """DDSketch's bin, its sign the value's."""
    if value == 0:
        return 0
    number = math.ceil(math.log(abs(float(value))) / math.log(GAMMA)) + 2**17
    return number if value > 0 else -number


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def encoded(row: Row) -> tuple[str, bytes, bytes]:
    """A row as it is written."""
    topic, key, value = row
    return topic, json.dumps(key).encode(), json.dumps(value, ensure_ascii=False).encode()
