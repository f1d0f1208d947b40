"""`livekpi backtest`: tries a file's rules on the history in a data directory, and prints what would have been told."""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from livekpi.alerts.numbers import number_text
from livekpi.ask import client, stored
from livekpi.client import PATIENCE_S
from livekpi.clock import Clock
from livekpi.data_directory import data_directory
from livekpi.definition.load import load
from livekpi.query.steps import QueryError
from livekpi.web.objects.backtest import Asked, AskedIncident, answer

Object = Mapping[str, Any]
MOST_LINES = 20
"""Alerts of a rule that are printed; JSON has all."""


def show(
    file: Path,
    data: Path | None,
    against: Path | None,
    incidents: Path | None,
    asked: Mapping[str, str | None],
    rules: Sequence[str],
    form: str,
    clock: Clock,
    out: TextIO,
) -> None:
    """Tries the rules of a file, and writes what was found. Raises DefinitionError, QueryError, StoreError, ClientError."""
    definition, other = load(file, os.environ), None if against is None else load(against, os.environ)
    question = Asked(
        definition=definition.text,
        against=None if other is None else other.text,
        variables={**definition.variables, **(other.variables if other is not None else {})},
        from_=asked.get("from"),
        to=asked.get("to"),
        rules=list(rules),
        incidents=None if incidents is None else read_incidents(incidents),
    )
    directory = data_directory(file, data)
    server = client(directory)
    if server is not None:
        found = server.post("/v1/backtest", msgspec.to_builtins(question), answer_s=PATIENCE_S)
    else:
        with stored(directory) as (cursor, _, alive_us):
            found = answer(cursor, definition, other, question, alive_us, clock.now_us())
    if form == "json":
        out.write(f"{json.dumps(found, ensure_ascii=False)}\n")
    else:
        _write(found, out)


def read_incidents(path: Path) -> list[AskedIncident]:
    """Incidents of a file: CSV with a header, or a list in YAML or JSON. Raises QueryError."""
    try:
        text = path.read_text(encoding="utf-8")
        rows: Any = list(csv.DictReader(io.StringIO(text))) if path.suffix == ".csv" else YAML(typ="safe").load(text)
    except (OSError, UnicodeDecodeError, YAMLError, csv.Error) as error:
        raise QueryError(f"{path} can't be read: {error}") from error
    if not isinstance(rows, list):
        raise QueryError(f"{path}: expected a list of incidents, each with start, end and perhaps name and rule")
    return [_incident(path, number, row) for number, row in enumerate(rows, 1)]


def _incident(path: Path, number: int, row: Any) -> AskedIncident:
    try:
        texts = {name: _text(value) for name, value in row.items() if value not in (None, "")} if isinstance(row, dict) else row
        return msgspec.convert(texts, AskedIncident)
    except msgspec.ValidationError as error:
        raise QueryError(f"{path}: incident {number}: {error}; expected start, end and perhaps name and rule") from error


def _text(value: object) -> object:
    """YAML reads a time as one, and as UTC where it names no zone."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def _write(found: Object, out: TextIO) -> None:
    console = Console(file=out, soft_wrap=True, highlight=False, markup=False)
    console.print(_rules_table(found["rules"]))
    for rule in found["rules"]:
        console.print("\n".join(_alert_lines(rule)), end="\n" if rule.get("alerts") else "")
    for each in found["receivers"]:
        console.print(f"{each['receiver']} would have got {_count(each['pages'], 'message')} ({', '.join(each['rules'])})")
    for line in (*_score_lines(found), *_change_lines(found.get("changes", ())), *_warning_lines(found["rules"])):
        console.print(line)


def _rules_table(rules: Sequence[Object]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("rule", "messages", "alerts", "fired", "longest", "worst series"):
        table.add_column(name, justify="right" if name in ("messages", "alerts", "fired", "longest") else "left")
    for rule in rules:
        if rule["problem"] is not None:
            table.add_row(rule["rule"], "", "", "", "", "can't be tried")
            continue
        worst = rule["worst"]
        named = "" if worst is None else f"{_series(worst['series'])} ({_count(worst['alerts'], 'alert')}, {_length(worst['seconds'])})"
        longest = "" if rule["longest_seconds"] is None else _length(rule["longest_seconds"])
        table.add_row(rule["rule"], str(rule["pages"]), str(len(rule["alerts"])), f"{100 * rule['fired_share']:.2g} %", longest, named)
    return table


def _alert_lines(rule: Object) -> Iterator[str]:
    alerts = rule.get("alerts", ())
    if not alerts:
        return
    yield f"\n{rule['rule']}, from {rule['from']} to {rule['to']}"
    if len(alerts) > MOST_LINES:
        yield f"  {_count(len(alerts) - MOST_LINES, 'earlier alert')}; --format json has all"
    for alert in alerts[-MOST_LINES:]:
        yield f"  {_alert(alert, rule['unit'])}{'  silenced' if alert['silenced'] else ''}"


def _alert(alert: Object, unit: str | None = None) -> str:
    value = "" if alert["value"] is None else f"  {number_text(alert['value'], unit)}"
    return f"{_series(alert['series'])}  {alert['started']} to {alert['ended'] or 'the end'}, known {alert['known']}{value}"


def _score_lines(found: Object) -> Iterator[str]:
    if "score" not in found:
        return
    table = [(rule["rule"], rule["score"]) for rule in found["rules"] if "score" in rule]
    yield ""
    for name, score in [*table, ("all rules", found["score"])]:
        times = "" if score["median_seconds"] is None else f", after {_length(score['median_seconds'])} (median), "
        times += "" if score["worst_seconds"] is None else f"{_length(score['worst_seconds'])} (worst)"
        right = f"{score['right']} of {score['alerts']} alerts right"
        incidents = f"{score['found']} of {score['incidents']} incidents found"
        yield f"{name}: {right} (precision {_share(score['precision'])}), {incidents} (recall {_share(score['recall'])}){times}"
    for incident in found["incidents"]:
        if incident["detected"] is None:
            yield f"not found: {incident['name'] or 'incident'}, {incident['start']} to {incident['end']}"
    if found["incidents_outside"]:
        yield f"{_count(found['incidents_outside'], 'incident')} outside of what could be judged"


def _change_lines(changes: Sequence[Object]) -> Iterator[str]:
    for change in changes:
        if change["problem"] is not None:
            yield f"{change['rule']}: can't be compared: {change['problem']}"
            continue
        counts = ", ".join(f"{len(change[name])} {name}" for name in ("added", "removed", "moved"))
        yield f"\n{change['rule']}: {counts}, {change['same']} as before"
        yield from (f"  + {_alert(alert)}" for alert in change["added"][-MOST_LINES:])
        yield from (f"  - {_alert(alert)}" for alert in change["removed"][-MOST_LINES:])
        for moved in change["moved"][-MOST_LINES:]:
            yield f"  ~ {_alert(moved['after'])}; was {moved['before']['started']} to {moved['before']['ended'] or 'the end'}"


def _warning_lines(rules: Sequence[Object]) -> Iterator[str]:
    for rule in rules:
        for text in [rule["problem"]] if rule["problem"] is not None else rule["warnings"]:
            yield f"warning: {rule['rule']}: {text}"


def _series(series: Mapping[str, str]) -> str:
    return ", ".join(value or "∅" for value in series.values()) or "-"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _share(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.0f} %"


def _length(seconds: float) -> str:
    """A duration in at most two units."""
    left, texts = round(seconds), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, left = divmod(left, size)
        texts += [f"{number}{unit}"] if number else []
    return " ".join(texts[:2]) or "0s"
