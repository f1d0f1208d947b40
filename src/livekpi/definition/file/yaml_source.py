"""Reads a YAML file into a Document; refuses what a definition has no use for and what could be used to harm."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeGuard

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, DocumentStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent
from ruamel.yaml.reader import ReaderError

from livekpi.definition.file.document import Document, ListNode, MappingNode, Node, Scalar, place
from livekpi.definition.file.substitute import substitute
from livekpi.definition.problems import DefinitionError, Problem

MAX_BYTES = 1 << 20
_MAX_DEPTH = 32
_MAX_NODES = 100_000

_PLAINER = {
    "mapping values are not allowed here": "a second `: ` on the line; put the value in quotes if it belongs to the value",
    "found character '\\t' that cannot start any token": "a tab; indent with spaces, and put a value that starts with a tab in quotes",
    "found character '%' that cannot start any token": "a value that starts with %; put it in quotes",
    "found character '@' that cannot start any token": "a value that starts with @; put it in quotes",
    "found character '`' that cannot start any token": "a value that starts with a backtick; put it in quotes",
    "found unexpected end of stream": "a quote that is never closed",
    "expected <block end>, but found '<block mapping start>'": "the line begins at another column than the keys it belongs to",
    "expected <block end>, but found '<block sequence start>'": "the item begins at another column than those it belongs to",
    "expected ',' or '}', but got '{'": "a second `{`; put a value such as ${NAME} in quotes where it stands within braces",
    "could not find expected ':'": "a line that is neither `key: value` nor a list item; expected `: ` after a key",
}


def read_yaml(raw: bytes, file: str, environ: Mapping[str, str]) -> tuple[Document, list[Problem]]:
    """The document in `raw`, and the mistakes that leave it readable; raises DefinitionError where nothing can be read."""
    text = _decode(raw, file)
    reader = _Reader(text, file, environ)
    return Document(file, text, reader.root(), frozenset(reader.unfilled)), reader.problems


def _decode(raw: bytes, file: str) -> str:
    if len(raw) > MAX_BYTES:
        raise DefinitionError([Problem(f"expected a file of at most {MAX_BYTES >> 20} MiB", file)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", errors="replace")
        message = f"expected UTF-8, found the byte 0x{raw[error.start]:02x}; save the file as UTF-8"
        raise DefinitionError([Problem(message, file, *place(before, len(before)))]) from error


class _Reader:
    """Builds the tree from ruamel.yaml's events, which carry the places of everything."""

    def __init__(self, text: str, file: str, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.unfilled: list[tuple[int, int]] = []
        self._text = text
        self._file = file
        self._environ = environ
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        """By name: the node, how many nodes it holds, and how many levels."""
        self._events = self._parse()

    def root(self) -> Node:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                break
        else:
            self._stop(0, "the file is empty; expected `sources` and `kpis`")
        node, _, _ = self._node(next(self._events), 1)
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._stop(event.start_mark.index, "a second document; expected one in the file, without another `---`")
        return node

    def _parse(self) -> Iterator[Any]:
        try:
            yield from YAML(typ="safe", pure=True).parse(self._text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = _PLAINER.get(str(error.problem), f"not YAML: {error.problem}")
            context = f" {error.context}" if error.context and problem.startswith("not YAML") else ""
            self._stop(mark.index if mark else 0, problem + context)
        except ReaderError as error:
            self._stop(error.position, f"the character U+{error.character:04X} is not allowed in YAML")
        except (YAMLError, ValueError, OverflowError, AssertionError) as error:  # the last three: odd escapes and directives
            self._stop(0, f"not YAML: {error}")

    def _node(self, event: Any, depth: int, key: Node | None = None) -> tuple[Node, int, int]:
        """A node, perhaps a key's value, with how many nodes it holds and how many levels."""
        index, end = event.start_mark.index, event.end_mark.index
        if key is not None and isinstance(event, ScalarEvent) and event.style is None and not event.value:
            index = end = key.start  # nothing stands there, and YAML says that it does so where the next key begins
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                self._stop(index, f"no anchor &{event.anchor} stands before this")
            found = self._anchors[event.anchor]
            self._limit(index, depth + found[2] - 1, 0)
            return found
        self._limit(index, depth, 0)
        if event.ctag is not None:
            self._note(index, f"a tag, {event.tag}; a definition has none, take it away")
        if isinstance(event, ScalarEvent):
            made: tuple[Node, int, int] = (self._filled(index, end, event.value, event.style), 1, 1)
        else:
            assert isinstance(event, SequenceStartEvent | MappingStartEvent)
            made = self._list(event, depth) if isinstance(event, SequenceStartEvent) else self._mapping(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = made
        return made

    def _list(self, event: Any, depth: int) -> tuple[Node, int, int]:
        items: list[Node] = []
        size = levels = 1
        while not isinstance(after := next(self._events), CollectionEndEvent):
            item, item_size, item_levels = self._node(after, depth + 1)
            items.append(item)
            size, levels = size + item_size, max(levels, item_levels + 1)
            self._limit(after.start_mark.index, depth, size)
        return ListNode(event.start_mark.index, after.end_mark.index, tuple(items)), size, levels

    def _mapping(self, event: Any, depth: int) -> tuple[Node, int, int]:
        pairs: list[tuple[Node, Node]] = []
        size = levels = 1
        while not isinstance(after := next(self._events), CollectionEndEvent):
            key = self._key(after, depth)
            value, value_size, value_levels = self._node(next(self._events), depth + 1, key)
            size, levels = size + 1 + value_size, max(levels, value_levels + 1)
            self._limit(after.start_mark.index, depth, size)
            if not (event.flow_style and self._join(pairs, key, value)):
                pairs.append((key, value))
        made = MappingNode(event.start_mark.index, after.end_mark.index, {}, {})
        for key, value in pairs:
            self._add(made, key, value)
        return made, size, levels

    def _key(self, event: Any, depth: int) -> Node:
        """A key; variables are for values, so it is taken as it stands."""
        if isinstance(event, ScalarEvent) and event.anchor is None and event.ctag is None:
            value = self._whole(event.start_mark.index, event.value)
            return Scalar(event.start_mark.index, event.end_mark.index, value, event.style, value, None)
        return self._node(event, depth + 1)[0]

    def _join(self, pairs: list[tuple[Node, Node]], key: Node, value: Node) -> bool:
        """Takes ``10m)`` in ``{ when: absent(orders, 10m) }`` for what it is, the rest of the value before it.

        YAML sees a key without a value there; a comma between parentheses is never meant so.
        """
        if not pairs or not (_is_plain(key) and _is_plain(value)):
            return False
        before = pairs[-1][1]
        if value.value or not _is_plain(before) or not _open_parentheses(before.value):
            return False
        between = self._text[before.end : key.start]
        if between.strip() != ",":
            return False
        joined = f"{before.value}{' '.join(between.split())} {key.value}"
        pairs[-1] = pairs[-1][0], self._filled(before.start, key.end, joined, None)
        return True

    def _add(self, mapping: MappingNode, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            self._note(key.start, "a key that is a list or a mapping; expected a name")
        elif key.value == "<<" and key.style is None:
            self._note(key.start, "merge keys (<<) are not understood; write the keys out, or name the whole value with & and *")
        elif key.value in mapping.keys:
            line, _ = place(self._text, mapping.keys[key.value].start)
            self._note(key.start, f"{key.value!r} stands twice here, first in line {line}; keep one")
        else:
            mapping.keys[key.value], mapping.values[key.value] = key, value

    def _filled(self, start: int, end: int, value: str, style: str | None) -> Scalar:
        """A scalar with its variables filled in."""
        value = self._whole(start, value)
        if "$" not in value:
            return Scalar(start, end, value, style, value, None)
        filled = substitute(value, self._environ)
        scalar = Scalar(start, end, value, style, filled.text, filled.origins)
        document = Document(self._file, self._text, scalar)
        for at, mistake in filled.mistakes:
            self.problems.append(document.problem((), mistake, filled.origins.index(at)))
            self.unfilled.append(place(self._text, start))
        return scalar

    def _whole(self, index: int, value: str) -> str:
        """A value in which the halves that JSON writes of a character beyond U+FFFF are put together."""
        try:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as error:
            half = int.from_bytes(error.object[error.start : error.start + 2], "little")
            self._note(index, f"half a character, \\u{half:04x}; write the character itself, or \\U and its eight digits")
            return value

    def _limit(self, index: int, depth: int, size: int) -> None:
        if depth > _MAX_DEPTH:
            self._stop(index, f"nested more than {_MAX_DEPTH} deep")
        if size > _MAX_NODES:
            self._stop(index, f"more than {_MAX_NODES:,} values, aliases counted as what they stand for")

    def _note(self, index: int, message: str) -> None:
        self.problems.append(Problem(message, self._file, *place(self._text, index)))

    def _stop(self, index: int, message: str) -> NoReturn:
        self._note(index, message)
        raise DefinitionError(self.problems)


def _is_plain(node: Node) -> TypeGuard[Scalar]:
    return isinstance(node, Scalar) and node.style is None


def _open_parentheses(text: str) -> bool:
    unquoted = re.sub(r"'[^']*'", "", text)
    return unquoted.count("(") > unquoted.count(")")
