"""``${VAR}`` and ``${VAR:-default}`` in the values of the definition file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DOLLAR = re.compile(r"\$(?:\$|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^${}]*))?\}|(?P<wrong>\{))")


STAND_IN = "unset"
"""What each variable is that `Unset` does not know."""


class Unset(dict[str, str]):
    """An environment in which each variable is set to something, for a definition whose sources are not opened: what is known of them is as
    it was given, the others are their default, or else what stands in for any text."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return STAND_IN

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        return self[name] if dict.__contains__(self, name) else default or STAND_IN


@dataclass(frozen=True, slots=True)
class Substituted:
    """A text with its variables filled in."""

    text: str
    origins: tuple[int, ...]
    """For each character of `text` and for its end, the offset in the text before substitution that it came from."""
    mistakes: tuple[tuple[int, str], ...]
    """(offset in the text before substitution, what is wrong there)."""


def substitute(text: str, environ: Mapping[str, str]) -> Substituted:
    """Fills in variables as a shell does: a default stands in for a variable that is unset or empty; ``$$`` is a dollar."""
    pieces: list[str] = []
    origins: list[int] = []
    mistakes: list[tuple[int, str]] = []
    done = 0
    for match in _DOLLAR.finditer(text):
        pieces.append(text[done : match.start()])
        origins.extend(range(done, match.start()))
        done = match.end()
        filled, mistake = _fill(match, environ)
        if mistake is not None:
            mistakes.append((match.start(), mistake))
        pieces.append(filled)
        origins.extend([match.start()] * len(filled))
    pieces.append(text[done:])
    origins.extend(range(done, len(text) + 1))
    return Substituted("".join(pieces), tuple(origins), tuple(mistakes))


def names(text: str) -> list[str]:
    """The variables that stand in a text."""
    return [match["name"] for match in _DOLLAR.finditer(text) if match["name"] is not None]


def _fill(match: re.Match[str], environ: Mapping[str, str]) -> tuple[str, str | None]:
    """The text for one match, and what is wrong with it."""
    if match["wrong"] is not None:
        return match[0], "expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"
    name, default = match["name"], match["default"]
    if name is None:
        return "$", None
    if default is not None:
        return environ.get(name, default) or default, None
    if name not in environ:
        return match[0], f"the environment variable {name} is not set; set it, or give a default: ${{{name}:-…}}"
    return environ[name], None
