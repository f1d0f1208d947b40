"""An expression over an event, as Flink's SQL: with the types that the definition gave it, and the embedded engine's meaning.

Flink wraps round where integers overflow, stumbles over nulls of no type, and has other ideas of text, casts and NaN. Where its own
function differs, one of ours stands in its place (java/livekpi/flink/Functions.java); what neither can do is an UnsupportedError.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from sqlglot import exp

from livekpi.definition.sql.scalars import TIME_PARTS
from livekpi.definition.sql.typed import common_type
from livekpi.definition.types import BOOLEAN, INTEGER, MAX_DIGITS, NUMBER, STRING, TIMESTAMP, Field, Type
from livekpi.engine.flink.casts import CASTS, TARGETS
from livekpi.engine.flink.sql import call, quote, sql_type, text

_LONG_DIGITS = 19
_FEW = 30
"""Of so many values a look-up in a list is written as comparisons."""
_TIME_PARTS = {node: name.upper() for name, node in TIME_PARTS.items()}


class UnsupportedError(Exception):
    """Flink can't compute an expression as the embedded engine does; says which part of it."""


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression in Flink's SQL."""

    text: str
    type: Type | None
    """None is the null literal's."""


class Expressions:
    """Renders expressions over events that have these fields."""

    def __init__(self, fields: Mapping[str, Field | Type]) -> None:
        self._types = {name: field.type if isinstance(field, Field) else field for name, field in fields.items()}

    def render(self, tree: exp.Expr) -> Sql:
        """An expression of our own tree; raises UnsupportedError."""
        build = self._builders.get(type(tree))
        if build is None:
            raise _unsupported(tree, "it is not known there")
        return build(self, tree)

    def value(self, tree: exp.Expr, type_: Type) -> Sql:
        """As `render`; a null literal gets a type."""
        return _typed(self.render(tree), type_)

    def condition(self, tree: exp.Expr) -> str:
        """A condition's SQL."""
        return self.value(tree, BOOLEAN).text

    def _column(self, node: exp.Expr) -> Sql:
        return Sql(quote(node.name), self._types[node.name])

    def _json(self, node: exp.Expr) -> Sql:
        steps = node.expression.expressions[1:]
        path = [str(step.this) if isinstance(step, exp.JSONPathSubscript) else f'"{step.this}' for step in steps]
        if any("\n" in step for step in path):
            raise _unsupported(node, "a part's name has a line break")
        return Sql(call("json_part", self.render(node.this).text, text("\n".join(path))), STRING)

    def _literal(self, node: exp.Expr) -> Sql:
        given = str(node.this)
        if node.args.get("is_string"):
            return Sql(f"CAST({text(given)} AS STRING)", STRING)  # else it is CHAR, and CASE fills it up with spaces
        if given.isdigit():
            return Sql(f"CAST({given} AS BIGINT)", Type("integer", len(given)))
        whole, _, fraction = given.partition(".")
        if (whole + fraction).isdigit() and len(whole) + len(fraction) <= MAX_DIGITS:
            return Sql(f"CAST({given} AS DECIMAL({max(1, len(whole) + len(fraction))}, {len(fraction)}))", _decimal_type(whole, fraction))
        return Sql(f"CAST({text(given)} AS DOUBLE)", NUMBER)

    def _paren(self, node: exp.Expr) -> Sql:
        inner = self.render(node.this)
        return Sql(f"({inner.text})", inner.type)

    def _negative(self, node: exp.Expr) -> Sql:
        value = self.value(node.this, INTEGER)
        if value.type is not None and value.type.kind == "integer":
            return Sql(call("subtract", "CAST(0 AS BIGINT)", value.text), value.type)
        return Sql(f"(- {value.text})", value.type)

    def _abs(self, node: exp.Expr) -> Sql:
        value = self.value(node.this, INTEGER)
        whole = value.type is not None and value.type.kind == "integer"
        return Sql(call("abs", value.text) if whole else f"ABS({value.text})", value.type)

    def _arithmetic(self, node: exp.Expr) -> Sql:
        left, right = self._pair(node, INTEGER)
        assert left.type is not None
        assert right.type is not None
        kinds = {left.type.kind, right.type.kind}
        if "number" in kinds:
            sides = [_cast_number(side).text for side in (left, right)]
            operator = _OPERATORS.get(type(node))
            return Sql(f"({sides[0]} {operator} {sides[1]})" if operator else call("modulo", *sides), NUMBER)
        if kinds == {"integer"}:
            return Sql(call(_WHOLE[type(node)], left.text, right.text), INTEGER)
        return _decimal_arithmetic(node, left, right)

    def _divide(self, node: exp.Expr) -> Sql:
        left, right = (_cast_number(self.value(side, NUMBER)) for side in (node.this, node.expression))
        return Sql(call("divide", left.text, right.text), NUMBER)

    def _comparison(self, node: exp.Expr) -> Sql:
        left, right = self._pair(node, STRING)
        return Sql(_compare(_COMPARISONS[type(node)], left, right), BOOLEAN)

    def _logic(self, node: exp.Expr) -> Sql:
        word = "AND" if isinstance(node, exp.And) else "OR"
        return Sql(f"({self.condition(node.this)} {word} {self.condition(node.expression)})", BOOLEAN)

    def _not(self, node: exp.Expr) -> Sql:
        return Sql(f"(NOT {self.condition(node.this)})", BOOLEAN)

    def _in(self, node: exp.Expr) -> Sql:
        value, *options = self._alike([node.this, *node.expressions], STRING)
        constant = [option for option, part in zip(options, node.expressions, strict=True) if _is_constant(part)]
        others = [option for option, part in zip(options, node.expressions, strict=True) if not _is_constant(part)]
        if len(constant) <= _FEW:
            constant, others = [], options
        found = [_among(value, constant)] if constant else []
        found += [_compare("=", value, option) for option in others]
        return Sql(_joined(found, lambda one, other: f"({one} OR {other})"), BOOLEAN)

    def _between(self, node: exp.Expr) -> Sql:
        value, low, high = self._alike([node.this, node.args["low"], node.args["high"]], STRING)
        return Sql(f"({_compare('>=', value, low)} AND {_compare('<=', value, high)})", BOOLEAN)

    def _is(self, node: exp.Expr) -> Sql:
        return Sql(f"({self.value(node.this, STRING).text} IS NULL)", BOOLEAN)

    def _like(self, node: exp.Expr) -> Sql:
        sides = [self.value(side, STRING).text for side in (node.this, node.expression)]
        if isinstance(node, exp.ILike):
            sides = [call("lower", side) for side in sides]
        return Sql(call("like", *sides), BOOLEAN)

    def _case(self, node: exp.Expr) -> Sql:
        branches, default = node.args["ifs"], node.args.get("default") or exp.Null()
        *values, otherwise = self._alike([*(branch.args["true"] for branch in branches), default], STRING)
        pairs = zip(branches, values, strict=True)
        whens = " ".join(f"WHEN {self.condition(branch.this)} THEN {value.text}" for branch, value in pairs)
        return Sql(f"CASE {whens} ELSE {otherwise.text} END", _common([*values, otherwise]))

    def _coalesce(self, node: exp.Expr) -> Sql:
        values = self._alike([node.this, *node.expressions], STRING)
        return Sql(f"COALESCE({_list(values)})", _common(values))

    def _nullif(self, node: exp.Expr) -> Sql:
        value, other = self._pair(node, STRING)
        return Sql(f"NULLIF({value.text}, {other.text})", value.type)

    def _extreme(self, node: exp.Expr) -> Sql:
        name = "greatest" if isinstance(node, exp.Greatest) else "least"
        values = self._alike([node.this, *node.expressions], STRING)
        type_ = _common(values)
        if type_ in (NUMBER, STRING):
            return Sql(_joined([value.text for value in values], lambda one, other: call(name, one, other)), type_)
        if type_.kind == "decimal":  # Flink's stumbles over null decimals
            return Sql(_extreme_of([value.text for value in values], ">=" if name == "greatest" else "<="), type_)
        return Sql(f"{name.upper()}({_list(values)})", type_)

    def _concat(self, node: exp.Expr) -> Sql:
        return Sql(f"({self.value(node.this, STRING).text} || {self.value(node.expression, STRING).text})", STRING)

    def _cast(self, node: exp.Expr) -> Sql:
        to = _target(node.args["to"])
        value = self.render(node.this)
        if value.type is None:
            return Sql(f"CAST(NULL AS {sql_type(to)})", to)
        found = CASTS.get((value.type.kind, to.kind))
        if found is None:
            raise _unsupported(node, f"a cast of {value.type.kind} to {to.kind} means something else there")
        return Sql(found(value.text, value.type, to), to)

    def _extract(self, node: exp.Expr) -> Sql:
        # Flink's is null where nothing is found and DuckDB's is '': to the cast around it both are nothing
        return Sql(f"REGEXP_EXTRACT({self.value(node.this, STRING).text}, {text(node.expression.this)})", STRING)

    def _own(self, node: exp.Expr) -> Sql:
        name, result, parameters = _OWN[type(node)]
        arguments = [self.value(node.args[key], type_).text for key, type_ in parameters if node.args.get(key) is not None]
        return Sql(call(name, *arguments), result)

    def _flink(self, node: exp.Expr) -> Sql:
        arguments = [_cast_number(self.value(part, NUMBER)).text for part in (node.this, node.args.get("expression")) if part is not None]
        return Sql(f"{_FLINK[type(node)]}({', '.join(arguments)})", NUMBER)

    def _length(self, node: exp.Expr) -> Sql:
        return Sql(f"CAST(CHAR_LENGTH({self.value(node.this, STRING).text}) AS BIGINT)", INTEGER)

    def _part(self, node: exp.Expr) -> Sql:
        return Sql(f"EXTRACT({_TIME_PARTS[type(node)]} FROM {self.value(node.this, TIMESTAMP).text})", INTEGER)

    def _micros(self, node: exp.Expr) -> Sql:
        return Sql(call("micros", self.value(node.this, TIMESTAMP).text), INTEGER)

    def _pair(self, node: exp.Expr, otherwise: Type) -> list[Sql]:
        return self._alike([node.this, node.expression], otherwise)

    def _alike(self, nodes: Sequence[exp.Expr], otherwise: Type) -> list[Sql]:
        """The nodes rendered; null literals get the type of the first that has one."""
        found = [self.render(node) for node in nodes]
        type_ = next((value.type for value in found if value.type is not None), otherwise)
        return [_typed(value, type_) for value in found]

    _builders: ClassVar[dict[type[exp.Expr], Callable[["Expressions", exp.Expr], Sql]]] = {
        exp.Column: _column,
        exp.JSONExtractScalar: _json,
        exp.Literal: _literal,
        exp.Boolean: lambda _, node: Sql("TRUE" if node.this else "FALSE", BOOLEAN),
        exp.Null: lambda _self, _node: Sql("NULL", None),
        exp.Paren: _paren,
        exp.Neg: _negative,
        exp.Abs: _abs,
        **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod), _arithmetic),
        exp.Div: _divide,
        **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), _comparison),
        **dict.fromkeys((exp.And, exp.Or), _logic),
        exp.Not: _not,
        exp.In: _in,
        exp.Between: _between,
        exp.Is: _is,
        **dict.fromkeys((exp.Like, exp.ILike), _like),
        exp.Case: _case,
        exp.Coalesce: _coalesce,
        exp.Nullif: _nullif,
        **dict.fromkeys((exp.Greatest, exp.Least), _extreme),
        exp.DPipe: _concat,
        exp.TryCast: _cast,
        exp.RegexpExtract: _extract,
        exp.Length: _length,
        exp.UnixMicros: _micros,
        **dict.fromkeys(_TIME_PARTS, _part),
        **dict.fromkeys((exp.Floor, exp.Ceil, exp.Sqrt, exp.Exp, exp.Pow), _flink),
        **dict.fromkeys(
            (
                *(exp.Lower, exp.Upper, exp.Trim, exp.Left, exp.Right, exp.Substring, exp.Replace),
                *(exp.SplitPart, exp.Contains, exp.StartsWith, exp.Round, exp.Ln),
            ),
            _own,
        ),
    }


