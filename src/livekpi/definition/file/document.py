"""A YAML file as a tree in which every value knows its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from livekpi.definition.file.scalar_text import origins, plain_value
from livekpi.definition.problems import Problem

Loc = tuple[str | int, ...]
"""The way from the top of the file to a value: keys of mappings, indices of lists."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value, from character `start` to `end` of the file."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Scalar(Node):
    value: str
    """What stands in the file, quotes and folding undone."""
    style: str | None
    """The quote, ``|`` or ``>``; None for a plain scalar."""
    text: str
    """`value` with its variables filled in."""
    text_origins: tuple[int, ...] | None
    """For each character of `text`, and for its end, its offset in `value`; None where nothing was filled in."""

    def data(self) -> str | int | float | bool | None:
        """The value; text that was quoted or filled in is text whatever it looks like."""
        return plain_value(self.value) if self.style is None and self.text_origins is None else self.text


@dataclass(frozen=True, slots=True, eq=False)
class ListNode(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MappingNode(Node):
    keys: dict[str, Node]
    values: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text and what was read from it."""

    file: str
    text: str
    root: Node
    unfilled: frozenset[tuple[int, int]] = frozenset()
    """Line and column of the values that are not known, as a variable in them could not be filled in."""

    def find(self, loc: Loc) -> Node | None:
        """The node at `loc`; None where there is none."""
        node: Node | None = self.root
        for step in loc:
            node = _child(node, step)
        return node

    def unknown(self) -> frozenset[Loc]:
        """Where the values stand that are `unfilled`."""
        return frozenset(self._unknown(self.root, ())) if self.unfilled else frozenset()

    def _unknown(self, node: Node, loc: Loc) -> Iterator[Loc]:
        if isinstance(node, MappingNode):
            for key, value in node.values.items():
                yield from self._unknown(value, (*loc, key))
        elif isinstance(node, ListNode):
            for index, item in enumerate(node.items):
                yield from self._unknown(item, (*loc, index))
        elif isinstance(node, Scalar) and node.text_origins is not None and place(self.text, node.start) in self.unfilled:
            yield loc

    def problem(self, loc: Loc, message: str, offset: int | None = None, *, warning: bool = False) -> Problem:
        """A mistake in the value at `loc`, or `offset` characters into its text; if nothing is there, in what should hold it."""
        node = self.find(loc)
        if node is None:
            return self.problem(loc[:-1], message, warning=warning)
        index = self._index(node, offset) if isinstance(node, Scalar) and offset is not None else node.start
        return self._at(index, message, warning=warning)

    def key_problem(self, loc: Loc, message: str, *, warning: bool = False) -> Problem:
        """A mistake in the key that `loc` ends with, or in the value where `loc` does not end with a key."""
        holder = self.find(loc[:-1]) if loc else None
        key = holder.keys.get(str(loc[-1])) if isinstance(holder, MappingNode) else None
        return self._at(key.start, message, warning=warning) if key else self.problem(loc, message, warning=warning)

    def shown(self, loc: Loc) -> str:
        """The value at `loc` as the file has it, cut short; variables are not filled in, for they may be secret."""
        node = self.find(loc)
        if isinstance(node, Scalar):
            text = node.value if len(node.value) <= 60 else f"{node.value[:57]}…"
            return f"`{text}`" if text else "nothing"
        return "a list" if isinstance(node, ListNode) else "a mapping" if isinstance(node, MappingNode) else "nothing"

    def _at(self, index: int, message: str, *, warning: bool) -> Problem:
        line, column = place(self.text, index)
        return Problem(message, self.file, line, column, warning)

    def _index(self, node: Scalar, offset: int) -> int:
        in_value = node.text_origins[min(offset, len(node.text))] if node.text_origins else min(offset, len(node.value))
        return node.start + origins(node.value, self.text[node.start : node.end], node.style)[in_value]


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, both 1-based; lines end as editors see it, with LF, CR LF or CR."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def data(node: Node) -> Any:
    """The plain Python value of a tree: dict, list, str, int, float, bool, None."""
    if isinstance(node, MappingNode):
        return {key: data(value) for key, value in node.values.items()}
    if isinstance(node, ListNode):
        return [data(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.data()


def _child(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        return node.values.get(str(step))
    if isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None
