"""One SQL statement for a KPI, or several: their aggregates side by side by step and slice, then the arithmetic of each."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from livekpi.definition.definition import Kpi
from livekpi.definition.sql.expressions import Aggregate
from livekpi.definition.types import NUMBER, Field
from livekpi.engine.plan import Grouping
from livekpi.query import leaves
from livekpi.query.leaves import Slice
from livekpi.query.steps import Steps


@dataclass(frozen=True)
class Part:
    """What is read from one grouping: the aggregates there, by their numbers, and what the store knows of it."""

    grouping: Grouping
    aggregates: tuple[tuple[int, Aggregate], ...]
    rolled_before_us: int
    """Buckets before this may have been rolled up."""
    first_us: int | None
    """The bucket of the grouping's first event."""
    last_event_us: int | None
    since_us: Mapping[int, int]
    """From which bucket on each aggregate is complete, by its number."""
    marks: Mapping[int, int] = field(default_factory=dict)
    """By window (µs), the numbers of what says that something in it was corrected; empty where nobody wants to know."""


@dataclass(frozen=True)
class Statement:
    """What is asked: rows of the step, the slice, a value a KPI, and for each mark the two columns that it has."""

    unordered: str
    order: str
    parameters: dict[str, str]

    @property
    def sql(self) -> str:
        return f"{self.unordered} ORDER BY {self.order}"


def assemble(
    kpis: Sequence[Kpi],
    numbers: Mapping[Aggregate, int],
    parts: Sequence[Part],
    since_us: int,
    steps: Steps,
    by: tuple[str, ...],
    where: exp.Expr | None,
    fields: Mapping[str, Field],
    *,
    carry: bool = True,
    zeros: bool = False,
) -> Statement:
    """Rows (step, dimensions of `by`, a value for each KPI, marks) without those that have no value; `numbers` are the aggregates'.

    No step ends before `since_us`, and of the first the buckets before it do not count: one of the parts is not complete there, and a
    ratio of unlike spans would be wrong. What lies before a step, in a window or as a level, counts as far as it is complete itself.
    `fields` are those of the dimensions that `where` is about. Without `carry` a level is only where an event gave it;
    with `zeros` a sum is 0 where a count would be.
    """
    parameters: dict[str, str] = {}
    tables: list[str] = []
    for part in parts:
        condition = _condition(where, part.grouping, fields, parameters)
        cut = Slice(part.grouping, tuple(f"d{part.grouping.by.index(name)}" for name in by), condition, since_us)
        tables += _tables(cut, part, steps, carry=carry, zeros=zeros)
    names = ["i", *(f"g{index}" for index in range(len(by)))]
    marks = [name for mark in sorted(mark for part in parts for mark in part.marks.values()) for name in leaves.marked(mark)]
    filled = [number for part in parts for number in _summed(part) if zeros and part.last_event_us is not None]
    columns = [*(f"a{number}" for number in numbers.values()), *marks, *(f"z{number}" for number in filled)]
    merged = ", ".join([*names, *(f"max({name}) AS {name}" for name in columns)])

    def value(aggregate: Aggregate, number: int) -> str:
        if number in filled:
            return f"CASE WHEN a{number} IS NULL AND z{number} THEN 0 ELSE a{number} END"
        return _carried(number, names[1:]) if carry and aggregate.kind == "last" else f"a{number}"

    values = [f"{value(aggregate, number)} AS a{number}" for aggregate, number in numbers.items()]
    carried = ", ".join([*names, *values, *marks])
    together = f"SELECT {merged} FROM ({' UNION ALL BY NAME '.join(tables)}) GROUP BY ALL" if len(tables) > 1 else tables[0]
    inner = f"SELECT {carried} FROM ({together})"
    found = [f"v{place}" for place in range(len(kpis))]
    outer = ", ".join([*names, *(f"{value_sql(kpi, numbers)} AS {value}" for kpi, value in zip(kpis, found, strict=True)), *marks])
    some = " OR ".join(f"{value} IS NOT NULL" for value in found)
    shown, steps_alone = ("* REPLACE (i::BIGINT AS i)", " AND i = floor(i)") if steps.gaps else ("*", "")
    found_rows = (
        f"SELECT {shown} FROM (SELECT {outer} FROM ({inner})) WHERE i >= {bisect_right(steps.ends, since_us)}{steps_alone} AND ({some})"
    )
    return Statement(found_rows, ", ".join(names), parameters)


