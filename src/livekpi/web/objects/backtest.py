"""A backtest as it is asked for over HTTP and by the command: read, done and answered."""

from collections.abc import Sequence
from typing import Any

import duckdb
import msgspec

from livekpi.alerts.backtest.comparison import compare
from livekpi.alerts.backtest.incidents import Incident
from livekpi.alerts.backtest.report import report
from livekpi.alerts.backtest.trial import Backtest, Tried
from livekpi.definition.definition import Definition
from livekpi.definition.problems import nearest
from livekpi.query.steps import QueryError
from livekpi.web.objects.checks import time_us


class AskedIncident(msgspec.Struct, forbid_unknown_fields=True):
    """An incident as it is sent."""

    start: str
    end: str
    name: str | None = None
    rule: str | None = None


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A backtest as it is sent; definitions are a file's text, and that which runs where there is none; `variables` are those of both."""

    definition: str | None = None
    against: str | None = None
    variables: dict[str, str] = {}
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    rules: list[str] = []
    incidents: list[AskedIncident] | None = None


def answer(
    cursor: duckdb.DuckDBPyConnection, definition: Definition, against: Definition | None, asked: Asked, fed_us: int, now_us: int
) -> dict[str, Any]:
    """Tries the rules; `fed_us` is up to when the store has been fed. Raises QueryError."""
    given = {"from": asked.from_, "to": asked.to}
    from_us, to_us = (None if text is None else time_us(name, text, now_us) for name, text in given.items())
    incidents = None if asked.incidents is None else _incidents(asked.incidents, definition, now_us)
    known = {**definition.rules, **(against.rules if against is not None else {})}
    for name in asked.rules:
        if name not in known:
            raise QueryError(f"there is no rule {name!r}{nearest(name, list(known))}")

    def tried(of: Definition) -> Sequence[Tried]:
        backtest = Backtest(cursor, of, fed_us)
        rules = [rule for name, rule in of.rules.items() if not asked.rules or name in asked.rules]
        return [backtest.try_rule(rule, from_us, to_us) for rule in rules]

    found = tried(definition)
    return report(definition, found, incidents, None if against is None else compare(tried(against), found))


def _incidents(given: Sequence[AskedIncident], definition: Definition, now_us: int) -> list[Incident]:
    found = []
    for number, each in enumerate(given, 1):
        about = f"incident {each.name or number}"
        start_us, end_us = (time_us(f"{about}: {name}", text, now_us) for name, text in (("start", each.start), ("end", each.end)))
        if start_us > end_us:
            raise QueryError(f"{about}: it ends before it starts")
        if each.rule is not None and each.rule not in definition.rules:
            raise QueryError(f"{about}: there is no rule {each.rule!r}{nearest(each.rule, list(definition.rules))}")
        found.append(Incident(start_us, end_us, each.name, each.rule))
    return found
