"""What the oracle makes of SQL's operators, against values worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.oracle import sql_values as sql
from tests.oracle.oracle import Event
from tests.oracle.sql_language import INSIDE
from tests.oracle.sql_tree import Node, Operator
from tests.oracle.sql_types import Type, added, multiplied, widest


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (sql.integer_remainder(-7, 2), -1),
        (sql.integer_remainder(7, 0), None),
        (sql.integer(2**63), None),
        (sql.decimal_remainder(Decimal("-7.5"), Decimal(2)), Decimal("-1.5")),
        (sql.rounded(0.25, 1), 0.3),
        (sql.rounded(-0.25, 1), -0.3),
        (sql.fitted(Decimal("9.995"), 3, 2), None),
        (sql.fitted(Decimal("-9.985"), 3, 2), Decimal("-9.99")),
        (sql.among(1, 2, None), None),
        (sql.among(1, 1, None), True),
        (sql.between(5, None, 3), False),
        (sql.between(5, 3, None), None),
        (sql.both(None, False), False),
        (sql.either(None, True), True),
        (sql.nullif("a", "a"), None),
        (sql.like("a\nb", "a_b"), True),
        (sql.like("a.b", "a%c"), False),
        (sql.right("abc", 5), "abc"),
        (sql.split_part("a/b", "/", 3), ""),
        (sql.text_as_integer("1.0"), None),
        (sql.text_as_decimal("2.345", 3, 2), Decimal("2.35")),
        (sql.text_as_time("1970-01-01T01:00:00+01:00"), 0),
        (sql.text_as_time("2026-02-30T00:00:00Z"), None),
        (sql.text_as_time("2026-03-01"), None),
        (sql.part_of_time("hour")(3_600_000_000), 1),
        (sql.weekday(0), 4),
        (sql.weekday(3 * 86_400_000_000), 7),
        (sql.json_text({"l": [1, {"k": [True, None]}]}, "l", 1, "k"), "[true,null]"),
        (sql.json_text({"l": None}, "l"), None),
    ],
)
def test_operators(found: Any, expected: Any) -> None:
    assert found == expected
    assert type(found) is type(expected)


def test_digits() -> None:
    price, whole = Type("decimal", 18, 8), Type("integer")
    assert added([price, price]) == Type("decimal", 19, 8)
    assert widest([price, whole]) == Type("decimal", 27, 8)
    assert multiplied([price, whole]) == Type("decimal", 37, 8)
    assert multiplied([price, Type("integer", 2)]) == Type("decimal", 20, 8)


def operator(form: str, *takes: str) -> Operator:
    return next(each for families in INSIDE.values() for family in families for each in family if (each.form, each.takes) == (form, takes))


def test_a_tree_is_written_and_computed() -> None:
    price = Node("p", Type("decimal", 18, 2), lambda event: event["p"])
    count = Node("n", Type("integer"), lambda event: event["n"])
    product = operator("({} * {})", "decimal", "integer").of([price, count])
    above = operator("({} > {})", "decimal", "decimal").of([product, price])
    assert above.sql == "((p * n) > p)"
    assert product.type == Type("decimal", 37, 2)
    assert not above.too_wide
    assert operator("({} * {})", "decimal", "integer").of([product, count]).too_wide
    values = [above.value(Event(0, (0, 0), {"p": Decimal("1.5"), "n": n})) for n in (2, 1, None)]
    assert values == [True, False, None]