def _tables(cut: Slice, part: Part, steps: Steps, *, carry: bool, zeros: bool) -> list[str]:
    tables: list[str] = []
    cells: dict[tuple[int, Slice], list[tuple[int, Aggregate]]] = {}
    counted: list[int] = []
    marks = dict(part.marks)
    for number, aggregate in part.aggregates:
        mine = _reaching(cut, part.since_us[number], level=carry and aggregate.kind == "last")
        if aggregate.kind in ("count", "distinct"):
            counted.append(number)
        if aggregate.kind == "quantile":
            tables.append(leaves.quantile_values(mine, steps, number, aggregate))
        elif aggregate.kind == "distinct":
            rolled = part.rolled_before_us > steps.starts[0] - aggregate.over_us
            values = leaves.distinct_values if rolled else leaves.exact_distinct_values
            tables.append(values(mine, steps, number, aggregate))
        else:
            cells.setdefault((aggregate.over_us, mine), []).append((number, aggregate))
        if aggregate.kind == "last" and carry:
            tables.append(leaves.before(mine, steps, number, aggregate))
    for (over_us, mine), asked in cells.items():
        tables.append(leaves.cell_values(mine, steps, over_us, asked, marks.pop(over_us, None)))
    tables += [leaves.cell_values(cut, steps, over_us, [], mark) for over_us, mark in marks.items()]
    levels = carry and any(aggregate.kind == "last" for _, aggregate in part.aggregates)
    summed = _summed(part) if zeros else []
    if part.last_event_us is not None and (counted or levels or summed):
        if cut.whole:
            tables.append(leaves.whole_grid(cut, steps, part.first_us, part.last_event_us, counted, summed))
        else:
            tables.append(leaves.grid(cut, part.last_event_us, counted, summed))
    return tables


def _reaching(cut: Slice, own_us: int, *, level: bool) -> Slice:
    """What is read of an aggregate that is complete from a bucket on; a level is carried on from there, whatever it is combined with."""
    return replace(cut, since_us=own_us if level else cut.since_us, own_us=own_us)


def _summed(part: Part) -> list[int]:
    """The numbers of the sums among what is read of a part."""
    return [number for number, aggregate in part.aggregates if aggregate.kind == "sum"]


def _carried(number: int, slices: Sequence[str]) -> str:
    partition = f"PARTITION BY {', '.join(slices)} " if slices else ""
    return f"last_value(a{number} IGNORE NULLS) OVER ({partition}ORDER BY i)"


def value_sql(kpi: Kpi, numbers: Mapping[Aggregate, int]) -> str:
    """The KPI as SQL over the columns a0, a1, … of its aggregates, by their numbers; null where it is no number."""
    columns = {f"a{place}": f"a{numbers[aggregate]}" for place, aggregate in enumerate(kpi.value.aggregates)}

    def number(node: exp.Expr) -> exp.Expr:
        return exp.column(columns[node.name]) if isinstance(node, exp.Column) else node

    tree = kpi.value.tree
    # most are one aggregate, and it takes long to rewrite a tree
    text = columns[tree.name] if isinstance(tree, exp.Column) else tree.transform(number).sql(dialect="duckdb")
    value = f"TRY({text})"
    return f"CASE WHEN isfinite({value}::DOUBLE) THEN {value} END" if kpi.value.type == NUMBER else value


def _condition(where: exp.Expr | None, grouping: Grouping, fields: Mapping[str, Field], parameters: dict[str, str]) -> str:
    """A condition over dimensions as SQL over a grouping's columns; its texts are bound, never written."""
    if where is None:
        return "true"

    def place(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            column = exp.column(f"d{grouping.by.index(node.name)}")
            kind = fields[node.name].type.kind
            return (
                column
                if kind == "string"
                else exp.TryCast(this=column, to=exp.DataType.build("BOOLEAN" if kind == "boolean" else "BIGINT"))
            )
        if isinstance(node, exp.Literal) and node.is_string:
            name = f"w{len(parameters)}"
            parameters[name] = str(node.this)
            return exp.Placeholder(this=name)
        return node

    return f"TRY({where.copy().transform(place).sql(dialect='duckdb')})"
