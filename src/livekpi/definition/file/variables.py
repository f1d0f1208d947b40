"""The variables that what a file means depends on."""

from collections.abc import Iterator, Mapping

from livekpi.definition.file.document import ListNode, Loc, MappingNode, Node, Scalar
from livekpi.definition.file.substitute import names

_SECRET = (("notify",), ("sources", "*", "kafka", "settings"), ("engine", "*", "settings"), ("engine", "*", "client"))
"""Where what stands may be a secret, and changes no number; `*` is any name."""


def telling(root: Node, environ: Mapping[str, str]) -> dict[str, str]:
    """The values of the variables that stand where no secrets do, empty of those that are not set: with them a file says the same where the
    environment is another."""
    return {name: environ.get(name, "") for name in sorted(set(_names(root, ())))}


def _names(node: Node, loc: Loc) -> Iterator[str]:
    if any(_matches(loc, place) for place in _SECRET):
        return
    if isinstance(node, MappingNode):
        for key, value in node.values.items():
            yield from _names(value, (*loc, key))
    elif isinstance(node, ListNode):
        for index, item in enumerate(node.items):
            yield from _names(item, (*loc, index))
    elif isinstance(node, Scalar) and node.text_origins is not None:
        yield from names(node.value)


def _matches(loc: Loc, place: tuple[str, ...]) -> bool:
    return len(loc) == len(place) and all(name in ("*", step) for step, name in zip(loc, place, strict=True))
