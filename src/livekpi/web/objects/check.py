"""What running a definition on a store would do, as it is asked for over HTTP and by the command: read, done and answered."""

from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec

from livekpi.alerts.backtest.doubts import enough, held_nearly_always, unreached
from livekpi.alerts.backtest.trial import Backtest
from livekpi.definition.definition import Definition
from livekpi.engine.engine import kpi_partials, last_events_us
from livekpi.engine.plan import make_plan
from livekpi.store import catalog

_TRY = "if it should have, move its threshold, and try it with `livekpi backtest --rule {rule}`"
_ALWAYS = "move its threshold, or say with `only` when it matters"


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A definition to be compared with what is stored: a file's text, and its variables."""

    definition: str
    variables: dict[str, str] = {}


def answer(cursor: duckdb.DuckDBPyConnection, definition: Definition, fed_us: int) -> dict[str, Any]:
    """What running the definition would start, restart or drop of the KPIs, and what history says against its rules; `fed_us` is up to when
    the store has been fed."""
    plan = make_plan(definition)
    changes = catalog.changes(cursor, plan, kpi_partials(definition, plan), last_events_us(cursor, definition))
    return {
        "changes": [{"kpi": change.kpi, "effect": change.effect} for change in changes],
        "doubts": [*_doubts(Backtest(cursor, definition, fed_us), definition)],
    }


def _doubts(backtest: Backtest, definition: Definition) -> Iterator[dict[str, str]]:
    """Nothing of rules that history can't be asked of, or that it is too short for."""
    for rule in definition.rules.values():
        tried = backtest.try_rule(rule)
        if enough(tried):
            for text, advice in ((unreached(tried), _TRY), (held_nearly_always(tried), _ALWAYS)):
                if text is not None:
                    yield {"rule": rule.name, "doubt": f"{text}; {advice.format(rule=rule.name)}"}
