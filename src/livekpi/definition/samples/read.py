"""Reads sample events, whatever form they have, to learn from them."""

import codecs
import csv
import gzip
import io
import itertools
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Literal, Protocol, get_args

import zstandard

from livekpi.definition.problems import DefinitionError, Problem
from livekpi.definition.types import Delimiter

Form = Literal["ndjson", "csv", "combined", "common", "json"]
"""How events stand in a sample; json is an array of them, or a single one over several lines."""

MAX_BYTES = 16 << 20
MAX_EVENTS = 10_000
_TRIED = 100
"""Rows that are looked at to learn how they are delimited."""

_ACCESS = re.compile(r'\S+ \S+ [^\[]* ?\[\d\d/\w{3}/\d{4}:[^\]]*\] "[^"\\]*(?:\\.[^"\\]*)*" \d{3} (?:\d+|-)(?P<combined> "[^"]*" ".*")?.*')


@dataclass(frozen=True, slots=True)
class Sample:
    """Events to learn from."""

    form: Form
    events: Sequence[dict[str, Any]]
    """Values by field: JSON's as Python has them, fractions as Decimal; CSV's as text, None where a cell is empty.

    There are none for access logs, whose fields are known.
    """
    skipped: int = 0
    """Records among them that are no events."""
    delimiter: str = ","
    """Of CSV."""


def read_sample(path: Path) -> Sample:
    """The first events of a file, plain, gzip or zstd; raises DefinitionError where there are none."""
    try:
        with path.open("rb") as file:
            raw = _unpacked(file).read(MAX_BYTES)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise _error(path, f"can't be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(raw, final=len(raw) < MAX_BYTES)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _error(path, f"expected UTF-8, found the byte 0x{raw[error.start]:02x}", line) from error
    if len(raw) == MAX_BYTES:
        text = text.rpartition("\n")[0] or text  # the last line was cut
    return _events(text, path)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _unpacked(file: IO[bytes]) -> _Readable:
    magic = file.read(4)
    file.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(file)
    if magic == b"\x28\xb5\x2f\xfd":
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    return file


def _events(text: str, path: Path) -> Sample:
    start = text.lstrip()[:1]
    if not start:
        raise _error(path, "is empty; expected some events")
    if start == "[":
        return _array(text, path)
    lines = [line for line in text.split("\n") if line.strip()]
    if start == "{":
        return _objects(lines, text, path)
    hits = [match for line in lines[:100] if (match := _ACCESS.fullmatch(line.rstrip("\r"))) is not None]
    if len(hits) * 10 >= len(lines[:100]) * 9:
        return Sample("combined" if all(match["combined"] for match in hits) else "common", ())
    return _table(text, path)


def _array(text: str, path: Path) -> Sample:
    found = _json(text)
    if not isinstance(found, list):
        raise _error(path, f"expected an array of events, whole and of at most {MAX_BYTES >> 20} MiB; else put one event on a line")
    return _sample("json", found[:MAX_EVENTS], path)


def _objects(lines: Sequence[str], text: str, path: Path) -> Sample:
    if _json(lines[0]) is None and isinstance(single := _json(text), dict):
        return Sample("json", (single,))
    return _sample("ndjson", map(_json, lines[:MAX_EVENTS]), path)


def _sample(form: Form, found: Iterable[Any], path: Path) -> Sample:
    records = list(found)
    events = [event for event in records if isinstance(event, dict)]
    if len(events) * 2 <= len(records):
        first = next((number for number, event in enumerate(records, start=1) if not isinstance(event, dict)), 1)
        raise _error(path, "expected JSON objects, one a line or in an array", first if form == "ndjson" else 0)
    return Sample(form, events, len(records) - len(events))


def _json(text: str) -> Any:
    """The value, None where the text is no JSON."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _table(text: str, path: Path) -> Sample:
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    header = next(rows, None) or []
    if len(header) < 2:
        raise _error(path, "expected JSON, CSV with a header, or an access log in common or combined format", 1)
    if len(set(header)) < len(header) or not all(header):
        raise _error(path, f"expected a header with different names, got {', '.join(map(ascii, header))}", 1)
    events: list[dict[str, Any]] = []
    skipped = 0
    for row in itertools.islice(rows, MAX_EVENTS):
        if row is not None and len(row) == len(header):
            events.append({name: cell or None for name, cell in zip(header, row, strict=True)})
        else:
            skipped += row != []
    if len(events) <= skipped:
        raise _error(path, f"expected rows of {len(header)} cells, as many as the header has", 2)
    return Sample("csv", events, skipped, delimiter)


def _delimiter(text: str) -> Delimiter:
    """What cuts most rows into as many cells as the header has names, which are several; of such the one that gives most names."""
    signs: tuple[Delimiter, ...] = get_args(Delimiter)

    def fitting(sign: Delimiter) -> tuple[int, int]:
        header, *rows = itertools.islice(_rows(text, sign), _TRIED)
        names = len(header or ())
        return (sum(len(row or ()) == names for row in rows), names) if names > 1 else (-1, names)

    return max(signs, key=fitting)


def _rows(text: str, delimiter: str) -> Iterator[list[str] | None]:
    """The rows of CSV, None for one that can't be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None


def _error(path: Path, message: str, line: int = 0) -> DefinitionError:
    return DefinitionError([Problem(message, str(path), line, 1 if line else 0)])
