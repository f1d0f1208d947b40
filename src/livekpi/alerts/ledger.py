"""What alerts know, in the store: how far each rule is judged, its states, its firings, and what is to be told of them.

All of it works on the caller's cursor, in the caller's transaction.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import duckdb

from livekpi.alerts.judging.machine import State
from livekpi.alerts.message import Message, Note, Notice, Status
from livekpi.alerts.series import Series

_STATE = "at_us, phase, since_us, started_us, known_us"
_ALERT = "key, rule, meaning, series, started_us, ends_us, told, note, value, judged_at_us, ended_at_us, told_to, incident, acknowledgement"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rule is judged."""

    digest: str
    judged_us: int
    """Up to which bucket's end; 0 before the first event."""
    whole_us: int
    """Up to which bucket's end all had arrived when it was judged."""
    over_us: int
    """Up to which bucket's end the buckets were over: of levels the open one is judged, too."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing of a rule at a series."""

    key: str
    rule: str
    meaning: str
    """The digest of the rule that made it."""
    series: Series
    started_us: int
    """When it began, in event time."""
    ends_us: int | None
    """When it ceased, in event time; None while it fires."""
    told: Status | None
    """What the receivers last heard of it."""
    note: Note
    value: float | None
    """The number that the condition looks at first, in the last bucket in which the condition held."""
    judged_at_us: int
    """When it was found, by the clock."""
    ended_at_us: int | None
    """When its end was found, by the clock."""
    told_to: tuple[str, ...] = ()
    """The receivers that were told that it fires: its end is theirs to hear, whoever the rule tells by then."""
    incident: str | None = None
    """The key of the messages that told it; it stays while anything of the rule fires, also where the file is renamed."""
    acknowledgement: int | None = None
    """The number of the last acknowledgement that the receivers heard of."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How far a message is at one receiver."""

    receiver: str
    state: str
    """`waiting`, `sent` or `given_up`."""
    attempts: int
    at_us: int
    """When it was sent or given up; waiting: when it is tried next, or since when it may be."""
    reason: str | None
    """Why the last attempt failed."""


def progress(cursor: duckdb.DuckDBPyConnection) -> dict[str, Progress]:
    """How far each rule is judged, by its name."""
    rows = cursor.execute("SELECT rule, digest, judged_us, whole_us, over_us FROM alert_rules").fetchall()
    return {name: Progress(*rest) for name, *rest in rows}


def save_progress(cursor: duckdb.DuckDBPyConnection, found: Mapping[str, Progress]) -> None:
    """Writes how far rules are judged, by their names."""
    rows = [(name, each.digest, each.judged_us, each.whole_us, each.over_us) for name, each in found.items()]
    _append(cursor, "alert_rules", ["rule", "digest", "judged_us", "whole_us", "over_us"], rows, "upsert")


def forget_rule(cursor: duckdb.DuckDBPyConnection, rule: str) -> None:
    """Drops a rule's progress and states; its alerts stay, as history."""
    cursor.execute("DELETE FROM alert_rules WHERE rule = ?", [rule])
    cursor.execute("DELETE FROM alert_states WHERE rule = ?", [rule])


def states(cursor: duckdb.DuckDBPyConnection, rule: str, at_us: int | None = None) -> dict[Series, State]:
    """A rule's state at each series that ever left `inactive`: the last, or the one at a time."""
    until = "" if at_us is None else f" AND at_us <= {at_us}"
    latest = ", ".join(f"last({column} ORDER BY at_us)" for column in _STATE.split(", "))
    rows = cursor.execute(f"SELECT series, {latest} FROM alert_states WHERE rule = ?{until} GROUP BY series", [rule]).fetchall()
    return {series: State(*rest) for series, *rest in rows}


def forget_states(cursor: duckdb.DuckDBPyConnection, after_us: Mapping[str, int]) -> None:
    """Takes back what was judged of rules' buckets that end after a time."""
    if after_us:
        condition = " OR ".join(["(rule = ? AND at_us > ?)"] * len(after_us))
        cursor.execute(f"DELETE FROM alert_states WHERE {condition}", _flat(after_us.items()))


def save_states(cursor: duckdb.DuckDBPyConnection, found: Iterable[tuple[str, Series, State]]) -> None:
    """Writes states that rules reached at series."""
    rows = [(rule, series, state.at_us, state.phase, state.since_us, state.started_us, state.known_us) for rule, series, state in found]
    _append(cursor, "alert_states", ["rule", "series", *_STATE.split(", ")], rows)