_COMPARISONS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_OPERATORS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_WHOLE: dict[type[exp.Expr], str] = {exp.Add: "add", exp.Sub: "subtract", exp.Mul: "multiply", exp.Mod: "modulo"}
_FLINK: dict[type[exp.Expr], str] = {exp.Floor: "FLOOR", exp.Ceil: "CEIL", exp.Sqrt: "SQRT", exp.Exp: "EXP", exp.Pow: "POWER"}
_THIS = ("this", STRING)
# our function, its result, and its parameters with the types that a null literal gets
_OWN: dict[type[exp.Expr], tuple[str, Type, tuple[tuple[str, Type], ...]]] = {
    exp.Lower: ("lower", STRING, (_THIS,)),
    exp.Upper: ("upper", STRING, (_THIS,)),
    exp.Trim: ("trim", STRING, (_THIS,)),
    exp.Left: ("left", STRING, (_THIS, ("expression", INTEGER))),
    exp.Right: ("right", STRING, (_THIS, ("expression", INTEGER))),
    exp.Substring: ("substring", STRING, (_THIS, ("start", INTEGER), ("length", INTEGER))),
    exp.Replace: ("replace", STRING, (_THIS, ("expression", STRING), ("replacement", STRING))),
    exp.SplitPart: ("split_part", STRING, (_THIS, ("delimiter", STRING), ("part_index", INTEGER))),
    exp.Contains: ("contains", BOOLEAN, (_THIS, ("expression", STRING))),
    exp.StartsWith: ("starts_with", BOOLEAN, (_THIS, ("expression", STRING))),
    exp.Ln: ("ln", NUMBER, (("this", NUMBER),)),
    exp.Round: ("round", NUMBER, (("this", NUMBER), ("decimals", INTEGER))),
}


