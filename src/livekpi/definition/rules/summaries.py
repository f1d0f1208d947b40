"""What a notification says first: a text in which names in braces are filled in, and nothing else is done."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from livekpi.definition.problems import ExpressionError, nearest

RULE_NAMES = ("value", "kpi", "rule", "title", "threshold")
"""What may stand in braces beside the rule's dimensions; `threshold` only where the condition compares with a number."""
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Summary:
    """A text in pieces: what stands there, and the name of what follows it; the last is followed by nothing."""

    pieces: tuple[tuple[str, str | None], ...]

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with its names replaced; `values` has each of them."""
        return "".join(text + ("" if name is None else values[name]) for text, name in self.pieces)


def parse_summary(text: str, names: Collection[str]) -> Summary:
    """Reads a summary in which only `names` may stand in braces; ``{{`` and ``}}`` are braces themselves.

    Raises ExpressionError at the place of the mistake.
    """
    pieces: list[tuple[str, str | None]] = []
    before, since = "", 0
    for match in _PIECE.finditer(text):
        before += text[since : match.start()]
        since = match.end()
        if match[0] in ("{{", "}}"):
            before += match[0][0]
            continue
        pieces.append((before, _name(match, names)))
        before = ""
    return Summary((*pieces, (before + text[since:], None)))


def _name(match: re.Match[str], names: Collection[str]) -> str:
    name = match[1]
    if name is None:
        raise ExpressionError(f"a brace stands alone; write {match[0] * 2} for a brace in the text", match.start())
    if name not in names:
        wanted = nearest(name, names) or f"; expected one of {', '.join(names)}"
        raise ExpressionError(f"there is nothing called {name!r} to fill in{wanted}", match.start() + 1)
    return name
