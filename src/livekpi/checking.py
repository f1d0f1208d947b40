"""`livekpi check`: a file's mistakes, what its engine can't do, and with data what running it would do to the numbers that are there, and
what these say of its alert rules."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from livekpi.ask import client, stored
from livekpi.client import PATIENCE_S
from livekpi.clustered import problems as engine_problems
from livekpi.definition.definition import Definition
from livekpi.definition.file.yaml_source import read_yaml
from livekpi.definition.load import check as check_file
from livekpi.definition.problems import Problem
from livekpi.web.objects.check import Asked, answer


def check(file: Path, data: Path | None) -> list[Problem]:
    """Every mistake and warning of a file; with `data`, a warning for each KPI that running it would start, restart or drop, and for each
    rule whose condition history never met, or nearly always. Raises StoreError, ClientError.
    """
    return check_file(file, os.environ, partial(_look_further, data, file))


def _look_further(data: Path | None, file: Path, definition: Definition) -> Sequence[Problem]:
    return [*engine_problems(definition), *(() if data is None else _compare(data, file, definition))]


def _compare(data: Path, file: Path, definition: Definition) -> Iterator[Problem]:
    found = _found(data, definition)
    for change in found["changes"]:
        yield Problem(f"{change['kpi']} {change['effect']}", str(file), warning=True)
    document, _ = read_yaml(definition.text.encode(), str(file), os.environ)
    for each in found["doubts"]:
        yield document.problem(("alerts", each["rule"], "when"), f"{each['rule']}: {each['doubt']}", warning=True)


def _found(data: Path, definition: Definition) -> Mapping[str, Any]:
    """What the server that has the data says, or the data itself where none has."""
    server = client(data)
    if server is not None:
        asked = Asked(definition.text, dict(definition.variables))
        said: Mapping[str, Any] = server.post("/v1/check", msgspec.to_builtins(asked), answer_s=PATIENCE_S)
        return said
    with stored(data) as (cursor, _, alive_us):
        return answer(cursor, definition, alive_us)
