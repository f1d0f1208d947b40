"""The Kafka topics in which a cluster's job hands over what it computes: one a table of the store, and two a source.

Keys and values are JSON objects; a value repeats its key's fields, so that it says all without the key. The topics are compacted, and
a later record replaces an earlier one of the same key: what a job repeats overwrites itself.

A table's record has the table's key columns: ``bucket`` in µs; the dimensions, of which none is ever null (see `NULL`); ``key``, the
number of a bin or the md5 of a distinct value's text in 32 hexadecimal digits. Beside them ``n`` and the partials, each the exact text
of its value (see `text_format` in docs/engines.md) or null.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from livekpi.engine.plan import Grouping, Plan
from livekpi.store.layout import Table, tables

NULL, VALUE = "n", "v"
"""What a dimension's text begins with: a null is `n` alone, a value `v` and its text. So a key has no null, and tells null from ''."""

JsonKind = Literal["integer", "text"]
"""How a field is written: as a JSON number, or as a JSON string (which, outside of keys, may be null)."""


@dataclass(frozen=True)
class Topic:
    """A topic: its name, and the fields of its records with the way they are written."""

    name: str
    key: Mapping[str, JsonKind]
    rest: Mapping[str, JsonKind]
    """The value's fields beside the key's."""

    @property
    def value(self) -> Mapping[str, JsonKind]:
        """All fields of the value, the key's first."""
        return {**self.key, **self.rest}


def table_topic(prefix: str, table: Table) -> Topic:
    """The topic of a table of partials. Distinct values have no fields but the key's: that a record is there says all."""
    key: dict[str, JsonKind] = {name: "text" for name, _ in table.keys}
    key["bucket"] = "integer"
    if dict(table.keys).get("key") == "INTEGER":
        key["key"] = "integer"
    return Topic(f"{prefix}.{table.name}", key, {column.name: "text" for column in table.values if column.name != "rank"})


def progress_topic(prefix: str, source: str) -> Topic:
    """How far the job has read a source, a record a partition of it.

    `n` counts its events and dead letters, `offset` is the greatest of them, `time` the greatest event time in µs, null before one.
    """
    return Topic(f"{prefix}.progress_{source}", {"partition": "integer"}, {"n": "integer", "offset": "integer", "time": "integer"})


def dead_letters_topic(prefix: str, source: str) -> Topic:
    """The records of a source that could not be counted; `record` is their text, or `record_base64` their bytes where they have none."""
    rest: dict[str, JsonKind] = dict.fromkeys(("field", "reason", "code", "record", "record_base64"), "text")
    return Topic(f"{prefix}.dead_letters_{source}", {"partition": "integer", "offset": "integer"}, rest)


def grouping_topics(prefix: str, grouping: Grouping) -> tuple[Topic, ...]:
    """The topics of a grouping's tables, cells first."""
    return tuple(table_topic(prefix, table) for table in tables(grouping))


def source_topics(prefix: str, source: str, groupings: Iterable[Grouping]) -> tuple[Topic, ...]:
    """All topics with what becomes of a source."""
    found = (topic for grouping in groupings for topic in grouping_topics(prefix, grouping))
    return (*found, progress_topic(prefix, source), dead_letters_topic(prefix, source))


def all_topics(prefix: str, plan: Plan) -> dict[str, tuple[Topic, ...]]:
    """All topics of a plan's job, by source."""
    return {source: source_topics(prefix, source, groupings) for source, groupings in plan.groupings.items()}
