"""Points as people and programs read them: JSON lines, CSV, a table."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich.table import Table
from rich.text import Text

from livekpi.moments import datetime_of, time_text
from livekpi.query.points import Dimension, Point, Points, Value
from livekpi.store.dead_letters import StoredDeadLetter

# decimals are written as they are, digit by digit
_JSON = msgspec.json.Encoder(decimal_format="number")
_QUOTED = re.compile(r'[",\r\n]')
EXTRA_KEYS = {"band": ("expected", "low", "high", "score"), "prediction": ("predicted", "predicted_low", "predicted_high")}
"""What a point has beside its value where it is asked for it."""


def json_value(value: Value) -> Value:
    """A value as JSON can hold it: whole decimals and floats stay numbers, a time becomes text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    return value


def point_object(points: Points, point: Point) -> dict[str, Value | Dimension]:
    """A point as the contract has it: time, dimensions by name, value, final; when it was corrected after that, if it was; and what
    else was asked for, where it is known."""
    found: dict[str, Value | Dimension] = {"time": time_text(point.time_us)}
    found.update(zip(points.dimensions, point.dimensions, strict=True))
    found["value"], found["final"] = json_value(point.value), point.final
    if points.compared:
        found["before"] = None if point.before is None else json_value(point.before)
    if point.corrected_us is not None:
        found["corrected"] = time_text(point.corrected_us)
    if points.also:
        found.update((name, value) for name, value in _extras(points, point) if value is not None)
    return found


def _extras(points: Points, point: Point) -> Iterator[tuple[str, float | None]]:
    """What else was asked for, each number by its key; None where it is not known."""
    known = {"band": point.standing, "prediction": point.outlook}
    for name in points.also:
        keys, found = EXTRA_KEYS[name], known[name]
        yield from zip(keys, (None,) * len(keys) if found is None else astuple(found), strict=True)


def encode(value: object) -> bytes:
    """JSON in which decimals are exact numbers."""
    return _JSON.encode(value)


def json_lines(points: Points) -> Iterator[str]:
    """One JSON object a point."""
    return (encode(point_object(points, point)).decode() for point in points.points)


def csv_text(points: Points) -> str:
    """CSV with a header; what is null is empty, and empty text is `""`."""
    extras = [key for name in points.also for key in EXTRA_KEYS[name]]
    lines = [_csv_line(["time", *points.dimensions, "value", "final", *(["before"] if points.compared else []), *extras])]
    for point in points.points:
        before = [point.before] if points.compared else []
        numbers = [*before, *(value for _, value in _extras(points, point))]
        lines.append(_csv_line([time_text(point.time_us), *point.dimensions, point.value, point.final, *numbers]))
    return "".join(lines)


def _csv_line(values: Iterable[Value | Dimension]) -> str:
    """By hand, as Python's writer can't tell null from empty text before 3.12."""
    return ",".join(map(_csv_cell, values)) + "\n"


def _csv_cell(value: Value | Dimension) -> str:
    if value is None:
        return ""
    text = _plain(value)
    return '"' + text.replace('"', '""') + '"' if not text or _QUOTED.search(text) else text


def _plain(value: Value | int) -> str:
    """A value as it stands in text, booleans and times as in JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(json_value(value))


def table(points: Points, timezone: str) -> Table:
    """A table for a terminal, with times in the zone asked in."""
    found = Table(box=None, header_style="bold", pad_edge=False)
    found.add_column(f"time ({timezone})")
    for name in points.dimensions:
        found.add_column(name)
    found.add_column(_cell(f"{points.kpi} ({points.unit})" if points.unit else points.kpi), justify="right")
    if points.compared:
        found.add_column("before", justify="right")
    for key in (key for name in points.also for key in EXTRA_KEYS[name]):
        found.add_column(key.replace("_", " "), justify="right")
    found.add_column("")
    zone = ZoneInfo(timezone)
    for point in points.points:
        moment = datetime_of(point.time_us, zone)
        dimensions = (_cell("∅" if value is None else _plain(value)) for value in point.dimensions)
        before = [_cell(shown(point.before))] if points.compared else []
        extras = [shown(value) for _, value in _extras(points, point)]
        last = ("" if point.corrected_us is None else "corrected") if point.final else "provisional"
        found.add_row(f"{moment:%Y-%m-%d %H:%M:%S}", *dimensions, _cell(shown(point.value)), *before, *extras, last)
    return found


def _cell(text: str) -> Text:
    """Text as it is, without anything that a terminal or the table would take for a command."""
    return Text("".join(character if character.isprintable() else " " for character in text))


def shown(value: Value | None) -> str:
    """A value for reading: thousands apart, at most six significant places behind the point."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return f"{value:,}"
    return _plain(value)


def dead_letter_object(letter: StoredDeadLetter) -> dict[str, Any]:
    """A dead letter for programs; its bytes as text where they are UTF-8, in base64 where not."""
    found = {
        "number": letter.number,
        "source": letter.source,
        "partition": letter.partition,
        "position": letter.position,
        "field": letter.field,
        "code": letter.code,
        "reason": letter.reason,
        "arrived": time_text(letter.arrived_us),
        **({} if letter.columns is None else {"columns": letter.columns}),
    }
    try:
        return {**found, "record": letter.record.decode()}
    except UnicodeDecodeError:
        return {**found, "record_base64": base64.b64encode(letter.record).decode()}
