"""What somebody notes on the time axis, as the API and the command take it: read, checked, and written."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import msgspec

from livekpi.definition.definition import Definition
from livekpi.definition.problems import nearest
from livekpi.moments import time_text
from livekpi.query.steps import QueryError
from livekpi.sources.times import END_US
from livekpi.store import annotations
from livekpi.store.annotations import Annotation, Note
from livekpi.web.objects import checks
from livekpi.web.times import maybe_time_text

MOST_CHARACTERS = {"text": 1_000, "author": 200, "link": 2_000}
_KIND = re.compile(r"\w[\w-]{0,39}")
_LINK = re.compile(r"https?://[^\s/]\S*")


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """An annotation as it is sent."""

    text: str
    time: str | None = None
    end: str | None = None
    kind: str = "note"
    kpis: tuple[str, ...] = ()
    author: str = ""
    link: str | None = None


class TooManyError(QueryError):
    """As many annotations are kept as may be."""


def checked(definition: Definition, asked: Asked, now_us: int) -> Note:
    """Raises QueryError with what is wrong and what was expected."""
    given = {"text": asked.text, "author": asked.author, "link": asked.link or ""}
    text, author, link = (checks.text(name, each, MOST_CHARACTERS[name]) for name, each in given.items())
    if not text:
        raise QueryError("text: expected what happened, in a few words")
    if not _KIND.fullmatch(asked.kind):
        raise QueryError(f"kind: {asked.kind[:80]!r}: expected a word of at most 40 letters, digits, _ and -, such as deploy or campaign")
    if link and not _LINK.fullmatch(link):
        raise QueryError(f"link: {link[:80]!r}: expected an address that begins with https:// or http://")
    at_us = now_us if asked.time is None else _time_us("time", asked.time, now_us)
    end_us = None if asked.end is None else _time_us("end", asked.end, now_us)
    if end_us is not None and end_us <= at_us:
        raise QueryError("end: expected a time after `time`; leave it out for a moment")
    return Note(at_us, end_us, text, asked.kind, _kpis(asked.kpis, definition.kpis), author, link or None)


def _time_us(name: str, given: str, now_us: int) -> int:
    """A time that an event can have, in µs since the epoch."""
    found_us = checks.time_us(name, given, now_us)
    if not 0 <= found_us < END_US:
        raise QueryError(f"{name}: {given[:80]!r} is not from 1970 to 2199, where charts are")
    return found_us


def write(cursor: duckdb.DuckDBPyConnection, note: Note, most: int) -> Annotation:
    """Writes it, in the caller's transaction. Raises TooManyError where `most` are kept already."""
    if annotations.count(cursor) >= most:
        raise TooManyError(f"{most} annotations are kept, and no more may be (`limits: annotations`); delete some")
    return annotations.add(cursor, note)


def annotation_object(annotation: Annotation) -> dict[str, Any]:
    """An annotation for programs."""
    note = annotation.note
    return {
        "number": annotation.number,
        "time": time_text(note.at_us),
        "end": maybe_time_text(note.end_us),
        "text": note.text,
        "kind": note.kind,
        "kpis": note.kpis,
        "author": note.author,
        "link": note.link,
    }


def _kpis(names: Iterable[str], known: Mapping[str, object]) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise QueryError(f"kpis: there is no KPI {name[:80]!r}{nearest(name[:80], known)}")
    return tuple(dict.fromkeys(names))
