"""Expressions as trees that can be written as SQL, and computed in plain Python. It shares no code with livekpi."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.oracle.oracle import Kpi, Part
from tests.oracle.sql_types import MOST_DIGITS, Type
from tests.oracle.sql_values import Meaning


@dataclass(frozen=True, repr=False)
class Node:
    """An expression: its parts stand in the braces of `form`, and its value is what `means` makes of theirs.

    One without parts is written as `form` says, and gets its value from the row: an event, or the values of aggregates.
    """

    form: str
    type: Type
    means: Meaning
    parts: tuple["Node", ...] = ()
    needed: int = 0
    """The digits of the decimal in which it is computed."""

    @property
    def sql(self) -> str:
        return self.form.format(*(part.sql for part in self.parts)) if self.parts else self.form

    def __repr__(self) -> str:
        return self.sql

    def value(self, row: Any) -> Any:
        return self.means(*(part.value(row) for part in self.parts)) if self.parts else self.means(row)

    @property
    def too_wide(self) -> bool:
        """Whether some of it needs more digits than a decimal can have."""
        return any(node.needed > MOST_DIGITS for node in self.walk())

    def walk(self) -> Iterator["Node"]:
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Operator:
    """A way to make an expression of others."""

    form: str
    takes: tuple[str, ...]
    """The kinds of its parts."""
    gives: str
    """The kind of the result."""
    means: Meaning
    width: Callable[[Sequence[Type]], Type] | None = None
    """The type in which it is computed, of those of its exact numbers; None where these don't matter."""

    def of(self, parts: Sequence[Node]) -> Node:
        exact = [part.type for part in parts if part.type.kind in ("integer", "decimal")]
        computed = self.width(exact) if self.width is not None else Type(self.gives)
        result = computed if computed.kind == self.gives else Type(self.gives)
        return Node(self.form, result, self.means, tuple(parts), computed.digits if computed.kind == "decimal" else 0)


@dataclass(frozen=True, repr=False)
class Aggregate(Node):
    """An expression that is computed of events."""

    of: tuple[Part, ...] = ()
    tolerance: float = 0.0
    """How far from its exact value it may be, relatively."""
    refused: bool = False
    """Whether no engine could compute it, as some of it needs too many digits."""


@dataclass(frozen=True, repr=False)
class Written:
    """A KPI of the file."""

    name: str
    tree: Node
    rough: bool
    """Whether it can't be told to the last digit, as floating numbers are not added or powered alike everywhere."""

    def __repr__(self) -> str:
        return f"{self.name}: {self.tree.sql}"

    @property
    def aggregates(self) -> list[Aggregate]:
        return [node for node in self.tree.walk() if isinstance(node, Aggregate)]

    @property
    def refused(self) -> bool:
        return any(aggregate.refused for aggregate in self.aggregates)

    @property
    def has_own(self) -> bool:
        """Whether it aggregates anything itself, beside the KPIs that it names."""
        return any(isinstance(node, Aggregate) for node in _own(self.tree))

    @property
    def named(self) -> Node:
        """What stands for it in another KPI."""
        return Node(self.name, self.tree.type, lambda value: value, (self.tree,))

    @property
    def kpi(self) -> Kpi:
        """As the oracle takes it."""
        parts = tuple(part for aggregate in self.aggregates for part in aggregate.of)
        tolerance = max(aggregate.tolerance for aggregate in self.aggregates)
        return Kpi(parts, lambda *values: self._value(dict(zip(parts, values, strict=True))), tolerance or (1e-9 if self.rough else 0.0))

    def _value(self, values: Mapping[Part, Any]) -> Any:
        return None if all(value is None for value in values.values()) else self.tree.value(values)


def _own(node: Node) -> Iterator[Node]:
    """What is written in a tree itself."""
    yield node
    if "{}" in node.form:
        for part in node.parts:
            yield from _own(part)
