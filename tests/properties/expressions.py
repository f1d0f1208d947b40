"""Random KPIs of all that the language has: what Hypothesis draws, the simplest first."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.oracle import sql_values as sql
from tests.oracle.oracle import Event, Part, divide, every, one, single
from tests.oracle.sql_language import INSIDE, OUTSIDE, Language
from tests.oracle.sql_tree import Aggregate, Node, Written
from tests.oracle.sql_types import ADDEND_DIGITS, ADDEND_SCALE, MOST_DIGITS, Type
from tests.properties.expression_events import BY, FIELDS, TEXTS

_TYPES = {
    **{kind: Type(kind) for kind in ("integer", "string", "boolean", "timestamp", "number")},
    "said": Type("string"),
    **dict.fromkeys(("eighths", "rough"), Type("number")),
}
_DECIMALS = {"d": Type("decimal", 18, 2), "p": Type("decimal", 10, 4)}
_PATHS: Sequence[tuple[str, tuple[str | int, ...]]] = (
    ("cart.k", ("k",)),
    ("cart.l[0]", ("l", 0)),
    ("cart.l[1].k", ("l", 1, "k")),
    ("cart.k.k", ("k", "k")),
    ("cart['a b']", ("a b",)),
    ("cart['x\"y']", ('x"y',)),
    ("cart['a''b']", ("a'b",)),
    ("cart['$']", ("$",)),
    ("cart['a.b']", ("a.b",)),
)
_LITERALS: Mapping[str, Sequence[Any]] = {
    "integer": (0, 1, 2, 7, 100, 10**9, 2**62),
    "decimal": tuple(map(Decimal, ("0.5", "1.25", "0.01", "12.0", "100.00"))),
    "number": (1e0, 2.5e-1, 1e3),
    "eighths": (1e0, 2.5e-1),
    "string": TEXTS,
    "boolean": (True, False),
}


# Expressions over an event


def _literal(kind: str, value: Any) -> Node:
    if kind == "integer":
        return Node(str(value), Type("integer", len(str(value))), lambda _: value)
    if kind == "decimal":
        _, digits, exponent = value.as_tuple()
        scale = -int(exponent)
        return Node(str(value), Type("decimal", max(len(digits), scale + 1), scale), lambda _: value)
    if kind == "string":
        return Node("'" + value.replace("'", "''") + "'", Type("string"), lambda _: value)
    text = str(value).lower() if kind == "boolean" else f"{value:e}"
    return Node(text, _TYPES[kind], lambda _: value)


def _field(name: str, kind: str) -> Node:
    return Node(name, _DECIMALS.get(name) or _TYPES[kind], lambda event: event[name])


def _part_of_json(text: str, path: tuple[str | int, ...]) -> Node:
    return Node(text, Type("string"), lambda event: sql.json_text(event["cart"], *path))


@cache
def _leaves(kind: str) -> st.SearchStrategy[Node]:
    """Fields more often than what is written out."""
    fields = [_field(name, kind) for name, (_, kinds) in FIELDS.items() if kind in kinds]
    if kind == "rough":  # there are none but what is computed
        return _leaves("number")
    written = [_literal(kind, value) for value in _LITERALS.get(kind, ())]
    if kind in ("string", "said"):
        fields += [_part_of_json(*path) for path in _PATHS]
    return st.one_of(st.sampled_from(fields), st.sampled_from(fields), st.sampled_from([*fields, *written]))


@cache
def scalars(kind: str, depth: int) -> st.SearchStrategy[Node]:
    """Expressions over an event's fields, at most so deep."""
    return _made(INSIDE, _leaves(kind), kind, depth, scalars)


def _made(
    language: Language,
    leaves: st.SearchStrategy[Node],
    kind: str,
    depth: int,
    parts: Callable[[str, int], st.SearchStrategy[Node]],
) -> st.SearchStrategy[Node]:
    @st.composite
    def made(draw: st.DrawFn) -> Node:
        if depth == 0 or kind not in language or draw(st.integers(0, 5)) == 0:
            return draw(leaves)
        operator = draw(st.sampled_from(draw(st.sampled_from(language[kind]))))
        return operator.of([draw(parts(taken, depth - 1)) for taken in operator.takes])

    return made()


# Aggregates, and KPIs made of them


@dataclass(frozen=True)
class _Form:
    """A way to aggregate: the kind of its argument and of its result, and which parts the oracle makes it of."""

    form: str
    takes: str | None
    gives: str
    parts: tuple[str, ...]
    means: Callable[..., Any] = single
    quantile: str = "0.5"
    summed: bool = False
    """Whether its argument must leave a sum room to grow."""


def _mean(total: Any, count: int | None) -> float | None:
    return divide(total, count)


