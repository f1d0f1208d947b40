"""`livekpi check`: a file's mistakes, what its engine can't do, and what running it would do to the numbers that are there."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from livekpi.ask import stored
from livekpi.clustered import problems as engine_problems
from livekpi.definition.definition import Definition
from livekpi.definition.load import check as check_file
from livekpi.definition.problems import Problem
from livekpi.engine.engine import kpi_partials
from livekpi.engine.plan import make_plan
from livekpi.store import catalog

_EFFECTS = {
    "new": "is new: it begins with the events that come from now on",
    "restarted": "has another meaning than what is stored: its numbers are dropped, and it begins anew",
    "dropped": "is no longer defined: its numbers are dropped",
}


def check(file: Path, data: Path | None) -> list[Problem]:
    """Every mistake and warning of a file; with `data`, a warning for each KPI that running it would start, restart or drop."""
    return check_file(file, os.environ, partial(_look_further, data, file))


def _look_further(data: Path | None, file: Path, definition: Definition) -> Sequence[Problem]:
    return [*engine_problems(definition), *(() if data is None else _compare(data, file, definition))]


def _compare(data: Path, file: Path, definition: Definition) -> Sequence[Problem]:
    with stored(data) as (cursor, _, _alive_us):
        found = catalog.changes(cursor, kpi_partials(definition, make_plan(definition)))
    return [Problem(f"{change.kpi} {_EFFECTS[change.effect]}", str(file), warning=True) for change in found if change.effect in _EFFECTS]
