"""What people say of alerts: silences (do not tell it) and acknowledgements (I look after it), each with an author, a reason and an end."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import duckdb

Kind = Literal["silences", "acknowledgements"]
_COLUMNS = "number, rule, slices, author, reason, from_us, until_us"


@dataclass(frozen=True, slots=True)
class Word:
    """A silence or an acknowledgement."""

    number: int
    rule: str | None
    """Of which rule; None (silences only) is all."""
    slices: Mapping[str, str]
    """Of which series: those with these dimensions; empty is all."""
    author: str
    reason: str
    from_us: int
    until_us: int
    """By the clock, the end not included."""

    def covers(self, rule: str, series: Mapping[str, str | None], now_us: int) -> bool:
        """Whether it is about a rule's alert at a series now; an empty text is meant for a dimension that is null, too."""
        named = all(name in series and (series[name] or "") == value for name, value in self.slices.items())
        about = self.rule in (None, rule) and named
        return about and self.from_us <= now_us < self.until_us


def words(cursor: duckdb.DuckDBPyConnection, kind: Kind, now_us: int | None = None) -> list[Word]:
    """All of a kind, or those that hold now or later, oldest first."""
    until = "" if now_us is None else f" WHERE until_us > {now_us}"
    rows = cursor.execute(f"SELECT {_COLUMNS} FROM {kind}{until} ORDER BY number").fetchall()
    return [_word(row) for row in rows]


def holding(cursor: duckdb.DuckDBPyConnection, now_us: int) -> tuple[list[Word], list[Word]]:
    """The silences and the acknowledgements that hold now or later, each oldest first; in one statement, as it is asked all the time."""
    kinds: tuple[Kind, ...] = ("silences", "acknowledgements")
    selects = (f"SELECT {place}, {_COLUMNS} FROM {kind} WHERE until_us > {now_us}" for place, kind in enumerate(kinds))
    rows = sorted(cursor.execute(" UNION ALL ".join(selects)).fetchall(), key=itemgetter(1))
    silences, acknowledgements = ([_word(row[1:]) for row in rows if row[0] == place] for place in range(len(kinds)))
    return silences, acknowledgements


def _word(row: Sequence[Any]) -> Word:
    number, rule, slices, *rest = row
    return Word(number, rule, json.loads(slices), *rest)


def say(
    cursor: duckdb.DuckDBPyConnection,
    kind: Kind,
    *,
    rule: str | None,
    slices: Mapping[str, str],
    author: str,
    reason: str,
    from_us: int,
    until_us: int,
) -> Word:
    """Writes one; in the caller's transaction."""
    ((number,),) = cursor.execute("SELECT nextval('word_number')").fetchall()
    word = Word(int(number), rule, dict(slices), author, reason, from_us, until_us)
    row = [word.number, rule, json.dumps(word.slices, ensure_ascii=False, sort_keys=True), author, reason, from_us, until_us]
    cursor.execute(f"INSERT INTO {kind} VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return word


def end(cursor: duckdb.DuckDBPyConnection, kind: Kind, number: int, now_us: int) -> bool:
    """Lets one end now; False where none of that number holds."""
    rows = cursor.execute(f"UPDATE {kind} SET until_us = ? WHERE number = ? AND until_us > ? RETURNING number", [now_us, number, now_us])
    return bool(rows.fetchall())


def covering(said: Iterable[Word], rule: str, series: Mapping[str, str | None], now_us: int) -> Word | None:
    """The last of those that are about a rule's alert at a series now."""
    return next((word for word in reversed(list(said)) if word.covers(rule, series, now_us)), None)