_COUNT_IF = "count_if({})"
_COUNTED = ("integer", "decimal", "number", "string", "boolean", "timestamp")
_KEPT = (*((kind, kind) for kind in ("integer", "decimal", "number", "rough", "string", "timestamp")), ("eighths", "eighths"))
_FORMS = (
    _Form("count(*)", None, "integer", ("count",)),
    _Form(_COUNT_IF, "boolean", "integer", ("count",)),
    *(_Form("count({})", kind, "integer", ("count",)) for kind in _COUNTED),
    *(_Form("count(distinct {})", kind, "integer", ("distinct",)) for kind in _COUNTED),
    *(_Form("sum({})", kind, kind, ("sum",), summed=True) for kind in ("integer", "decimal", "eighths")),
    *(_Form("avg({})", kind, "number", ("sum", "count"), _mean) for kind in ("integer", "eighths")),
    _Form("avg({})", "decimal", "rough", ("sum", "count"), _mean, summed=True),
    *(_Form(f"{name}({{}})", takes, gives, (name,)) for name in ("max", "min", "last", "first") for takes, gives in _KEPT),
    *(_Form(f"{name}({{}})", "boolean", "boolean", (name,)) for name in ("last", "first")),
    *(_Form(f"quantile({{}}, {share})", "number", "quantile", ("quantile",), quantile=share) for share in ("0", "0.29", "0.95", "1")),
    _Form("median({})", "integer", "quantile", ("quantile",)),
)


@cache
def aggregates(kind: str) -> st.SearchStrategy[Aggregate]:
    """Of expressions over events, of those that a condition takes."""

    @st.composite
    def made(draw: st.DrawFn) -> Aggregate:
        form = draw(st.sampled_from([form for form in _FORMS if form.gives == kind]))
        argument = None if form.takes is None else draw(scalars(form.takes, draw(st.integers(0, 3))))
        filtered = form.form != _COUNT_IF and draw(st.integers(0, 3)) == 3
        condition = draw(scalars("boolean", draw(st.integers(0, 2)))) if filtered else None
        return _aggregate(form, argument, condition)

    return made()


def _aggregate(form: _Form, argument: Node | None, condition: Node | None) -> Aggregate:
    written = form.form if argument is None else form.form.format(argument.sql)
    if condition is not None:
        written += f" filter (where {condition.sql})"
    where: Callable[[Event], bool | None] = every if condition is None else condition.value
    of = one if argument is None else _value(argument, summed=form.summed)
    if argument is not None and form.form == _COUNT_IF:
        of, where = one, argument.value
    parts = tuple(Part(kind, of, where, (BY,), quantile=form.quantile) for kind in form.parts)
    return Aggregate(
        written,
        _type(form, argument),
        lambda values: form.means(*(values[part] for part in parts)),
        of=parts,
        tolerance=0.0101 if form.gives == "quantile" else 0.0,
        refused=any(node is not None and node.too_wide for node in (argument, condition)) or (form.summed and _without_room(argument)),
    )


def _value(argument: Node, *, summed: bool) -> Callable[[Event], Any]:
    """What is aggregated of an event; a decimal that leaves a sum no room to grow is null."""
    if not summed or argument.type.kind != "decimal" or argument.type.digits <= ADDEND_DIGITS:
        return argument.value
    fit = sql.strict(lambda value: sql.fitted(value, ADDEND_DIGITS, argument.type.scale))
    return lambda event: fit(argument.value(event))


def _without_room(argument: Node | None) -> bool:
    """Whether too few of a sum's digits could stand before the point."""
    return argument is not None and argument.type.digits > ADDEND_DIGITS and argument.type.scale > ADDEND_SCALE


def _type(form: _Form, argument: Node | None) -> Type:
    if argument is None or argument.type.kind != "decimal" or form.gives != "decimal":
        return _TYPES.get(form.gives, Type("number"))
    return Type("decimal", MOST_DIGITS, argument.type.scale) if form.summed else argument.type


_KINDS = ("integer", "number", "decimal", "eighths", "string", "timestamp", "rough", "quantile")


@st.composite
def kpis(draw: st.DrawFn) -> tuple[Written, ...]:
    """Some KPIs, of which later ones may name earlier ones."""
    found: list[tuple[str, Written]] = []
    while len(found) < 8 and (not found or draw(st.integers(0, 19))):
        kind = draw(st.sampled_from(_KINDS))
        tree = draw(_outside(tuple(found), kind, draw(st.integers(0, 2))))
        found.append((kind, Written(f"k{len(found)}", tree, kind == "rough")))
    return tuple(written for _, written in found)


def _outside(known: tuple[tuple[str, Written], ...], kind: str, depth: int) -> st.SearchStrategy[Node]:
    """Arithmetic over aggregates, and over the KPIs that are known."""
    named = [written.named for of, written in known if of == kind and not written.refused]
    leaves: st.SearchStrategy[Node] = aggregates(kind)
    if named:
        leaves |= st.sampled_from(named)
    return _made(OUTSIDE, leaves, kind, depth, lambda part, below: _outside(known, part, below))


def definition_text(written: Sequence[Written]) -> str:
    """The file with these KPIs."""
    fields = [f"      {name}: {json.dumps(declared)}" for name, (declared, _) in FIELDS.items()]
    lines = ["sources:", "  s:", "    http: {}", "    time: ts", "    fields:", *fields, "kpis:"]
    for kpi in written:
        own = f", every: 1m, by: [{BY}]" if kpi.has_own else ""
        lines.append(f"  {kpi.name}: {{ value: {json.dumps(kpi.tree.sql, ensure_ascii=False)}{own} }}")
    return "\n".join(lines)