def _target(given: exp.DataType) -> Type:
    if given.this is exp.DataType.Type.DECIMAL:
        precision, scale = (int(parameter.name) for parameter in given.expressions)
        return Type("decimal", precision, scale)
    return TARGETS[given.sql().upper()]


def _typed(value: Sql, type_: Type) -> Sql:
    return value if value.type is not None else Sql(f"CAST(NULL AS {sql_type(type_)})", type_)


def _list(values: Sequence[Sql]) -> str:
    return ", ".join(value.text for value in values)


def _common(values: Sequence[Sql]) -> Type:
    """The type of values of which one is the result: a decimal's has room for each of them."""
    type_ = common_type([value.type for value in values])
    assert type_ is not None
    return Type(type_.kind, min(MAX_DIGITS, type_.precision), type_.scale)


def _joined(parts: Sequence[str], join: Callable[[str, str], str]) -> str:
    """Neighbours joined to one, by halves: Flink's parser goes down as deep as an expression is nested."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return join(_joined(parts[:half], join), _joined(parts[half:], join))


def _is_constant(node: exp.Expr) -> bool:
    """Whether a node is a value as it is written, which is not null."""
    if isinstance(node, (exp.Paren, exp.Neg)):
        return _is_constant(node.this)
    if isinstance(node, exp.TryCast) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        to = _target(node.args["to"])
        return to == NUMBER or (to.kind == "decimal" and Decimal(node.this.name) < 10 ** (to.precision - to.scale))
    return isinstance(node, exp.Literal)


def _among(value: Sql, options: Sequence[Sql]) -> str:
    """Whether a value is one of many; null where it is null. Of many comparisons Flink's planner would think for minutes."""
    type_ = sql_type(_common([value, *options]))
    listed = ", ".join(f"CAST({option.text} AS {type_})" for option in options)
    return f"(ARRAY_POSITION(ARRAY[{listed}], CAST({value.text} AS {type_})) > 0)"


