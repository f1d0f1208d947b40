"""The types a field can have, and how text is cut into fields."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from livekpi.definition.problems import nearest

Kind = Literal["string", "integer", "number", "decimal", "boolean", "timestamp", "json"]
Delimiter = Literal[",", ";", "\t", "|"]
"""What stands between the cells of CSV."""
MAX_DIGITS = 38
"""Of a decimal: what has room in the 128 bits that DuckDB and Arrow give it, and Flink's and Spark's limit too."""

_FIELD = re.compile(r"(?P<optional>optional\s+)?(?P<kind>[A-Za-z0-9_]+)\s*(?:\((?P<argument>.*)\))?", re.DOTALL)
_EPOCHS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
_OTHER_NAMES = {
    **dict.fromkeys(("text", "varchar", "str", "uuid", "enum"), "string"),
    **dict.fromkeys(("int", "bigint", "long", "count"), "integer"),
    **dict.fromkeys(("float", "double", "real"), "number"),
    **dict.fromkeys(("numeric", "money"), "decimal"),
    **dict.fromkeys(("datetime", "date", "time"), "timestamp"),
    **dict.fromkeys(("object", "array", "struct", "list", "map"), "json"),
}
EXPECTED = (
    "string, integer, number, decimal(p, s), boolean, timestamp, timestamp(FORMAT) or json, with `optional` before it where null is allowed"
)


@dataclass(frozen=True, slots=True)
class Type:
    """A value's type; precision and scale are a decimal's."""

    kind: Kind
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({self.precision}, {self.scale})" if self.kind == "decimal" else self.kind

    @property
    def numeric(self) -> bool:
        return self.kind in ("integer", "number", "decimal")


STRING, INTEGER, NUMBER, BOOLEAN, TIMESTAMP, JSON = (Type(kind) for kind in ("string", "integer", "number", "boolean", "timestamp", "json"))
_SIMPLE = {"string": STRING, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN, "timestamp": TIMESTAMP, "json": JSON}
SIMPLE_KINDS = tuple(_SIMPLE)


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field of a source's events."""

    name: str
    type: Type
    optional: bool = False
    time_format: str | None = None
    """For a timestamp: None is ISO 8601 with a zone; epoch_s, epoch_ms, epoch_us, epoch_ns; else a strptime pattern."""

    def __str__(self) -> str:
        """The declaration, as `parse_field` reads it."""
        form = f"({self.time_format})" if self.time_format is not None else ""
        return f"{'optional ' if self.optional else ''}{self.type}{form}"


def parse_field(name: str, text: str) -> Field:
    """Reads a declaration such as ``optional decimal(18, 2)``; raises ValueError with what was expected."""
    match = _FIELD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected {EXPECTED}")
    optional, kind, argument = match["optional"] is not None, match["kind"], match["argument"]
    if kind == "decimal":
        numbers = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", argument or "")
        if numbers is None:
            raise ValueError("expected decimal(precision, scale), such as decimal(18, 2)")
        precision, scale = int(numbers[1]), int(numbers[2])
        if not 1 <= precision <= MAX_DIGITS or scale > precision:
            raise ValueError(f"expected a precision from 1 to {MAX_DIGITS} and a scale not above it")
        return Field(name, Type("decimal", precision, scale), optional)
    if kind == "timestamp" and argument is not None:
        if argument not in _EPOCHS:
            _check_pattern(argument)
        return Field(name, TIMESTAMP, optional, argument)
    if kind not in _SIMPLE or argument is not None:
        raise ValueError(f"expected {EXPECTED}{'' if kind in _SIMPLE else _meant(kind)}")
    return Field(name, _SIMPLE[kind], optional)


def _check_pattern(pattern: str) -> None:
    """Raises ValueError where a pattern can't be one of times; Python says so only when a text is read by it."""
    if "%" not in pattern:
        raise ValueError(f"expected timestamp with {', '.join(_EPOCHS)} or a strptime pattern, such as timestamp(%d/%b/%Y:%H:%M:%S %z)")
    try:
        datetime.strptime("", pattern)  # noqa: DTZ007 - no time is made
    except re.error as error:
        raise ValueError(f"expected a strptime pattern with each part once: {error}") from error
    except ValueError as error:
        if "directive" in str(error) or "stray" in str(error) or "incompatible" in str(error):
            raise ValueError(f"expected a strptime pattern: {error}") from error
    if not re.search("%[YycxG]", pattern.replace("%%", "")):
        raise ValueError("expected a strptime pattern with a year, %Y")


def _meant(kind: str) -> str:
    """The type that is called `kind` elsewhere, or is spelt nearly so."""
    return f"; did you mean {_OTHER_NAMES[kind]!r}?" if kind in _OTHER_NAMES else nearest(kind, (*_SIMPLE, "decimal"))
