"""From definitions to partial aggregates, for any engine that can GROUP BY.

A plan says what rows to keep, not how to compute them: `embedded`, and later the cluster engines, render it. Every row
merges by +, min or max and by nothing else, so any order and grouping of the work gives the same numbers.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sqlglot import exp

from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.sql.expressions import Aggregate
from livekpi.definition.types import Type

PartialKind = Literal["count", "sum", "min", "max", "last", "first", "bins", "distinct"]
CELL_KINDS: tuple[PartialKind, ...] = ("count", "sum", "min", "max", "last", "first")

# DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019) at 1 % relative error.
GAMMA = 1.01 / 0.99
BIN_OFFSET = 1 << 17
"""Added to a positive value's bin number, so that a bin's sign is its value's; bin 0 holds zeros."""


@dataclass(frozen=True)
class Partial:
    """One mergeable piece: a column of cells, or (bins, distinct) rows of its own."""

    kind: PartialKind
    argument: exp.Expr | None
    where: exp.Expr | None
    type: Type
    texts: tuple[str | None, str | None]
    """Argument and condition as SQL."""

    @cached_property
    def key(self) -> str:
        """Names the piece by its meaning: another expression has another key, so numbers of both are never mixed."""
        return f"{self.kind}_{_digest([*self.texts, str(self.type)])}"


@dataclass(frozen=True)
class Grouping:
    """The pieces that share source, bucket and dimensions, and so one pass over the events."""

    source: str
    meaning: str
    """What else decides which events count, and when: the source's time and id fields."""
    every_us: int
    by: tuple[str, ...]
    partials: tuple[Partial, ...]

    @cached_property
    def key(self) -> str:
        return f"{self.source}_{_digest([self.source, self.meaning, self.every_us, *self.by])}"

    @property
    def cells(self) -> tuple[Partial, ...]:
        """Those that have one value a bucket and series."""
        return tuple(partial for partial in self.partials if partial.kind in CELL_KINDS)

    @property
    def spreads(self) -> tuple[Partial, ...]:
        """Those that have many rows a bucket and series: bins and distinct values."""
        return tuple(partial for partial in self.partials if partial.kind not in CELL_KINDS)


@dataclass(frozen=True)
class Plan:
    """All that is to be kept for a definition, by source."""

    groupings: Mapping[str, tuple[Grouping, ...]]

    def fields(self, source: str, definition: Definition) -> frozenset[str]:
        """The fields of a source's events that are needed beyond their time."""
        needed = {aggregate.fields for aggregate in _aggregates(definition.kpis.values()) if aggregate.source == source}
        identity = definition.sources[source].spec.id
        return frozenset().union(*needed, () if identity is None else (identity,))

    def all(self) -> Iterable[Grouping]:
        return (grouping for groupings in self.groupings.values() for grouping in groupings)


def make_plan(definition: Definition) -> Plan:
    """The plan of a definition: equal pieces are kept once, pieces of one source, bucket and `by` stand together."""
    found: dict[tuple[str, int, tuple[str, ...]], dict[str, Partial]] = {}
    for aggregate in _aggregates(definition.kpis.values()):
        partial = partial_of(aggregate)
        found.setdefault((aggregate.source, aggregate.every_us, aggregate.by), {}).setdefault(partial.key, partial)
    groupings: dict[str, list[Grouping]] = {name: [] for name in definition.sources}
    for (source, every_us, by), partials in found.items():
        groupings[source].append(Grouping(source, source_meaning(definition, source), every_us, by, tuple(partials.values())))
    return Plan({source: tuple(rows) for source, rows in groupings.items()})


def grouping_of(plan: Plan, aggregate: Aggregate) -> Grouping:
    """The grouping that holds an aggregate's pieces."""
    for grouping in plan.groupings[aggregate.source]:
        if (grouping.every_us, grouping.by) == (aggregate.every_us, aggregate.by):
            return grouping
    raise LookupError(f"no grouping for {aggregate}")


def partial_of(aggregate: Aggregate) -> Partial:
    """The piece an aggregate is read from; quantiles of one argument share their bins."""
    kind: PartialKind = "bins" if aggregate.kind == "quantile" else aggregate.kind
    return Partial(kind, aggregate.argument, aggregate.where, aggregate.type, aggregate.texts)


def source_meaning(definition: Definition, source: str) -> str:
    """What, beside the expressions, decides which events count and when."""
    spec = definition.sources[source].spec
    return json.dumps([spec.time, definition.sources[source].fields[spec.time].time_format, spec.id])


def bin_tree(value: exp.Expr) -> exp.Expr:
    """The bin of a numeric value: ±(ceil(log_γ |v|) + offset), or 0 for zero."""
    magnitude = exp.Abs(this=exp.TryCast(this=value.copy(), to=exp.DataType.build("DOUBLE")))
    scaled = exp.Mul(this=exp.Ln(this=magnitude), expression=exp.Literal.number(repr(1 / math.log(GAMMA))))
    number = exp.Add(this=exp.TryCast(this=exp.Ceil(this=scaled), to=exp.DataType.build("INT")), expression=exp.Literal.number(BIN_OFFSET))
    zero = exp.Literal.number(0)
    positive = exp.If(this=exp.GT(this=value.copy(), expression=zero), true=number)
    negative = exp.If(this=exp.LT(this=value.copy(), expression=zero.copy()), true=exp.Neg(this=exp.Paren(this=number.copy())))
    null = exp.If(this=exp.Is(this=value.copy(), expression=exp.Null()), true=exp.Null())
    return exp.Case(ifs=[null, positive, negative], default=zero.copy())


def _aggregates(kpis: Iterable[Kpi]) -> Iterable[Aggregate]:
    return (aggregate for kpi in kpis for aggregate in kpi.value.aggregates)


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