def _extreme_of(values: Sequence[str], operator: str) -> str:
    """The value that stands so to all others; null where one is."""
    *others, last = values
    chosen = [
        f"WHEN {' AND '.join(f'{value} {operator} {other}' for other in values[place:])} THEN {value}"
        for place, value in enumerate(others, 1)
    ]
    known = " AND ".join(f"{value} IS NOT NULL" for value in values)
    return f"CASE WHEN {known} THEN CASE {' '.join([*chosen, f'ELSE {last}'])} END END" if others else last


def _cast_number(value: Sql) -> Sql:
    if value.type is not None and value.type.kind == "number":
        return value
    if value.type is not None and value.type.kind == "decimal":
        return Sql(CASTS["decimal", "number"](value.text, value.type, NUMBER), NUMBER)
    return Sql(f"CAST({value.text} AS DOUBLE)", NUMBER)


def _compare(operator: str, left: Sql, right: Sql) -> str:
    kinds = {side.type.kind for side in (left, right) if side.type is not None}
    if "number" in kinds:
        # to Java, NaN is neither equal to itself nor greater than others; Flink may turn NOT (a < b) into a >= b, and several
        # comparisons of a number into a look-up in a set, which tells -0 from 0
        return f"({call('compare', _cast_number(left).text, _cast_number(right).text)} {operator} 0)"
    if kinds == {"string"} and operator not in ("=", "<>"):
        return f"({call('compare', left.text, right.text)} {operator} 0)"
    if kinds == {"boolean"} and operator not in ("=", "<>"):
        return f"(CAST({left.text} AS INT) {operator} CAST({right.text} AS INT))"
    return f"({left.text} {operator} {right.text})"


