"""What check says of scalar expressions that no engine could compute."""

from collections.abc import Mapping

import pytest

from livekpi.definition.problems import ExpressionError
from livekpi.definition.sql.expressions import Frame, parse_value
from livekpi.definition.types import Field, parse_field

FIELDS: Mapping[str, Field] = {
    name: parse_field(name, text)
    for name, text in {
        "n": "integer",
        "x": "number",
        "s": "string",
        "d": "decimal(18, 8)",
        "wide": "decimal(38, 0)",
        "tiny": "decimal(18, 18)",
        "most": "decimal(37, 2)",
    }.items()
}
FRAME = Frame("s", FIELDS, 60_000_000, 60_000_000, ())


def check(text: str) -> None:
    parse_value(text, FRAME, {})


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("max(wide + 1)", 39),
        ("max(wide - wide)", 39),
        ("max(wide * 2)", 39),
        ("max(mod(wide, 1.5))", 39),
        ("max(d * d * d)", 54),
        ("count_if(wide > tiny)", 56),
        ("count_if(wide in (1, 2.5))", 39),
        ("count_if(tiny between 0 and wide)", 56),
        ("max(coalesce(wide, tiny))", 56),
        ("max(case when x > 1 then wide else 0.5 end)", 39),
    ],
)
def test_what_needs_more_digits_than_there_are_is_refused(text: str, needed: int) -> None:
    with pytest.raises(ExpressionError, match=f"needs {needed} digits, more than 38: cast one side to a smaller decimal or to double"):
        check(text)


@pytest.mark.parametrize(
    "text",
    ["max(mod(wide, 7))", "max(most + 1)", "max(n * d)", "max(d * d)", "max(greatest(most, 0.001))", "max(000000000000000001.5 * d)"],
)
def test_what_has_38_digits_is_not(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "sum(round(x, n))",
            "sum(round(x, 1 + 1))",
            "sum(round(x, 39))",
            "sum(round(x, -39))",
            "sum(round(x, null))",
            "sum(round(x, length(s)))",
        ),
        *("round(sum(x), sum(n))", "round(sum(x), count(*))"),
    ],
)
def test_rounding_to_digits_that_are_not_written_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="round expects a whole number of digits from -38 to 38"):
        check(text)


@pytest.mark.parametrize("digits", ["0", "2", "-2", "38", "-38"])
def test_rounding_to_written_digits_is_not(digits: str) -> None:
    check(f"round(sum(round(x, {digits})), {digits})")
