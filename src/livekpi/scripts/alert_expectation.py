"""Alerts and messages as expected beside those that came, line by line."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message
from livekpi.alerts.series import series_values
from livekpi.moments import time_text
from livekpi.scripts.expectation import Line
from livekpi.scripts.script import AlertRow, MessageRow
from livekpi.scripts.values import text_word, word_text
from livekpi.scripts.words import written


def compare_alerts(rows: Sequence[AlertRow], alerts: Sequence[Alert]) -> Iterator[Line]:
    """Alerts as expected, in any order, beside those that came in the order in which they began."""
    expected = {_row_words(row) for row in rows}
    came = [_alert_words(alert) for alert in alerts]
    yield from (Line(" " if words in expected else "+", words) for words in came)
    yield from (Line("-", words) for row in rows if (words := _row_words(row)) not in came)


def _row_words(row: AlertRow) -> tuple[str, ...]:
    times = [time_text(time) for time in (row.started_us, row.ends_us) if time is not None]
    return (row.rule, *(text_word(word_text(word)) for word in row.series), row.status, *times, *([row.note] if row.note else []))


def _alert_words(alert: Alert) -> tuple[str, ...]:
    status = "firing" if alert.ends_us is None else "resolved"
    times = [time_text(time) for time in (alert.started_us, alert.ends_us) if time is not None]
    return (alert.rule, *map(text_word, series_values(alert.series)), status, *times, *([alert.note] if alert.note else []))


def compare_messages(rows: Sequence[MessageRow], messages: Sequence[Message]) -> Iterator[Line]:
    """Messages as expected, in their order, beside those that came."""
    for row, message in zip_longest(rows, messages):
        if row is not None and message is not None and _is_expected(row, message):
            yield Line(" ", _message_words(message))
            continue
        if row is not None:
            yield Line("-", (row.rule, row.status, str(row.firing), *(written(word.text) for word in row.words)))
        if message is not None:
            yield Line("+", _message_words(message))


def _is_expected(row: MessageRow, message: Message) -> bool:
    said = (message.worst.note, *message.worst.series.values())
    parts = all(word.text in said or word.text in message.worst.summary for word in row.words)
    return (row.rule, row.status, row.firing) == (message.rule, message.status, len(message.firing)) and parts


def _message_words(message: Message) -> tuple[str, ...]:
    note = (message.worst.note,) if message.worst.note else ()
    return (message.rule, message.status, str(len(message.firing)), *note, written(message.worst.summary))
