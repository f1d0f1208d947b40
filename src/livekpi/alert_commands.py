"""`livekpi alerts`, `silence`, `acknowledge` and `notify`: beside a running server through its API, without one in the store."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table

from livekpi.alerts import listing, words
from livekpi.alerts.listing import CURRENT, STATUSES, Wanted
from livekpi.alerts.message import SEVERITIES, Message, Notice
from livekpi.alerts.notifiers.base import NeverWillBe, Sent
from livekpi.alerts.notifiers.errors import NotifierError
from livekpi.alerts.notifiers.opening import open_notifier
from livekpi.alerts.numbers import number_text
from livekpi.alerts.words import Kind
from livekpi.ask import client, stored
from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.definition.problems import nearest
from livekpi.query.steps import QueryError
from livekpi.store.database import Store
from livekpi.terminal import plain, print_table, table, user, write_lines
from livekpi.web.objects.alerts import alert_object, history_object
from livekpi.web.objects.checks import times_us
from livekpi.web.objects.words import Asked, checked, one_of, say, word_object

Object = dict[str, Any]
_TEST_RULE = "livekpi_test"


def show_alerts(asked: Mapping[str, str], data: Path, clock: Clock, form: str, out: TextIO) -> None:
    """Writes what is pending or fires, or what else `asked` (rule, severity, status) wants."""
    server = client(data)
    if server is not None:
        rows: list[Object] = server.get("/v1/alerts", asked)["alerts"]
    else:
        statuses = _names(asked, "status", STATUSES) or CURRENT
        severities = _names(asked, "severity", SEVERITIES)
        with stored(data) as (cursor, definition, _alive_us):
            wanted = Wanted(_names(asked, "rule", listing.known_rules(cursor, definition)), severities, statuses)
            rows = [alert_object(alert) for alert in listing.current(cursor, definition, wanted, clock.now_us())]
    if form == "json":
        write_lines(rows, out)
    elif rows:
        print_table(_alert_table(rows), out)
    else:
        out.write("nothing fires\n" if "status" not in asked else "none\n")


def show_history(asked: Mapping[str, str], data: Path, clock: Clock, form: str, out: TextIO) -> None:
    """Writes the firings that `asked` (rule, from, to, limit) wants, and who was told of them."""
    server = client(data)
    if server is not None:
        found: Object = server.get("/v1/alerts/history", asked)
    else:
        now_us = clock.now_us()
        times = times_us(asked, ("from", "to"), now_us)
        with stored(data) as (cursor, definition, _alive_us):
            rules = _names(asked, "rule", listing.known_rules(cursor, definition))
            limit = int(asked.get("limit", "100"))
            alerts = listing.history(cursor, definition, now_us, rules=rules, from_us=times["from"], to_us=times["to"], limit=limit)
            found = history_object(alerts)
    if form == "json":
        out.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        print_table(_history_table(found), out)


def say_word(kind: Kind, asked: Mapping[str, str], series: Sequence[str], data: Path, clock: Clock, form: str, out: TextIO) -> None:
    """Writes a silence or an acknowledgement; `asked` has the texts of the API's terms (rule, author, reason, for, until, from)."""
    content: Object = {"author": user(), **asked, "series": dict(map(_pair, series))}
    server = client(data)
    if server is not None:
        said: Object = server.post(f"/v1/{kind}", content)
    else:
        with stored(data) as (_, definition, _alive_us):
            pass
        given = Asked(**{{"from": "from_", "for": "for_"}.get(name, name): value for name, value in content.items()})
        saying = checked(definition, kind, given, clock.now_us())
        store = Store.open(data, clock)
        try:
            with store.beside() as cursor:
                said = word_object(say(cursor, definition, saying, clock.now_us()))
        finally:
            store.close()
    _show_words([said], form, out)


def list_words(kind: Kind, data: Path, clock: Clock, form: str, out: TextIO) -> None:
    """Writes the silences or acknowledgements that hold, now or later."""
    server = client(data)
    if server is not None:
        found: list[Object] = server.get(f"/v1/{kind}")[kind]
    else:
        with stored(data) as (cursor, _, _alive_us):
            found = [word_object(word) for word in words.words(cursor, kind, clock.now_us())]
    _show_words(found, form, out)


def end_word(kind: Kind, number: int, data: Path, clock: Clock, out: TextIO) -> None:
    """Lets one end now. Raises QueryError where none of that number holds."""
    server = client(data)
    if server is not None:
        server.delete(f"/v1/{kind}/{number}")
    else:
        with stored(data):
            pass
        store = Store.open(data, clock)
        try:
            with store.beside() as cursor:
                ended = words.end(cursor, kind, number, clock.now_us())
        finally:
            store.close()
        if not ended:
            raise QueryError(f"{number} is no number of {kind} that hold; --list shows them")
    out.write(f"{number} has ended\n")


