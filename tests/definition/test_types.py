import pytest

from livekpi.definition.types import BOOLEAN, INTEGER, JSON, NUMBER, STRING, TIMESTAMP, Field, Type, parse_field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("string", Field("f", STRING)),
        ("optional integer", Field("f", INTEGER, optional=True)),
        (" optional  number ", Field("f", NUMBER, optional=True)),
        ("decimal(18, 2)", Field("f", Type("decimal", 18, 2))),
        ("decimal( 38,38 )", Field("f", Type("decimal", 38, 38))),
        ("boolean", Field("f", BOOLEAN)),
        ("json", Field("f", JSON)),
        ("timestamp", Field("f", TIMESTAMP)),
        ("timestamp(epoch_ms)", Field("f", TIMESTAMP, time_format="epoch_ms")),
        ("timestamp(%d/%b/%Y:%H:%M:%S %z)", Field("f", TIMESTAMP, time_format="%d/%b/%Y:%H:%M:%S %z")),
    ],
)
def test_a_declaration_is_read(text: str, field: Field) -> None:
    assert parse_field("f", text) == field
    assert parse_field("f", str(field)) == field


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strnig", r"^expected string, integer.*; did you mean 'string'\?$"),
        ("INTEGER", r"; did you mean 'integer'\?$"),
        ("float", r"; did you mean 'number'\?$"),
        ("datetime", r"; did you mean 'timestamp'\?$"),
        ("optional varchar", r"; did you mean 'string'\?$"),
        ("money", r"; did you mean 'decimal'\?$"),
        ("", r"^expected string, integer"),
        ("string or null", r"^expected string, integer"),
        ("string(5)", r"with `optional` before it where null is allowed$"),
        ("decimal", r"^expected decimal\(precision, scale\), such as decimal\(18, 2\)$"),
        ("decimal(2, 3)", r"^expected a precision from 1 to 38 and a scale not above it$"),
        ("decimal(39, 0)", r"^expected a precision from 1 to 38"),
        ("timestamp(%Q)", r"^expected a strptime pattern: 'Q' is a bad directive in format '%Q'$"),
        ("timestamp(%Y-%m-%)", r"^expected a strptime pattern: stray %"),
        ("timestamp(%Y-%d-%d)", r"^expected a strptime pattern with each part once: redefinition of group name 'd'"),
        ("timestamp(%b %d %H:%M:%S)", r"^expected a strptime pattern with a year, %Y$"),
        ("timestamp(%%Y %m)", r"^expected a strptime pattern with a year, %Y$"),
        ("timestamp(ms)", r"^expected timestamp with epoch_s, epoch_ms, epoch_us, epoch_ns or a strptime pattern"),
    ],
)
def test_a_wrong_declaration_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_field("f", text)
