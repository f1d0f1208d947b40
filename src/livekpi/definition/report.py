"""Where the checks put the mistakes they find."""

from livekpi.definition.file.document import Document, Loc, MappingNode
from livekpi.definition.problems import ExpressionError, Problem


class Report:
    """Collects the mistakes of one document; what was left out for a mistake is not reported again, nor what a variable is missing in."""

    def __init__(self, document: Document, left_out: frozenset[Loc]) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._unknown = document.unknown()
        self._left_out = left_out | self._unknown
        self.doubted: set[str] = set()
        """The KPIs of whose dimensions one has a mistake that is reported already."""

    def value(self, loc: Loc, message: str, *, warning: bool = False) -> None:
        """A mistake in the value at `loc`."""
        if not self.unknown(loc):
            self.problems.append(self._document.problem(loc, message, warning=warning))

    def expression(self, loc: Loc, error: ExpressionError, *, warning: bool = False) -> None:
        """A mistake inside the expression at `loc`."""
        if not self.unknown(loc):
            self.problems.append(self._document.problem(loc, error.message, error.offset, warning=warning))

    def key(self, loc: Loc, message: str, *, warning: bool = False) -> None:
        """A mistake in the part that the key at the end of `loc` names."""
        self.problems.append(self._document.key_problem(loc, message, warning=warning))

    def unknown(self, loc: Loc) -> bool:
        """Whether a variable in the value at `loc` could not be filled in, so that nothing can be said of it."""
        return loc in self._unknown

    def left_out(self, loc: Loc) -> bool:
        """Whether something at `loc`, or in it, has a mistake that is reported already."""
        return any(part[: len(loc)] == loc for part in self._left_out)

    def names(self, loc: Loc) -> frozenset[str]:
        """The keys at `loc` that were left out for their mistakes."""
        return frozenset(str(part[-1]) for part in self._left_out if part[:-1] == loc)

    def keys(self, loc: Loc) -> tuple[str, ...]:
        """The keys that the document has at `loc`."""
        node = self._document.find(loc)
        return tuple(node.keys) if isinstance(node, MappingNode) else ()
