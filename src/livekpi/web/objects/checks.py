"""What is checked of whatever somebody sends: text and times. What is wrong is said with the name under which it was sent."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo

from livekpi.query.steps import QueryError
from livekpi.web.times import parse_time


def text(name: str, given: str, most: int) -> str:
    """What was given, without blanks around it; raises QueryError where that has more than `most` characters."""
    stripped = given.strip()
    if len(stripped) > most:
        raise QueryError(f"{name}: expected at most {most} characters")
    return whole(name, stripped)


def whole(name: str, given: str) -> str:
    """What was given; raises QueryError where a half of a character is in it, as JSON can have."""
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise QueryError(f"{name}: expected text, not half a character") from error
    return given


def times_us(given: Mapping[str, str], names: Sequence[str], now_us: int, zone: tzinfo = UTC) -> dict[str, int | None]:
    """The times of these names, None where one is not given; raises QueryError."""
    return {name: time_us(name, given[name], now_us, zone) if name in given else None for name in names}


def time_us(name: str, given: str, now_us: int, zone: tzinfo = UTC) -> int:
    """A time in µs since the epoch, as `parse_time` reads it; raises QueryError."""
    try:
        return parse_time(given, now_us, zone)
    except ValueError as error:
        raise QueryError(f"{name}: {error}") from error
