"""What is wrong with a definition, said so that it can be put right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_FEW = 10
"""So many names are listed where none is near to what was given."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file."""

    message: str
    """What is wrong, what was expected, the nearest right name where there is one."""
    file: str = ""
    line: int = 0
    """1-based; 0 where the file as a whole is meant."""
    column: int = 0
    """1-based."""
    warning: bool = False
    """True where the file still runs."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{'warning: ' if self.warning else ''}{self.message}"


class DefinitionError(Exception):
    """The definition can't be used; `problems` says each mistake."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class ExpressionError(Exception):
    """An expression is wrong at `offset` (characters from its start)."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing where no name is near; capitals don't matter."""
    folded = {each.casefold(): each for each in names}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[found[0]]!r}?" if found else ""


def meant(name: str, names: Iterable[str]) -> str:
    """As `nearest`; where no name is near, the names that there are, as long as they are few."""
    there = list(names)
    return nearest(name, there) or (f"; there are {', '.join(there)}" if 0 < len(there) <= _FEW else "")
