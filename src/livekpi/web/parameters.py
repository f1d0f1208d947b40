"""What stands in an address: in its path, and behind its question mark."""

from collections.abc import Callable
from datetime import tzinfo
from http import HTTPStatus
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request

from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.problems import meant
from livekpi.query.steps import QueryError, zone
from livekpi.web.problems import ProblemError
from livekpi.web.times import parse_time

T = TypeVar("T")


class Parameters:
    """A request's parameters; each is read once, and one that nobody reads is a mistake of the sender's."""

    def __init__(self, given: Request | QueryParams, *known: str, several: tuple[str, ...] = ()) -> None:
        """Raises ProblemError 400 for a parameter that is not `known`, or is given twice and is none of which there may be `several`."""
        self._values: dict[str, str] = {}
        self._several: dict[str, list[str]] = {}
        for name, value in (given.query_params if isinstance(given, Request) else given).multi_items():
            if name in several:
                self._several.setdefault(name, []).append(value)
                continue
            if name not in known:
                takes = f"; this address takes {', '.join((*several, *known))}" if known else "; this address takes none"
                raise ProblemError(HTTPStatus.BAD_REQUEST, f"unknown parameter {name!r}{takes}")
            if name in self._values:
                raise ProblemError(HTTPStatus.BAD_REQUEST, f"parameter {name!r} is given twice")
            self._values[name] = value

    def each(self, name: str) -> list[str]:
        """The values of one that may be given several times."""
        return self._several.get(name, [])

    def text(self, name: str) -> str | None:
        """The value; None where it is absent or empty."""
        return self._values.get(name) or None

    def names(self, name: str) -> tuple[str, ...]:
        """The names in a value, separated by commas."""
        return tuple(part.strip() for part in self._values.get(name, "").split(",") if part.strip())

    def number(self, name: str, default: int, maximum: int) -> int:
        """A whole number from 1 to `maximum`."""
        text = self.text(name)
        if text is None:
            return default
        if not text.isdecimal() or len(text) > 20 or not 1 <= int(text) <= maximum:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name}: expected a whole number from 1 to {maximum}, got {text!r}")
        return int(text)

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        """One of some words, the first where it is absent or empty."""
        text = self.text(name) or words[0]
        if text not in words:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name}: expected {' or '.join(words)}, got {text!r}")
        return text

    def time(self, name: str, now_us: int, where: tzinfo) -> int | None:
        """A time in µs since the epoch."""
        text = self.text(name)
        return None if text is None else _asked(lambda: parse_time(text, now_us, where), f"{name}: ")


def kpi_named(name: str, definition: Definition) -> Kpi:
    """Raises ProblemError 404 where there is none of that name."""
    if name not in definition.kpis:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no KPI {name!r}{meant(name, definition.kpis)}")
    return definition.kpis[name]


def number_in(text: str) -> int:
    """A number in a path; 0, which nothing has, where the text is none."""
    return int(text) if text.isdecimal() and len(text) <= 15 else 0


def zone_named(name: str) -> tzinfo:
    return _asked(lambda: zone(name))


def _asked(read: Callable[[], T], before: str = "") -> T:
    """What `read` makes of what was asked; what it finds wrong with it is a bad request."""
    try:
        return read()
    except (ValueError, QueryError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{before}{error}") from error