def _decimal_type(whole: str, fraction: str) -> Type:
    return Type("decimal", max(1, len(whole) + len(fraction)), len(fraction))


def _decimal_arithmetic(node: exp.Expr, left: Sql, right: Sql) -> Sql:
    types = [side.type for side in (left, right) if side.type is not None]
    digits = [type_.precision or _LONG_DIGITS for type_ in types]
    scales = [type_.scale for type_ in types]
    whole = max(digits[0] - scales[0], digits[1] - scales[1])
    if isinstance(node, exp.Mul):
        precision, scale = sum(digits), sum(scales)
        needed = precision + 1  # Flink allows for a carry that can't be
    else:
        scale = max(scales)
        precision = needed = whole + scale + (0 if isinstance(node, exp.Mod) else 1)
    if needed > MAX_DIGITS:
        raise _unsupported(node, f"it needs {needed} digits, and Flink's decimals have {MAX_DIGITS}; cast one side to a smaller one")
    operands = [
        f"CAST({side.text} AS DECIMAL({count}, 0))" if type_.kind == "integer" else side.text
        for side, type_, count in zip((left, right), types, digits, strict=True)
    ]
    type_ = Type("decimal", precision, scale)
    found = f"MOD({', '.join(operands)})" if isinstance(node, exp.Mod) else f"({operands[0]} {_OPERATORS[type(node)]} {operands[1]})"
    return Sql(f"CAST({found} AS {sql_type(type_)})", type_)


def _unsupported(node: exp.Expr, why: str) -> UnsupportedError:
    return UnsupportedError(f"{node.sql()[:80]!r}: {why}")
