"""Scalar SQL: what may stand in an expression, with its types.

The tree that SQLGlot parses is never used itself. Each node that is allowed is built anew here, typed, with the same
meaning on every engine (division is floating and gives null for a zero divisor, a cast that fails gives null); all
else is an error at its place. So no expression can name a file, a table or a function that is not on the list.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from sqlglot import exp

from livekpi.definition.problems import nearest
from livekpi.definition.sql.hints import for_function, for_mixed, for_node, for_number
from livekpi.definition.sql.parsing import fail
from livekpi.definition.sql.size import MAX_PARTS, TWICE, parts
from livekpi.definition.sql.text_casts import EXAMPLES, is_readable, readable
from livekpi.definition.sql.typed import Typed, cast, common_type, data_type, decimal_result, divide, finite, roomy, whole
from livekpi.definition.types import BOOLEAN, INTEGER, MAX_DIGITS, NUMBER, STRING, TIMESTAMP, Type

Leaf = Callable[[exp.Expr], Typed | None]
"""Resolves a node that is no plain scalar (a field, a KPI, an aggregate), or says None."""


_NAMES: dict[type[exp.Expr], str] = {exp.DPipe: "||", exp.DayOfWeekIso: "isodow"}
"""Where SQLGlot has another name than people."""


def _name(function: exp.Expr | type[exp.Expr]) -> str:
    kind = function if isinstance(function, type) else type(function)
    if isinstance(function, exp.Anonymous):
        return str(function.this)
    if kind in _NAMES:
        return _NAMES[kind]
    return kind.sql_name().lower() if issubclass(kind, exp.Func) else kind.__name__.lower()


def _places(node: exp.Expr) -> exp.Expr:
    """How many digits a number is rounded to, which no engine takes from an event."""
    number = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(number, exp.Literal) or not str(number.this).isdigit() or int(str(number.this)) > MAX_DIGITS:
        raise fail(
            f"round expects a whole number of digits from -{MAX_DIGITS} to {MAX_DIGITS}, got {node.sql()[:60]!r}; as in round(amount, 2)",
            node,
        )
    return node.copy()


_CASTS = {
    exp.DataType.Type.INT: INTEGER,
    exp.DataType.Type.BIGINT: INTEGER,
    exp.DataType.Type.DOUBLE: NUMBER,
    exp.DataType.Type.FLOAT: NUMBER,
    exp.DataType.Type.TEXT: STRING,
    exp.DataType.Type.VARCHAR: STRING,
    exp.DataType.Type.BOOLEAN: BOOLEAN,
    exp.DataType.Type.TIMESTAMP: TIMESTAMP,
}
_TIME_OR_TEXT = {"timestamp", "string"}
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
TIME_PARTS: dict[str, type[exp.Expr]] = {
    "year": exp.Year,
    "month": exp.Month,
    "day": exp.Day,
    "hour": exp.Hour,
    "minute": exp.Minute,
    "second": exp.Second,
    "isodow": exp.DayOfWeekIso,
}
_SECOND_US = exp.Literal.number(1_000_000)
_Signature = tuple[tuple[str, ...], tuple[str, ...], Type | None]

# node type → the arguments' names, the kind each must have (the last repeats), the result (None: the arguments' common type)
_FUNCTIONS: dict[type[exp.Expr], _Signature] = {
    exp.Lower: (("this",), ("string",), STRING),
    exp.Upper: (("this",), ("string",), STRING),
    exp.Trim: (("this",), ("string",), STRING),
    exp.Length: (("this",), ("string",), INTEGER),
    exp.Left: (("this", "expression"), ("string", "integer"), STRING),
    exp.Right: (("this", "expression"), ("string", "integer"), STRING),
    exp.Substring: (("this", "start", "length"), ("string", "integer"), STRING),
    exp.Replace: (("this", "expression", "replacement"), ("string",), STRING),
    exp.SplitPart: (("this", "delimiter", "part_index"), ("string", "string", "integer"), STRING),
    exp.Contains: (("this", "expression"), ("string",), BOOLEAN),
    exp.StartsWith: (("this", "expression"), ("string",), BOOLEAN),
    exp.Abs: (("this",), ("numeric",), None),
    exp.Floor: (("this",), ("number",), NUMBER),
    exp.Ceil: (("this",), ("number",), NUMBER),
    exp.Sqrt: (("this",), ("number",), NUMBER),
    exp.Ln: (("this",), ("number",), NUMBER),
    exp.Exp: (("this",), ("number",), NUMBER),
    exp.Pow: (("this", "expression"), ("number",), NUMBER),
    exp.Round: (("this", "decimals"), ("number", "integer"), NUMBER),
    **dict.fromkeys(TIME_PARTS.values(), (("this",), ("timestamp",), INTEGER)),
}
_NOT_ALWAYS = (exp.Sqrt, exp.Ln, exp.Exp, exp.Pow)
"""Of some numbers there is none, or none that is finite: that is null."""
_MAY_BE_LEFT_OUT: dict[type[exp.Expr], str] = {exp.Round: "decimals", exp.Substring: "length"}
_READ: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Between: ("this", "low", "high"),
    exp.In: ("this", "expressions", "query", "unnest", "field"),
    exp.Like: ("this", "expression", "negate"),
    exp.ILike: ("this", "expression", "negate"),
    exp.Case: ("this", "ifs", "default"),
    exp.If: ("this", "true", "false"),
    exp.Cast: ("this", "to"),
    exp.TryCast: ("this", "to"),
}
"""The arguments that are looked at, where they are not those of `_FUNCTIONS` or the usual ones."""
_USUAL = ("this", "expression", "expressions")
_HARMLESS = {"is_string", "typed", "safe", "coalesce", "ignore_nulls", "is_nvl"}
"""How SQLGlot read a text, which says nothing that was written."""
FUNCTIONS = (
    *sorted(_name(node) for node in _FUNCTIONS),
    *("case", "cast", "coalesce", "concat", "extract", "greatest", "if", "least", "mod", "nullif"),
)


def _check_arguments(node: exp.Expr) -> None:
    """Raises ExpressionError where something is said that nobody looks at: left out, it would mean something else."""
    read = _FUNCTIONS[type(node)][0] if type(node) in _FUNCTIONS else _READ.get(type(node), _USUAL)
    for key, value in node.args.items():
        if value and key not in read and key not in _HARMLESS:
            raise fail(f"{_name(node)} takes no {key}: {node.sql()[:60]!r}", node)


class Scalars:
    """Builds typed scalar expressions, whose leaves `leaf` resolves.

    With `exact` what needs decimals of more than 38 digits is an error; else a product becomes a number, and all else keeps 38.
    """

    def __init__(self, leaf: Leaf, *, exact: bool, also: Sequence[str] = ()) -> None:
        self._leaf = leaf
        self._exact = exact
        self._names = (*FUNCTIONS, *also)
        self._parts = 0
        self._times = 1

    def build(self, node: exp.Expr) -> Typed:
        """The node's counterpart in our own tree; raises ExpressionError for what is not allowed."""
        found = self._leaf(node)
        self._parts += self._times * (1 if found is None else parts(found.tree))
        if self._parts > MAX_PARTS:
            raise fail(
                f"with its parts written out, it has more than {MAX_PARTS:,} pieces; nest fewer KPIs, greatest, least and case", node
            )
        if found is not None:
            return found
        times = self._times
        if isinstance(node, TWICE):
            self._times *= 2
        try:
            return self._built(node)
        finally:
            self._times = times

    def _built(self, node: exp.Expr) -> Typed:
        build = Scalars._function if type(node) in _FUNCTIONS else self._builders.get(type(node))
        if build is not None:
            _check_arguments(node)
            return build(self, node)
        if isinstance(node, exp.Func):
            name = _name(node)
            raise fail(f"there is no function {name!r}{for_function(name) or nearest(name, self._names)}", node)
        raise fail(f"{type(node).__name__.lower()} can't stand in an expression: {node.sql()[:60]!r}{for_node(node)}", node)

    def condition(self, node: exp.Expr) -> exp.Expr:
        """A node that must be true or false."""
        built = self.build(node)
        if built.type not in (BOOLEAN, None):
            raise fail(f"expected a condition, got {built.type}: {node.sql()[:60]!r}", node)
        return built.tree

    def _numeric(self, node: exp.Expr) -> Typed:
        built = self.build(node)
        if built.type is not None and not built.type.numeric:
            raise fail(f"expected a number, got {built.type}: {node.sql()[:60]!r}{for_number(built.type)}", node)
        return built

    def _common(self, nodes: Sequence[exp.Expr], where: exp.Expr) -> tuple[list[Typed], Type | None]:
        """The nodes as values of one type, and that type."""
        built = [self.build(node) for node in nodes]
        try:
            type_ = common_type([value.type for value in built])
        except ValueError as error:
            mixed = for_mixed({value.type.kind for value in built if value.type is not None})
            raise fail(f"expected values of one type, got {error}: {where.sql()[:60]!r}{mixed}", where) from error
        if type_ is not None and type_.precision > MAX_DIGITS:
            type_ = self._fitting(type_, where)
        return [value if type_ is None or value.type is None else Typed(cast(value, type_), value.type) for value in built], type_

    def _compared(self, nodes: Sequence[exp.Expr], where: exp.Expr) -> list[exp.Expr]:
        """The nodes as values of one type, to be compared."""
        return [value.tree for value in self._common(nodes, where)[0]]

    def _chosen(self, nodes: Sequence[exp.Expr], where: exp.Expr) -> tuple[list[exp.Expr], Type | None]:
        """As `_common`, of values of which the result is one."""
        values, type_ = self._common(nodes, where)
        return whole(values) if type_ == INTEGER else [value.tree for value in values], type_

    def _fitting(self, type_: Type, node: exp.Expr) -> Type:
        """The most of a decimal type that there can be."""
        if self._exact and type_.precision > MAX_DIGITS:
            digits = f"{type_.precision} digits, more than {MAX_DIGITS}"
            raise fail(f"{node.sql()[:60]!r} needs {digits}: cast one side to a smaller decimal or to double", node)
        return Type("decimal", min(MAX_DIGITS, type_.precision), type_.scale)

    def _function(self, node: exp.Expr) -> Typed:
        names, kinds, result = _FUNCTIONS[type(node)]
        arguments: dict[str, exp.Expr] = {}
        types: list[Type | None] = []
        for position, name in enumerate(names):
            given = node.args.get(name)
            if given is None and _MAY_BE_LEFT_OUT.get(type(node)) == name:
                continue
            if given is None:
                least = len(names) - (type(node) in _MAY_BE_LEFT_OUT)
                raise fail(f"{_name(node)} needs {least} values in its parentheses: {node.sql()[:60]!r}", node)
            built = self._argument(given, kinds[min(position, len(kinds) - 1)], node)
            arguments[name] = built.tree
            types.append(built.type)
        if isinstance(node, exp.Round) and "decimals" in arguments:
            arguments["decimals"] = _places(node.args["decimals"])
        tree: exp.Expr = type(node)(**arguments)
        if isinstance(node, _NOT_ALWAYS):
            tree = finite(tree)
        return Typed(tree, types[0] if result is None else result)

    def _argument(self, node: exp.Expr, kind: str, function: exp.Expr) -> Typed:
        built = self.build(node)
        if built.type is None:
            return built
        if kind in ("number", "numeric") and built.type.numeric:
            return Typed(cast(built, NUMBER), NUMBER) if kind == "number" else built
        if built.type.kind != kind:
            expected = "a number" if kind in ("number", "numeric") else kind
            hint = for_number(built.type) if expected == "a number" else "; cast it, as in cast(status as text)" if kind == "string" else ""
            raise fail(f"{_name(function)} expects {expected}, got {built.type}: {node.sql()[:60]!r}{hint}", node)
        return built

    def _literal(self, node: exp.Expr) -> Typed:
        text = str(node.this)
        if node.args.get("is_string"):
            return Typed(exp.Literal.string(text), STRING)
        if text.isdigit():
            if len(text) > 19 or int(text) >= 2**63:
                raise fail(f"{text} is out of range for an integer", node)
            return Typed(exp.Literal.number(str(int(text))), Type("integer", len(str(int(text)))))
        whole, _, fraction = text.partition(".")
        if (whole + fraction).isdigit() and len(whole.lstrip("0") or "0") + len(fraction) <= MAX_DIGITS:
            whole = whole.lstrip("0") or "0"
            return Typed(exp.Literal.number(f"{whole}.{fraction}"), Type("decimal", len(whole) + len(fraction), len(fraction)))
        return Typed(exp.TryCast(this=exp.Literal.number(repr(float(text))), to=data_type(NUMBER)), NUMBER)

    def _paren(self, node: exp.Expr) -> Typed:
        built = self.build(node.this)
        return Typed(exp.Paren(this=built.tree), built.type)

    def _negative(self, node: exp.Expr) -> Typed:
        built = self._numeric(node.this)
        return Typed(exp.Neg(this=exp.Paren(this=built.tree)), built.type)

    def _arithmetic(self, node: exp.Expr) -> Typed:
        left, right = self._numeric(node.this), self._numeric(node.expression)
        if isinstance(node, exp.Div):
            return Typed(divide(left.tree, right.tree), NUMBER)
        type_ = common_type([left.type, right.type])
        if type_ is not None and type_.kind == "decimal":
            needed = decimal_result(node, left.type or INTEGER, right.type or INTEGER)
            product = isinstance(node, exp.Mul) and needed.precision > MAX_DIGITS and not self._exact
            type_ = NUMBER if product else self._fitting(needed, node)
        if type_ == NUMBER:
            left, right = Typed(cast(left, NUMBER), NUMBER), Typed(cast(right, NUMBER), NUMBER)
        elif type_ == INTEGER:
            left, right = (Typed(tree, INTEGER) for tree in whole([left, right]))
        elif isinstance(node, exp.Mul):
            left, right = roomy(left, right)
        divisor = exp.Nullif(this=right.tree, expression=exp.Literal.number(0)) if isinstance(node, exp.Mod) else right.tree
        return Typed(exp.Paren(this=type(node)(this=left.tree, expression=divisor)), type_)

    def _comparison(self, node: exp.Expr) -> Typed:
        left, right = self._compared([node.this, node.expression], node)
        return Typed(exp.Paren(this=type(node)(this=left, expression=right)), BOOLEAN)

    def _logic(self, node: exp.Expr) -> Typed:
        sides = self.condition(node.this), self.condition(node.expression)
        return Typed(exp.Paren(this=type(node)(this=sides[0], expression=sides[1])), BOOLEAN)

    def _not(self, node: exp.Expr) -> Typed:
        return Typed(exp.Paren(this=exp.Not(this=exp.Paren(this=self.condition(node.this)))), BOOLEAN)

    def _in(self, node: exp.Expr) -> Typed:
        if node.args.get("query") or node.args.get("unnest") or node.args.get("field") or not node.expressions:
            raise fail("IN takes a list of values in parentheses", node)
        value, *options = self._compared([node.this, *node.expressions], node)
        return Typed(exp.Paren(this=exp.In(this=value, expressions=options)), BOOLEAN)

    def _between(self, node: exp.Expr) -> Typed:
        value, low, high = self._compared([node.this, node.args["low"], node.args["high"]], node)
        return Typed(exp.Paren(this=exp.Between(this=value, low=low, high=high)), BOOLEAN)

    def _is(self, node: exp.Expr) -> Typed:
        if isinstance(node.expression, exp.Boolean):
            same = exp.EQ(this=exp.Paren(this=self.condition(node.this)), expression=exp.Boolean(this=bool(node.expression.this)))
            return Typed(exp.Coalesce(this=exp.Paren(this=same), expressions=[exp.false()]), BOOLEAN)
        if not isinstance(node.expression, exp.Null):
            raise fail("expected IS NULL, IS TRUE or IS FALSE, or these with NOT", node)
        return Typed(exp.Paren(this=exp.Is(this=self.build(node.this).tree, expression=exp.Null())), BOOLEAN)

    def _like(self, node: exp.Expr) -> Typed:
        sides = [self._argument(side, "string", node) for side in (node.this, node.expression)]
        tree: exp.Expr = exp.Paren(this=type(node)(this=sides[0].tree, expression=sides[1].tree))
        if node.args.get("negate"):
            tree = exp.Paren(this=exp.Not(this=tree))
        return Typed(tree, BOOLEAN)

    def _case(self, node: exp.Expr) -> Typed:
        branches = node.args["ifs"]
        conditions = [
            self.condition(branch.this) if node.this is None else self._comparison(exp.EQ(this=node.this, expression=branch.this)).tree
            for branch in branches
        ]
        default = node.args.get("default") or exp.Null()
        (*values, otherwise), type_ = self._chosen([*(branch.args["true"] for branch in branches), default], node)
        ifs = [exp.If(this=condition, true=value) for condition, value in zip(conditions, values, strict=True)]
        return Typed(exp.Case(ifs=ifs, default=otherwise), type_)

    def _if(self, node: exp.Expr) -> Typed:
        return self._case(exp.Case(ifs=[node], default=node.args.get("false")))

    def _variadic(self, node: exp.Expr) -> Typed:
        values, type_ = self._chosen([node.this, *node.expressions], node)
        return Typed(type(node)(this=values[0], expressions=values[1:]), type_)

    def _nullif(self, node: exp.Expr) -> Typed:
        (value, other), type_ = self._chosen([node.this, node.expression], node)
        return Typed(exp.Nullif(this=value, expression=other), type_)

    def _concat(self, node: exp.Expr) -> Typed:
        parts = [node.this, node.expression] if isinstance(node, exp.DPipe) else node.expressions
        built = [self._argument(part, "string", node).tree for part in parts]
        tree = built[0]
        for part in built[1:]:
            tree = exp.DPipe(this=tree, expression=part, safe=True)
        return Typed(exp.Paren(this=tree), STRING)

    def _cast(self, node: exp.Expr) -> Typed:
        to = node.args["to"]
        if to.this is exp.DataType.Type.DECIMAL:
            numbers = [parameter.name for parameter in to.expressions] or ["18", "3"]
            digits = [int(number) if number.isdecimal() and len(number) < 3 else 0 for number in numbers]
            type_ = Type("decimal", digits[0], digits[1] if len(digits) > 1 else 0)
            if not 1 <= type_.precision <= MAX_DIGITS or type_.scale > type_.precision:
                raise fail(f"expected decimal(precision, scale) with a precision of at most {MAX_DIGITS}", node)
        elif to.this in _CASTS and not to.expressions:
            type_ = _CASTS[to.this]
        else:
            expected = "integer, double, decimal(p, s), text, boolean or timestamp"
            name = to.sql().lower()
            raise fail(f"a cast to {name} is not possible; expected {expected}{for_function(name)}", node)
        value = self.build(node.this)
        if isinstance(node.this, exp.Literal) and node.this.is_string and not is_readable(node.this.name, type_.kind):
            raise fail(f"{node.this.name[:60]!r} is not written as {EXAMPLES[type_.kind]}, so the cast would always be null", node)
        if value.type is not None and "timestamp" in {value.type.kind, type_.kind} and not {value.type.kind, type_.kind} <= _TIME_OR_TEXT:
            raise fail(f"{value.type} can't be cast to {type_}: {node.sql()[:60]!r}", node)
        tree = readable(value.tree, type_.kind) if value.type == STRING else value.tree
        if (value.type, type_) == (STRING, TIMESTAMP):  # else the zone that stands in the text is dropped
            tree = exp.TryCast(this=tree, to=exp.DataType.build("TIMESTAMPTZ"))
        # of text with an exponent DuckDB makes other digits where there is room for few
        if value.type == STRING and type_.kind == "decimal" and type_.precision < MAX_DIGITS:
            tree = exp.TryCast(this=tree, to=data_type(Type("decimal", MAX_DIGITS, type_.scale)))
        if value.type == BOOLEAN and type_.kind == "decimal":  # DuckDB would make 0.0001 of true where there is no room for a 1
            tree = exp.TryCast(this=tree, to=data_type(INTEGER))
        return Typed(exp.TryCast(this=tree, to=data_type(type_)), type_)

    def _extract(self, node: exp.Expr) -> Typed:
        part = str(node.this).lower()
        if part == "epoch":
            return self._seconds(node)
        if part not in TIME_PARTS:
            raise fail(f"extract knows {', '.join((*TIME_PARTS, 'epoch'))}, not {part!r}{for_function(part)}", node)
        return Typed(TIME_PARTS[part](this=self._argument(node.expression, "timestamp", node).tree), INTEGER)

    def _seconds(self, node: exp.Expr) -> Typed:
        """Of a time since 1970, or between two: subtracted as whole µs, so that no digit is lost."""
        given = node.expression.unnest()
        times = [given.this, given.expression] if isinstance(given, exp.Sub) else [given]
        first, *others = (exp.UnixMicros(this=self._argument(time, "timestamp", node).tree) for time in times)
        micros = exp.Paren(this=exp.Sub(this=first, expression=others[0])) if others else first
        return Typed(divide(micros, _SECOND_US), NUMBER)

    _builders: ClassVar[dict[type[exp.Expr], Callable[["Scalars", exp.Expr], Typed]]] = {
        exp.Literal: _literal,
        exp.Boolean: lambda _, node: Typed(exp.Boolean(this=bool(node.this)), BOOLEAN),
        exp.Null: lambda _self, _node: Typed(exp.Null(), None),
        exp.Paren: _paren,
        exp.Neg: _negative,
        **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
        **dict.fromkeys(COMPARISONS, _comparison),
        **dict.fromkeys((exp.And, exp.Or), _logic),
        exp.Not: _not,
        exp.In: _in,
        exp.Between: _between,
        exp.Is: _is,
        **dict.fromkeys((exp.Like, exp.ILike), _like),
        exp.Case: _case,
        exp.If: _if,
        **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least), _variadic),
        exp.Nullif: _nullif,
        **dict.fromkeys((exp.Concat, exp.DPipe), _concat),
        **dict.fromkeys((exp.Cast, exp.TryCast), _cast),
        exp.Extract: _extract,
    }
