"""How names, texts and types are written in Flink's SQL."""

from livekpi.definition.types import Type

FUNCTION = "livekpi_"
"""What the names of our own functions begin with."""
_NAMES = {"string": "STRING", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP(6)", "json": "STRING"}


def sql_type(type_: Type) -> str:
    """Flink's type for values of a type."""
    return f"DECIMAL({type_.precision}, {type_.scale})" if type_.kind == "decimal" else _NAMES[type_.kind]


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def call(function: str, *arguments: str) -> str:
    """A call of one of our own functions."""
    return f"{FUNCTION}{function}({', '.join(arguments)})"
