"""`livekpi plan`, `status` and `stop`: what runs, or would, and how it is."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from livekpi.ask import client
from livekpi.clock import SystemClock
from livekpi.clustered import JOB, on_engine, open_cluster, problems
from livekpi.data_directory import data_directory
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.definition.problems import DefinitionError
from livekpi.engine.batch import dimension_columns
from livekpi.engine.embedded import EVENTS, bucket_column
from livekpi.engine.plan import Grouping, Plan, make_plan
from livekpi.engine.rendering import EVENT, bins_sql, cells_sql, values_sql
from livekpi.engine.supervision import Stopped, forget_stopped, note_stopped, stopped_in
from livekpi.moments import time_text
from livekpi.store.layout import cells, dimensions, spread

_SECOND_US = 1_000_000


def show_plan(file: Path, data: Path | None, engine: str | None, out: TextIO) -> None:
    """Prints what would run. Raises DefinitionError for what the engine can't do, ClusterError."""
    definition = load(file, os.environ)
    definition = _possible(on_engine(definition, engine or definition.spec.engine.name))
    plan = make_plan(definition)
    if definition.spec.engine.cluster is None:
        out.write("\n".join(_embedded(definition, plan)) + "\n")
    else:
        out.write(open_cluster(definition, plan, data_directory(file, data)).render())


def _possible(definition: Definition) -> Definition:
    refused = problems(definition)
    if refused:
        raise DefinitionError(refused)
    return definition


def _embedded(definition: Definition, plan: Plan) -> Iterator[str]:
    """The statements that each batch of events goes through; `events` is the batch, with a column a size of bucket."""
    for source, groupings in plan.groupings.items():
        columns = dimension_columns(definition.sources[source].fields)
        for grouping in groupings:
            keys = [f"{EVENT}.{bucket_column(grouping.every_us)} AS bucket"]
            keys += [f"{columns[field]} AS {name}" for field, name in zip(grouping.by, dimensions(grouping), strict=True)]
            for table, sql in _statements(grouping):
                yield f"-- source {source}, table {table}"
                yield sql.format(keys=", ".join(keys), source=f"{EVENTS} AS {EVENT}") + ";"


def _statements(grouping: Grouping) -> Iterator[tuple[str, str]]:
    yield cells(grouping).name, cells_sql(grouping)
    for partial in grouping.spreads:
        yield spread(grouping, partial).name, bins_sql(grouping, partial) if partial.kind == "bins" else values_sql(partial)


def show_status(file: Path, data: Path | None, form: str, out: TextIO) -> None:
    """Prints how the definition's job and server are. Raises ClusterError, ClientError."""
    definition, directory = _possible(load(file, os.environ)), data_directory(file, data)
    found = _status(definition, directory)
    out.write(json.dumps(found) + "\n" if form == "json" else "\n".join(_lines(found)) + "\n")


def _status(definition: Definition, directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"engine": definition.spec.engine.name}
    if definition.spec.engine.cluster is not None:
        state = open_cluster(definition, make_plan(definition), directory).state()
        stopped = stopped_in(directory / JOB)
        found |= {
            "job": state.name,
            "job_id": state.job_id,
            "state": "stopped" if stopped is not None and state.state in ("missing", "finished") else state.state,
            "restarts": state.restarts,
            "last_checkpoint": None if state.last_checkpoint_us is None else time_text(state.last_checkpoint_us // _SECOND_US * _SECOND_US),
            "savepoint": None if stopped is None else stopped.savepoint,
            "detail": state.detail,
        }
    server = client(directory)
    found["server"] = None if server is None else server.address
    if server is not None:
        shown = ("lag", "last_event", "watermark", "problem")
        found["sources"] = {each["source"]: {name: each[name] for name in shown} for each in server.get("/v1/sources")["sources"]}
    return found


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for name, value in found.items():
        if name == "sources":
            for source, state in value.items():
                yield from (f"{source} {key.replace('_', ' ')}: {each}" for key, each in state.items() if each is not None)
        elif value is not None or name == "server":
            yield f"{name.replace('_', ' ')}: {'does not run' if value is None else value}"


def stop(file: Path, data: Path | None, out: TextIO, *, savepoint: bool) -> None:
    """Stops the definition's job; a running server lets it be, and the next `livekpi run` has it go on. Raises ClusterError."""
    definition, directory = _possible(load(file, os.environ)), data_directory(file, data) / JOB
    cluster = open_cluster(definition, make_plan(definition), directory.parent)
    before, now_us = stopped_in(directory), SystemClock().now_us()
    note_stopped(directory, replace(before or Stopped(), at_us=now_us))  # first, so that a running server does not have it run again
    try:
        path = cluster.stop(savepoint=savepoint)
    except BaseException:
        if before is None:
            forget_stopped(directory)
        else:
            note_stopped(directory, before)
        raise
    if path is not None:
        note_stopped(directory, Stopped(path, now_us))
        out.write(f"{path}\n")
    elif not savepoint:
        note_stopped(directory, Stopped(at_us=now_us))
