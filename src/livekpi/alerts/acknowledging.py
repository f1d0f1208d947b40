"""When an acknowledgement is of use: as long as something that it is about fires."""

import duckdb

from livekpi.alerts import ledger, words
from livekpi.alerts.telling import series_of
from livekpi.alerts.words import Word
from livekpi.definition.definition import Definition


def is_of_use(cursor: duckdb.DuckDBPyConnection, definition: Definition, acknowledgement: Word, now_us: int) -> bool:
    """Whether an acknowledgement is about something that fires."""
    rule = definition.rules.get(acknowledgement.rule or "")
    if rule is None:
        return False
    firing = ledger.alerts(cursor, "rule = ? AND meaning = ? AND ends_us IS NULL", [rule.name, rule.digest])
    return any(acknowledgement.covers(rule.name, series_of(rule, alert), now_us) for alert in firing)


def end_idle(cursor: duckdb.DuckDBPyConnection, definition: Definition, now_us: int) -> None:
    """Ends the acknowledgements of what fires no longer, in the caller's transaction: when it fires again, that is news."""
    for word in words.words(cursor, "acknowledgements", now_us):
        if not is_of_use(cursor, definition, word, now_us):
            words.end(cursor, "acknowledgements", word.number, now_us)