def prune_states(cursor: duckdb.DuckDBPyConnection, before_us: Mapping[str, int]) -> None:
    """Forgets states that no correction can lead back to: those before the last one before a time, which is each rule's own."""
    if before_us:
        times = ", ".join(["(?, ?)"] * len(before_us))
        cursor.execute(
            f"""DELETE FROM alert_states s USING (
                    SELECT rule, series, max(at_us) AS at_us FROM alert_states JOIN (VALUES {times}) times(rule, before_us) USING (rule)
                    WHERE at_us <= before_us GROUP BY rule, series
                ) last
                WHERE s.rule = last.rule AND s.series = last.series
                AND (s.at_us < last.at_us OR (s.at_us = last.at_us AND s.phase = 'inactive'))""",
            _flat(before_us.items()),
        )


def alerts(cursor: duckdb.DuckDBPyConnection, condition: str = "true", parameters: Sequence[object] = ()) -> list[Alert]:
    """Alerts in the order in which they began; `condition` is SQL over their columns."""
    rows = cursor.execute(f"SELECT {_ALERT} FROM alerts WHERE {condition} ORDER BY started_us, rule, series", list(parameters)).fetchall()
    return [_alert(row) for row in rows]


def _alert(row: Sequence[Any]) -> Alert:
    found = Alert(*row)
    return replace(found, told_to=tuple(found.told_to))


