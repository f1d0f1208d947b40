"""What somebody says of alerts (silences, acknowledgements), as the API and the commands take it: read, checked against the rules, written;
and as a JSON object."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb
import msgspec

from livekpi.alerts import words
from livekpi.alerts.acknowledging import is_of_use
from livekpi.alerts.words import Kind, Word
from livekpi.definition.definition import Definition
from livekpi.definition.durations import microseconds, parse_duration
from livekpi.definition.problems import nearest
from livekpi.moments import time_text
from livekpi.query.steps import QueryError
from livekpi.sources.times import END_US
from livekpi.web.objects import checks

LONGEST = {"silences": timedelta(days=366), "acknowledgements": timedelta(days=1)}
"""How long one may hold."""
_FEW = 10
MOST_CHARACTERS = {"author": 200, "reason": 2_000}


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A silence or an acknowledgement as it is sent."""

    rule: str | None = None
    series: dict[str, str] = {}
    author: str = ""
    reason: str = ""
    from_: str | None = msgspec.field(name="from", default=None)
    until: str | None = None
    for_: str | None = msgspec.field(name="for", default=None)


class NothingFiresError(QueryError):
    """What was to be acknowledged does not fire."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A silence or an acknowledgement that may be written."""

    kind: Kind
    rule: str | None
    slices: dict[str, str]
    author: str
    reason: str
    from_us: int
    until_us: int


def checked(definition: Definition, kind: Kind, asked: Asked, now_us: int) -> Saying:
    """Raises QueryError with what is wrong and what was expected."""
    _check_about(definition, kind, asked)
    texts = {name: _text(name, getattr(asked, name)) for name in MOST_CHARACTERS}
    for name, value in asked.series.items():
        checks.whole(name, value)
    if kind == "acknowledgements" and asked.from_ is not None:
        raise QueryError("from: an acknowledgement begins at once")
    from_us = now_us if asked.from_ is None else checks.time_us("from", asked.from_, now_us)
    until_us = _until(kind, asked, from_us, now_us)
    if until_us <= max(from_us, now_us):
        raise QueryError("until: expected a time to come, and after `from`")
    if until_us - from_us > microseconds(LONGEST[kind]):
        raise QueryError(f"expected an end within {LONGEST[kind].days}d of the beginning")
    if until_us >= END_US:
        raise QueryError("until: expected a time before 2200")
    return Saying(kind, asked.rule, asked.series, texts["author"], texts["reason"], from_us, until_us)


def one_of(parameter: str, names: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    """The names, each of which is known; raises QueryError."""
    for name in names:
        if name not in known:
            there_are = f"; there are {', '.join(known)}" if 0 < len(known) <= _FEW else ""
            raise QueryError(f"there is no {parameter} {name!r}{nearest(name, known) or there_are}")
    return names


def say(cursor: duckdb.DuckDBPyConnection, definition: Definition, saying: Saying, now_us: int) -> Word:
    """Writes it, in the caller's transaction. Raises NothingFiresError for an acknowledgement of nothing."""
    said = words.say(
        cursor,
        saying.kind,
        rule=saying.rule,
        slices=saying.slices,
        author=saying.author,
        reason=saying.reason,
        from_us=saying.from_us,
        until_us=saying.until_us,
    )
    if saying.kind == "acknowledgements" and not is_of_use(cursor, definition, said, now_us):
        raise NothingFiresError(f"{saying.rule} does not fire there, so there is nothing to acknowledge; a silence is for what is to come")
    return said


def word_object(word: Word) -> dict[str, Any]:
    """A silence or an acknowledgement."""
    return {
        "number": word.number,
        "rule": word.rule,
        "series": word.slices,
        "author": word.author,
        "reason": word.reason,
        "from": time_text(word.from_us),
        "until": time_text(word.until_us),
    }


def _check_about(definition: Definition, kind: Kind, asked: Asked) -> None:
    rules = definition.rules
    if asked.rule is None:
        if kind == "acknowledgements":
            raise QueryError("rule: expected the name of the rule whose alert is looked after")
        known = {name for rule in rules.values() for name in rule.by}
        whose = "no rule has the dimension"
    elif asked.rule in rules:
        known, whose = set(rules[asked.rule].by), f"{asked.rule} has no dimension"
    else:
        raise QueryError(f"rule: there is no alert rule {asked.rule!r}{nearest(asked.rule, rules)}")
    for name in asked.series:
        if name not in known:
            has = f"; it has {', '.join(sorted(known))}" if known and asked.rule is not None else ""
            raise QueryError(f"series: {whose} {name!r}{nearest(name, known) or has}")


def _text(name: str, given: str) -> str:
    if not given.strip():
        raise QueryError(f"{name}: expected {'who says so' if name == 'author' else 'why'}")
    return checks.text(name, given, MOST_CHARACTERS[name])


def _until(kind: Kind, asked: Asked, from_us: int, now_us: int) -> int:
    if asked.for_ is not None and asked.until is not None:
        raise QueryError("expected one of `for` and `until`, not both")
    if asked.until is not None:
        return checks.time_us("until", asked.until, now_us)
    if asked.for_ is not None:
        try:
            return from_us + microseconds(parse_duration(asked.for_))
        except ValueError as error:
            raise QueryError(f"for: {asked.for_[:80]!r}: {error}") from error
    if kind == "acknowledgements":
        return from_us + microseconds(LONGEST[kind])
    raise QueryError("expected `for` (such as 2h) or `until`: a silence has an end")
