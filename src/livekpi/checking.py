"""`livekpi check`: a file's mistakes, what its engine can't do, which of its rules see no outage, and with data what running it would do to
the numbers that are there, and what these say of its alert rules."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from livekpi.alerts.backtest.doubts import enough, held_nearly_always, unreached
from livekpi.alerts.backtest.trial import Backtest
from livekpi.ask import stored
from livekpi.clustered import problems as engine_problems
from livekpi.definition.definition import Definition
from livekpi.definition.file.yaml_source import read_yaml
from livekpi.definition.load import check as check_file
from livekpi.definition.problems import Problem
from livekpi.definition.resolve.outages import blind_rules
from livekpi.engine.engine import kpi_partials, last_events_us
from livekpi.engine.plan import make_plan
from livekpi.store import catalog

_TRY = "if it should have, move its threshold, and try it with `livekpi backtest --rule {rule}`"
_JOB_ANEW = (
    "engine flink: the changed job counts every KPI anew from what the sources' topics still hold; "
    "see that they hold all events of the buckets that are open"
)
_ALWAYS = "move its threshold, or say with `only` when it matters"


def check(file: Path, data: Path | None) -> list[Problem]:
    """Every mistake and warning of a file; with `data`, a warning for each KPI that running it would start, restart or drop, and for each
    rule whose condition history never met, or nearly always. Raises StoreError.
    """
    return check_file(file, os.environ, partial(_look_further, data, file))


def _look_further(data: Path | None, file: Path, definition: Definition) -> Sequence[Problem]:
    return [*engine_problems(definition), *_blind(file, definition), *(() if data is None else _compare(data, file, definition))]


def _blind(file: Path, definition: Definition) -> Iterator[Problem]:
    document, _ = read_yaml(definition.text.encode(), str(file), os.environ)
    for each in blind_rules(definition):
        yield document.problem(("alerts", each.rule, "when"), each.message, each.offset, warning=True)


def _compare(data: Path, file: Path, definition: Definition) -> Sequence[Problem]:
    with stored(data) as (cursor, _, alive_us):
        plan = make_plan(definition)
        found = catalog.changes(cursor, plan, kpi_partials(definition, plan), last_events_us(cursor, definition))
        doubts = list(_doubts(Backtest(cursor, definition, alive_us), file, definition))
    effects = [Problem(f"{change.kpi} {change.effect}", str(file), warning=True) for change in found]
    if found and definition.spec.engine.flink is not None:
        effects.append(Problem(_JOB_ANEW, str(file), warning=True))
    return [*effects, *doubts]


def _doubts(backtest: Backtest, file: Path, definition: Definition) -> Iterator[Problem]:
    """What history says against the rules, at their conditions; nothing of those that it can't be asked of, or that it is too short for."""
    document, _ = read_yaml(definition.text.encode(), str(file), os.environ)
    for rule in definition.rules.values():
        tried = backtest.try_rule(rule)
        if enough(tried):
            for text, advice in ((unreached(tried), _TRY), (held_nearly_always(tried), _ALWAYS)):
                if text is not None:
                    message = f"{rule.name}: {text}; {advice.format(rule=rule.name)}"
                    yield document.problem(("alerts", rule.name, "when"), message, warning=True)