def try_notifier(name: str, file: Path, clock: Clock, out: TextIO, *, resolve: bool) -> bool:
    """Tells a receiver of a test alert, or that it is over, and writes what the receiver said; whether it took it.

    Raises DefinitionError, QueryError.
    """
    definition = load(file, os.environ)
    receivers = definition.spec.notify
    if name not in receivers:
        raise QueryError(f"{file} has no notifier {name!r}{nearest(name, receivers) or _has(receivers)}")
    try:
        notifier = open_notifier(name, receivers[name])
    except NotifierError as error:
        raise QueryError(str(error)) from error
    now_us = clock.now_us()
    try:
        outcome = notifier.send([_test_message(definition, name, now_us, resolve=resolve)], now_us)
    finally:
        notifier.close()
    if isinstance(outcome, Sent):
        out.write(f"{name}: sent\n")
        return True
    out.write(f"{name}: {'refused' if isinstance(outcome, NeverWillBe) else 'not taken now'}: {outcome.reason}\n")
    return False


def _test_message(definition: Definition, name: str, now_us: int, *, resolve: bool) -> Message:
    """Its key is always the same, so that tests open one incident; its number never is, so that none is taken for a repeat."""
    key = f"livekpi/{definition.path.stem}/{_TEST_RULE}/{name}"
    notice = Notice(
        key=key,
        rule=_TEST_RULE,
        severity="info",
        status="resolved" if resolve else "firing",
        starts_us=now_us,
        ends_us=now_us if resolve else None,
        series={"notifier": name},
        value=None,
        summary=f"TEST: livekpi can tell {name} of alerts. Nothing is wrong, and nothing is to be done.",
        labels={"test": "true"},
    )
    return Message(key, now_us, _TEST_RULE, now_us, (notice,))


def _names(asked: Mapping[str, str], parameter: str, known: Sequence[str]) -> tuple[str, ...]:
    return one_of(parameter, tuple(name.strip() for name in asked.get(parameter, "").split(",") if name.strip()), known)


def _has(receivers: Iterable[str]) -> str:
    names = ", ".join(receivers)
    return f"; it has {names}" if names else ""


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise QueryError(f"--series {text!r}: expected DIMENSION=VALUE")
    return name.strip(), value


def _alert_table(rows: Sequence[Object]) -> Table:
    found = table("status", "severity", "rule", "series", "since", "ended", "value", "")
    for row in rows:
        found.add_row(
            row["status"],
            row["severity"] or "",
            plain(row["rule"]),
            plain(_series(row["series"])),
            row["started"],
            row["ended"] or "",
            plain("" if row["value"] is None else number_text(row["value"], row["unit"])),
            plain(_aside(row)),
        )
    return found


def _aside(row: Object) -> str:
    """What else is to be said of an alert."""
    silence, acknowledgement = row["silenced_by"], row["acknowledged_by"]
    found = [row["note"]] if row["note"] else []
    found += [f"silenced by {silence['author']} until {silence['until']}: {silence['reason']}"] if silence else []
    found += [f"{acknowledgement['author']} looks after it: {acknowledgement['reason']}"] if acknowledgement else []
    return "; ".join(found)


def _history_table(history: Object) -> Table:
    messages = {message["number"]: message for message in history["messages"]}
    found = table("rule", "series", "since", "ended", "note", "told")
    for row in history["alerts"]:
        told = [_told(messages[number]) for number in row["messages"]]
        ended = row["ended"] or "fires"
        found.add_row(plain(row["rule"]), plain(_series(row["series"])), row["started"], ended, row["note"], plain("; ".join(told)))
    return found


def _told(message: Object) -> str:
    who = ", ".join(f"{each['receiver']} {each['state'].replace('_', ' ')}" for each in message["receivers"])
    return f"{message['at']} {message['status']} ({who or 'nobody'})"


def _show_words(rows: Sequence[Object], form: str, out: TextIO) -> None:
    if form == "json":
        write_lines(rows, out)
    elif rows:
        found = table("number", "rule", "series", "author", "reason", "from", "until")
        for row in rows:
            rule = row["rule"] or "all rules"
            texts = (rule, _series(row["series"]), row["author"], row["reason"])
            found.add_row(str(row["number"]), *map(plain, texts), row["from"], row["until"])
        print_table(found, out)
    else:
        out.write("none\n")


def _series(series: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value or '∅'}" for name, value in series.items())
