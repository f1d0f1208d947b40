"""The language of KPIs as a table: what each way to make an expression of others is written like, takes, gives and means.

Kinds beside the types: `eighths` are numbers that are whole eighths, so that any sum of them is exact; `price` is a decimal field of few
digits, so that it is the same floating number for everybody; `said` is a text that is not written in the expression; `rough` are numbers
of which the last digits differ from machine to machine.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.oracle import sql_values as sql
from tests.oracle.sql_tree import Operator
from tests.oracle.sql_types import Type, added, multiplied, widest
from tests.oracle.sql_values import EXACT, Meaning, strict

Language = Mapping[str, tuple[tuple[Operator, ...], ...]]
"""By the kind of the result, the ways to make one, in families of which each is tried as often as another, however many it has."""


def _as(kind: str, means: Meaning) -> Meaning:
    """Of values that are made one type first."""
    to: Any = {"decimal": Decimal, "number": float, "eighths": float, "rough": float}.get(kind)
    return means if to is None else lambda *values: means(*(None if value is None else to(value) for value in values))


def _conditioned(means: Meaning, kind: str) -> Meaning:
    """As `_as`, but for a condition that stands first."""
    return lambda condition, *values: _as(kind, lambda *of: means(condition, *of))(*values)


def _first(types: Sequence[Type]) -> Type:
    return types[0]


def _wider(left: str, right: str) -> str:
    return "number" if "number" in (left, right) else "decimal" if "decimal" in (left, right) else left


_SIGNS: Mapping[str, Meaning] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def comparisons(left: str, right: str) -> list[Operator]:
    """Conditions over values of two kinds, which are made one type."""
    kind = _wider(left, right)

    def condition(form: str, takes: tuple[str, ...], means: Meaning) -> Operator:
        return Operator(form, takes, "boolean", _as(kind, means), widest if kind == "decimal" else None)

    return [
        *(condition(f"({{}} {sign} {{}})", (left, right), strict(means)) for sign, means in _SIGNS.items()),
        condition("({} in ({}, {}))", (left, right, left), sql.among),
        condition("({} not in ({}, {}))", (left, right, left), _denied(sql.among)),
        condition("({} in ({}, null))", (left, right), lambda value, option: sql.among(value, option, None)),
        condition("({} between {} and {})", (left, right, right), sql.between),
        condition("({} not between {} and {})", (left, right, right), _denied(sql.between)),
    ]


def _denied(means: Meaning) -> Meaning:
    return lambda *values: sql.negated(means(*values))


def conditions(kinds: Sequence[str]) -> list[Operator]:
    """Conditions over conditions, and over what may be null."""
    return [
        Operator("({} and {})", ("boolean", "boolean"), "boolean", sql.both),
        Operator("({} or {})", ("boolean", "boolean"), "boolean", sql.either),
        Operator("(not {})", ("boolean",), "boolean", sql.negated),
        Operator("({} is true)", ("boolean",), "boolean", lambda value: value is True),
        Operator("({} is not false)", ("boolean",), "boolean", lambda value: value is not False),
        *(Operator("({} is null)", (kind,), "boolean", lambda value: value is None) for kind in kinds),
        *(Operator("({} is not null)", (kind,), "boolean", lambda value: value is not None) for kind in kinds),
    ]


def _case_twice(first: Any, one: Any, second: Any, two: Any, otherwise: Any) -> Any:
    return sql.case(first, one, sql.case(second, two, otherwise))


def _case_of(value: Any, when: Any, one: Any, otherwise: Any) -> Any:
    return sql.case(sql.among(value, when), one, otherwise)


def choices(kind: str, other: str | None = None) -> list[Operator]:
    """One of several values, of a kind and another that is made the first."""
    other = other or kind
    width = widest if kind == "decimal" else None
    case = _conditioned(sql.case, kind)
    found = [
        Operator("case when {} then {} else {} end", ("boolean", kind, other), kind, case, width),
        Operator("case when {} then {} end", ("boolean", kind), kind, lambda condition, value: sql.case(condition, value, None), width),
        Operator("if({}, {}, {})", ("boolean", other, kind), kind, case, width),
        Operator("if({}, null, {})", ("boolean", kind), kind, lambda condition, value: sql.case(condition, None, value), width),
        Operator("coalesce({}, {})", (kind, other), kind, _as(kind, sql.coalesce), width),
        Operator("coalesce({}, null, {})", (other, kind), kind, _as(kind, sql.coalesce), width),
        Operator("nullif({}, {})", (kind, other), kind, _as(kind, sql.nullif), width),
    ]
    if kind == other:
        found += [
            Operator(
                "case when {} then {} when {} then {} else {} end", ("boolean", kind, "boolean", kind, kind), kind, _case_twice, width
            ),
            Operator("case {} when {} then {} else {} end", ("string", "string", kind, kind), kind, _case_of, width),
        ]
    if kind != "boolean":
        found += [
            Operator("greatest({}, {})", (kind, other), kind, _as(kind, strict(max)), width),
            Operator("least({}, {}, {})", (kind, other, kind), kind, _as(kind, strict(min)), width),
        ]
    return found


def _integers() -> list[Operator]:
    two, one = ("integer", "integer"), ("integer",)
    return [
        Operator("({} + {})", two, "integer", strict(lambda left, right: sql.integer(left + right))),
        Operator("({} - {})", two, "integer", strict(lambda left, right: sql.integer(left - right))),
        Operator("({} * {})", two, "integer", strict(lambda left, right: sql.integer(left * right))),
        Operator("({} % {})", two, "integer", strict(sql.integer_remainder)),
        Operator("mod({}, {})", two, "integer", strict(sql.integer_remainder)),
        Operator("(-{})", one, "integer", strict(lambda value: sql.integer(-value)), _first),
        Operator("abs({})", one, "integer", strict(lambda value: sql.integer(abs(value))), _first),
    ]


def _casts_to_decimal(digits: int, scale: int) -> list[Operator]:
    form, type_ = f"cast({{}} as decimal({digits}, {scale}))", Type("decimal", digits, scale)
    means: Mapping[str, Meaning] = {
        **dict.fromkeys(("decimal", "integer"), lambda value: sql.fitted(value, digits, scale)),
        "boolean": lambda value: sql.fitted(int(value), digits, scale),
        "said": lambda text: sql.text_as_decimal(text, digits, scale),
    }
    return [Operator(form, (kind,), "decimal", strict(of), lambda _: type_) for kind, of in means.items()]


def _decimals() -> list[Operator]:
    found = [
        Operator("(-{})", ("decimal",), "decimal", strict(EXACT.minus), _first),
        Operator("abs({})", ("decimal",), "decimal", strict(abs), _first),
    ]
    for two in (("decimal", "decimal"), ("decimal", "integer"), ("integer", "decimal")):
        found += [
            Operator("({} + {})", two, "decimal", _as("decimal", strict(EXACT.add)), added),
            Operator("({} - {})", two, "decimal", _as("decimal", strict(EXACT.subtract)), added),
            Operator("({} * {})", two, "decimal", _as("decimal", strict(EXACT.multiply)), multiplied),
            Operator("({} % {})", two, "decimal", _as("decimal", strict(sql.decimal_remainder)), widest),
        ]
    return found


def _numbers() -> list[Operator]:
    found = [
        Operator("({} / {})", ("integer", "integer"), "number", strict(sql.divide)),
        Operator("({} / {})", ("price", "integer"), "number", strict(sql.divide)),
        Operator("({} / {})", ("number", "price"), "number", strict(sql.divide)),
        Operator("sqrt({})", ("number",), "number", strict(sql.square_root)),
        Operator("floor({})", ("number",), "number", strict(lambda value: float(math.floor(value)))),
        Operator("ceil({})", ("number",), "number", strict(lambda value: float(math.ceil(value)))),
        Operator("abs({})", ("number",), "number", strict(abs)),
        Operator("(-{})", ("number",), "number", strict(operator.neg)),
        Operator("round({}, 1)", ("eighths",), "number", strict(lambda value: sql.rounded(value, 1))),
        Operator("round({})", ("eighths",), "number", strict(lambda value: sql.rounded(value, 0))),
    ]
    for left, right in (("number", "number"), ("number", "integer"), ("price", "number")):
        found += [
            Operator("({} + {})", (left, right), "number", _as("number", strict(operator.add))),
            Operator("({} - {})", (left, right), "number", _as("number", strict(operator.sub))),
            Operator("({} * {})", (left, right), "number", _as("number", strict(operator.mul))),
            Operator("({} % {})", (left, right), "number", _as("number", strict(sql.number_remainder))),
        ]
    return found


def _eighths() -> list[Operator]:
    two = ("eighths", "eighths")
    return [
        Operator("({} + {})", two, "eighths", strict(operator.add)),
        Operator("({} - {})", two, "eighths", strict(operator.sub)),
        Operator("({} * 2)", ("eighths",), "eighths", strict(lambda value: value * 2)),
    ]


def _power(base: float, exponent: float) -> float | None:
    try:
        return math.pow(base, exponent)
    except (ValueError, OverflowError):  # no number, or none that is finite
        return None


def _rough_numbers() -> list[Operator]:
    return [
        Operator("ln({})", ("number",), "rough", strict(lambda value: math.log(value) if value > 0 else None)),
        Operator("exp({})", ("number",), "rough", strict(lambda value: math.exp(value) if value < 709 else None)),
        Operator("power({}, {})", ("number", "number"), "rough", strict(_power)),
        Operator("({} / {})", ("decimal", "decimal"), "rough", strict(sql.divide)),
        Operator("({} / {})", ("decimal", "integer"), "rough", strict(sql.divide)),
        Operator("({} * {})", ("decimal", "number"), "rough", _as("rough", strict(operator.mul))),
        Operator("cast({} as double)", ("decimal",), "rough", strict(float)),
    ]


def _texts() -> list[Operator]:
    one, two = ("string",), ("string", "string")
    return [
        Operator("({} || {})", two, "string", strict(operator.add)),
        Operator("concat({}, {})", two, "string", strict(operator.add)),
        Operator("lower({})", one, "string", strict(str.lower)),
        Operator("upper({})", one, "string", strict(str.upper)),
        Operator("trim({})", one, "string", strict(lambda text: text.strip(" "))),
        *(Operator(f"left({{}}, {n})", one, "string", strict(lambda text, n=n: text[:n])) for n in (0, 1, 3)),
        *(Operator(f"right({{}}, {n})", one, "string", strict(lambda text, n=n: sql.right(text, n))) for n in (0, 1, 3)),
        Operator("substring({}, 2)", one, "string", strict(lambda text: text[1:])),
        *(Operator(f"substring({{}}, {n}, 2)", one, "string", strict(lambda text, n=n: text[n - 1 : n + 1])) for n in (1, 3)),
        Operator("replace({}, 'a', 'bb')", one, "string", strict(lambda text: text.replace("a", "bb"))),
        Operator("replace({}, '/', '')", one, "string", strict(lambda text: text.replace("/", ""))),
        *(
            Operator(f"split_part({{}}, '/', {n})", one, "string", strict(lambda text, n=n: sql.split_part(text, "/", n)))
            for n in (1, 2, 3)
        ),
        Operator("cast({} as text)", ("integer",), "string", strict(str)),
        Operator("cast({} as text)", ("boolean",), "string", strict(lambda value: str(value).lower())),
    ]


def _of_texts() -> list[Operator]:
    """What is no text, of texts."""
    found = [
        Operator("length({})", ("string",), "integer", strict(len)),
        Operator("cast({} as integer)", ("said",), "integer", strict(sql.text_as_integer)),
        Operator("cast(trim({}) as integer)", ("string",), "integer", strict(lambda text: sql.text_as_integer(text.strip(" ")))),
        Operator("cast({} as double)", ("said",), "number", strict(sql.text_as_number)),
        Operator("cast({} as timestamp)", ("said",), "timestamp", strict(sql.text_as_time)),
        Operator("contains({}, {})", ("string", "string"), "boolean", strict(operator.contains)),
        Operator("starts_with({}, {})", ("string", "string"), "boolean", strict(str.startswith)),
    ]
    return [*found, *(each for pattern in ("", "%", "_", "a%", "%b", "_b%", "%\\%", "日_", "%DE%") for each in _likes(pattern))]


def _likes(pattern: str) -> list[Operator]:
    match = strict(lambda text: sql.like(text, pattern))
    any_case = strict(lambda text: sql.like(text.lower(), pattern.lower()))
    return [
        Operator(f"({{}} like '{pattern}')", ("string",), "boolean", match),
        Operator(f"({{}} not like '{pattern}')", ("string",), "boolean", _denied(match)),
        Operator(f"({{}} ilike '{pattern}')", ("string",), "boolean", any_case),
    ]


def _of_times() -> list[Operator]:
    found = []
    for part in ("year", "month", "day", "hour", "minute", "second"):
        means = strict(sql.part_of_time(part))
        found += [Operator(form, ("timestamp",), "integer", means) for form in (f"{part}({{}})", f"extract({part} from {{}})")]
    between = strict(lambda later_us, earlier_us: sql.seconds(later_us - earlier_us))
    return [
        *found,
        Operator("isodow({})", ("timestamp",), "integer", strict(sql.weekday)),
        Operator("extract(epoch from {})", ("timestamp",), "number", strict(sql.seconds)),
        Operator("extract(epoch from {} - {})", ("timestamp", "timestamp"), "number", between),
    ]


def _of_integers() -> list[Operator]:
    return [
        Operator("cast({} as double)", ("integer",), "number", strict(float)),
        Operator("cast({} as double)", ("price",), "number", strict(float)),
        Operator("cast({} as integer)", ("boolean",), "integer", strict(int)),
        *(Operator("coalesce({}, {})", ("eighths", kind), "number", _as("number", sql.coalesce)) for kind in ("integer", "number")),
    ]


class UnpromisedError(Exception):
    """A value of which nothing is said."""


def _promised(means: Meaning) -> Meaning:
    """Of whole numbers outside an aggregate, where sums have more than 64 bits and nothing else has."""

    def of(*values: int) -> int:
        found: int = means(*values)
        if sql.integer(found) != found:
            raise UnpromisedError
        return found

    return strict(of)


def _outside() -> list[Operator]:
    whole = ("integer", "integer")
    found = [
        Operator("({} + {})", whole, "integer", _promised(operator.add)),
        Operator("({} - {})", whole, "integer", _promised(operator.sub)),
        Operator("({} * {})", whole, "integer", _promised(operator.mul)),
        Operator("({} % {})", whole, "integer", strict(sql.integer_remainder)),
        Operator("abs({})", ("integer",), "integer", _promised(abs)),
        Operator("({} / {})", whole, "number", strict(sql.divide)),
        Operator("({} / {})", ("eighths", "integer"), "number", strict(sql.divide)),
        Operator("(100 * {} / {})", whole, "number", _promised_percent),
        Operator("round({}, 1)", ("eighths",), "number", strict(lambda value: sql.rounded(value, 1))),
        Operator("sqrt({})", ("number",), "number", strict(sql.square_root)),
        Operator("({} + {})", ("number", "number"), "number", strict(operator.add)),
        Operator("({} - {})", ("number", "integer"), "number", _as("number", strict(operator.sub))),
        Operator("({} || {})", ("string", "string"), "string", strict(operator.add)),
        Operator("length({})", ("string",), "integer", strict(len)),
        Operator("hour({})", ("timestamp",), "integer", strict(sql.part_of_time("hour"))),
    ]
    for two in (("decimal", "decimal"), ("decimal", "integer")):
        found += [
            Operator("({} + {})", two, "decimal", _as("decimal", strict(EXACT.add)), added),
            Operator("({} - {})", two, "decimal", _as("decimal", strict(EXACT.subtract)), added),
            Operator("({} * {})", two, "rough", _as("decimal", strict(EXACT.multiply))),
            Operator("({} / {})", two, "rough", strict(sql.divide)),
        ]
    return [*found, Operator("({} / {})", ("rough", "integer"), "rough", strict(sql.divide))]


def _promised_percent(left: int | None, right: int | None) -> float | None:
    hundredfold = _promised(lambda value: 100 * value)(left)
    return None if hundredfold is None or right is None else sql.divide(hundredfold, right)


def _by_kind(*families: Sequence[Operator]) -> Language:
    found: dict[str, tuple[tuple[Operator, ...], ...]] = {}
    for kind in dict.fromkeys(each.gives for family in families for each in family):
        of_kind = [tuple(each for each in family if each.gives == kind) for family in families]
        found[kind] = tuple(family for family in of_kind if family)
    return found


_TYPES = ("integer", "decimal", "number", "string", "boolean", "timestamp")
_COMPARED = (
    *(("integer", "integer"), ("integer", "decimal"), ("decimal", "decimal"), ("number", "number"), ("number", "integer")),
    *(("number", "price"), ("string", "string"), ("timestamp", "timestamp")),
)
_CASTS = ((18, 2), (10, 4), (9, 0), (4, 2), (4, 4), (28, 10), (38, 0))
INSIDE = _by_kind(
    *(_integers(), _decimals(), _numbers(), _eighths(), _rough_numbers()),
    *(_texts(), _of_texts(), _of_times(), _of_integers()),
    [each for digits, scale in _CASTS for each in _casts_to_decimal(digits, scale)],
    conditions(_TYPES),
    [each for pair in _COMPARED for each in comparisons(*pair)],
    *(choices(kind) for kind in (*_TYPES, "eighths")),
    choices("decimal", "integer"),
)
"""What can be made inside an aggregate."""
_OUTSIDE_COMPARED = (("integer", "integer"), ("integer", "decimal"), ("decimal", "decimal"), ("number", "integer"), ("string", "string"))
OUTSIDE = _by_kind(
    *(_outside(), _eighths()),
    conditions(_TYPES[:4]),
    [each for pair in _OUTSIDE_COMPARED for each in comparisons(*pair)],
    *(choices(kind) for kind in ("integer", "decimal", "number", "eighths", "string", "timestamp")),
    choices("decimal", "integer"),
)
"""What can be made of aggregates."""