def taken(cursor: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> set[str]:
    """Which of these keys are those of alerts that are written."""
    rows = cursor.execute("SELECT key FROM alerts WHERE list_contains(?, key)", [list(keys)]).fetchall() if keys else []
    return {key for (key,) in rows}


def save_alerts(cursor: duckdb.DuckDBPyConnection, changed: Sequence[Alert], gone: Sequence[str] = ()) -> None:
    """Writes alerts that are new or have changed, and drops those that never were."""
    keys = [*(alert.key for alert in changed), *gone]
    if keys:
        cursor.execute("DELETE FROM alerts WHERE list_contains(?, key)", [keys])
    names = _ALERT.split(", ")
    _append(cursor, "alerts", names, [tuple(getattr(alert, name) for name in names) for alert in changed])


def next_numbers(cursor: duckdb.DuckDBPyConnection, count: int) -> list[int]:
    """The numbers of the next messages."""
    rows = cursor.execute("SELECT nextval('message_number') FROM range(?)", [count]).fetchall() if count else []
    return sorted(number for (number,) in rows)


def save_messages(cursor: duckdb.DuckDBPyConnection, found: Sequence[tuple[Message, Sequence[str]]]) -> None:
    """Writes messages, each to be told to its receivers."""
    written = [(message.number, message.rule, message.at_us, _body(message)) for message, _ in found]
    _append(cursor, "messages", ["number", "rule", "at_us", "body"], written)
    waiting = [(receiver, message.number, "waiting", 0, message.at_us) for message, receivers in found for receiver in receivers]
    _append(cursor, "outbox", ["receiver", "number", "state", "attempts", "at_us"], waiting)


def _body(message: Message) -> str:
    # the fields as they are: dataclasses.asdict copies each text, which takes longer than to write it
    return json.dumps({**vars(message), "notices": [vars(notice) for notice in message.notices]})


def message_of(body: str) -> Message:
    """The message that was written."""
    found = json.loads(body)
    return Message(**{**found, "notices": tuple(Notice(**notice) for notice in found["notices"])})


def prune_told(cursor: duckdb.DuckDBPyConnection, before_us: int) -> None:
    """Forgets what was over, and messages that were told or given up, before a time.

    The last about each rule stays: where the rule is gone, it says what there is to end.
    """
    cursor.execute("DELETE FROM alerts WHERE ended_at_us < ?", [before_us])
    cursor.execute("DELETE FROM outbox WHERE state <> 'waiting' AND at_us < ?", [before_us])
    cursor.execute(
        """DELETE FROM messages WHERE at_us < ? AND number NOT IN (SELECT number FROM outbox)
           AND number NOT IN (SELECT max(number) FROM messages GROUP BY rule)""",
        [before_us],
    )


def _append(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    action: Literal["insert", "upsert"] = "insert",
) -> None:
    """Adds rows: as a statement's parameters thousands take seconds, and a table of few costs more to register than to write."""
    if rows:
        appender = cursor.appender(table, columns=list(names), action=action)
        appender.append_rows(rows)
        appender.flush()


def give_up_others(cursor: duckdb.DuckDBPyConnection, receivers: Sequence[str], now_us: int) -> None:
    """Gives up what waits for receivers that are no more."""
    cursor.execute(
        "UPDATE outbox SET state = 'given_up', at_us = ?, reason = 'the notifier is gone from the file' "
        "WHERE state = 'waiting' AND NOT list_contains(?, receiver)",
        [now_us, list(receivers)],
    )


def _flat(rows: Iterable[tuple[object, ...]]) -> list[object]:
    return [value for row in rows for value in row]


def messages(cursor: duckdb.DuckDBPyConnection, receiver: str) -> list[Message]:
    """All that a receiver was to be told, and that is still kept, in order."""
    rows = cursor.execute("SELECT body FROM messages JOIN outbox USING (number) WHERE receiver = ? ORDER BY number", [receiver]).fetchall()
    return [message_of(body) for (body,) in rows]


def last_notices(cursor: duckdb.DuckDBPyConnection, rule: str, keys: Iterable[str]) -> dict[str, Notice]:
    """The last that is kept of what was told of a rule's alerts, by their keys."""
    left, found = set(keys), dict[str, Notice]()
    cursor.execute("SELECT body FROM messages WHERE rule = ? ORDER BY number DESC", [rule])
    while left and (row := cursor.fetchone()) is not None:
        found |= {notice.key: notice for notice in message_of(row[0]).notices if notice.key in left}
        left -= found.keys()
    return found


def firings_between(
    cursor: duckdb.DuckDBPyConnection, *, rules: Sequence[str], from_us: int | None, to_us: int | None, limit: int
) -> list[Alert]:
    """The last firings to begin of those at any time in [from, to), the last first; of all rules where none is named."""
    conditions, parameters = ["true"], list[object]()
    if rules:
        conditions.append(f"rule IN ({', '.join('?' * len(rules))})")
        parameters += rules
    if from_us is not None:
        conditions.append("(ends_us IS NULL OR ends_us >= ?)")
        parameters.append(from_us)
    if to_us is not None:
        conditions.append("started_us < ?")
        parameters.append(to_us)
    statement = f"SELECT {_ALERT} FROM alerts WHERE {' AND '.join(conditions)} ORDER BY started_us DESC, rule, series LIMIT ?"
    return [_alert(row) for row in cursor.execute(statement, [*parameters, limit]).fetchall()]


def messages_of(cursor: duckdb.DuckDBPyConnection, rules: Iterable[str], from_us: int, limit: int) -> list[Message]:
    """The last messages about some rules that were written at a time or after it, oldest first."""
    names = sorted(rules)
    if not names:
        return []
    rows = cursor.execute(
        f"SELECT body FROM messages WHERE rule IN ({', '.join('?' * len(names))}) AND at_us >= ? ORDER BY number DESC LIMIT ?",
        [*names, from_us, limit],
    ).fetchall()
    return [message_of(body) for (body,) in reversed(rows)]


def messages_at(cursor: duckdb.DuckDBPyConnection, rule: str, at_us: int) -> list[Message]:
    """What was written about a rule at a time."""
    rows = cursor.execute("SELECT body FROM messages WHERE rule = ? AND at_us = ? ORDER BY number", [rule, at_us]).fetchall()
    return [message_of(body) for (body,) in rows]


def delivered(cursor: duckdb.DuckDBPyConnection, numbers: Sequence[int]) -> dict[int, list[Delivered]]:
    """What became of messages, by their numbers, at each receiver."""
    found: dict[int, list[Delivered]] = {}
    rows = cursor.execute(
        """SELECT number, receiver, state, attempts, at_us, reason FROM outbox
           WHERE number IN (SELECT unnest(?::BIGINT[])) ORDER BY number, receiver""",
        [list(numbers)],
    ).fetchall()
    for number, *rest in rows:
        found.setdefault(number, []).append(Delivered(*rest))
    return found


def outbox_waiting(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many messages each receiver has not got yet; those that have got all are left out."""
    return dict(cursor.execute("SELECT receiver, count(*) FROM outbox WHERE state = 'waiting' GROUP BY receiver").fetchall())


def phases(cursor: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """How many series of each rule are in each phase; of those that were ever pending or firing."""
    rows = cursor.execute(
        """SELECT rule, phase, count(*) FROM (SELECT rule, last(phase ORDER BY at_us) AS phase FROM alert_states GROUP BY rule, series)
           GROUP BY rule, phase"""
    ).fetchall()
    return {(rule, phase): count for rule, phase, count in rows}
