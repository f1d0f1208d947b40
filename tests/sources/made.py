"""Sources and chunks for tests, made in a line."""

from collections.abc import Mapping, Sequence
from typing import Any

from livekpi.definition.definition import SourceDefinition
from livekpi.definition.resolve.log_formats import LOG_FIELDS
from livekpi.definition.shape.model import File, SourceSpec
from livekpi.definition.types import parse_field
from livekpi.sources.base import Chunk

NOW_US = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z


def source(fields: Mapping[str, str], time: str = "ts", **rest: Any) -> SourceDefinition:
    """A source of JSON events, called `shop`; a field for the time is added."""
    declared = {time: "timestamp"} | dict(fields)
    spec = SourceSpec(**({"http": {}} | rest), time=time, fields=declared)
    return SourceDefinition("shop", spec, {name: parse_field(name, text) for name, text in declared.items()})


def text_source(fields: Mapping[str, str], **file: Any) -> SourceDefinition:
    """A source of a file's lines; combined and common get their own fields."""
    kind = File(path="x", **file)
    own = LOG_FIELDS.get(kind.format)
    spec = SourceSpec(file=kind, time="time" if own else "ts", fields=dict(fields))
    return SourceDefinition("log", spec, own or {name: parse_field(name, text) for name, text in fields.items()})


def chunk(records: Sequence[bytes | None], partition: str = "0", first: int = 0, **rest: Any) -> Chunk:
    """Records at positions that count up from `first`."""
    positions = list(range(first, first + len(records)))
    return Chunk(partition, records, positions, first + len(records), **rest)
