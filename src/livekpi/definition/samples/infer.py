"""Writes a first definition file from sample events: what `livekpi init` prints."""

import glob
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from livekpi.definition.file.scalar_text import plain_value
from livekpi.definition.problems import DefinitionError, Problem
from livekpi.definition.resolve.sources import name_problem
from livekpi.definition.samples.observe import Observed, observe
from livekpi.definition.samples.read import Sample, read_sample
from livekpi.definition.samples.starters import ACCESS_LOG, Starter, starters

_TIMES = ("ts", "timestamp", "@timestamp", "time", "event_time", "eventtime", "occurred_at", "created_at", "datetime", "date")
_IDS = ("event_id", "eventid", "id", "uuid", "event_uuid", "message_id", "messageid", "insert_id", "insertid")
_TRACES = ("trace_id", "traceid", "trace", "x_trace_id", "otel_trace_id")
_LONGEST_SHOWN = 128


def infer(path: Path) -> str:
    """The text of a definition file over a sample of events, with the KPIs to begin with.

    The sample is NDJSON, CSV or an access log, which the file then reads, or a JSON array, which is for posting.
    Raises DefinitionError where the sample can't be read, or its events have no time.
    """
    sample = read_sample(path)
    if sample.form in ("combined", "common"):
        return "\n".join(_access_log(path, sample)) + "\n"
    return "\n".join(_events(path, sample)) + "\n"


def _access_log(path: Path, sample: Sample) -> Iterator[str]:
    yield from _head(path)
    yield from _file(path, sample)
    yield "    time: time"
    yield "    # the format brings its own fields: client, user, time, method, path, protocol, status, bytes"
    if sample.form == "combined":
        yield "    # and referrer, agent"
    yield from _kpis(ACCESS_LOG)


def _events(path: Path, sample: Sample) -> Iterator[str]:
    observed = observe(sample.events, text=sample.form == "csv")
    fields = list(_usable(observed))
    time = _time(path, fields)
    id_ = _named(fields, _IDS, ("string", "integer"), unique=True)
    trace = _named(fields, _TRACES, ("string",))
    yield from _head(path)
    yield from _posted(path) if sample.form == "json" else _file(path, sample)
    yield f"    time: {_scalar(time.name)}"
    if id_ is not None:
        yield f"    id: {_scalar(id_.name)}  # a repeat of an id already seen is dropped"
    if trace is not None:
        yield f"    trace: {_scalar(trace.name)}  # which trace it belongs to; nothing is made of it yet"
    yield "    late: 1h  # how long a bucket waits for late events before it is called final; later ones still correct it"
    events = "one event" if len(sample.events) == 1 else f"{len(sample.events):,} events"
    yield f"    fields:  # learnt from {events}; types are strict: 1.5 is no integer"
    for field in fields:
        remark = "" if field.values else "  # always null in the sample"
        yield f"      {_scalar(field.name, key=True)}: {_scalar(field.declaration)}{remark}"
    for field in observed:
        if field not in fields:
            yield f"      # left out for its name: {field.name[:_LONGEST_SHOWN]!a}"
    if sample.skipped:
        yield f"    # records of the sample that are no events of this form, and become dead letters: {sample.skipped:,}"
    taken = [field.name for field in (time, id_, trace) if field is not None]
    yield from _kpis(starters(fields, taken, len(sample.events)))


def _usable(observed: Sequence[Observed]) -> Iterator[Observed]:
    """The fields whose names a definition can have."""
    met: set[str] = set()
    for field in observed:
        if name_problem(field.name) is None and field.name.lower() not in met:
            met.add(field.name.lower())
            yield field


def _time(path: Path, fields: Sequence[Observed]) -> Observed:
    """The field that holds the events' time: always there, with the most telling name."""
    times = [field for field in fields if field.field.type.kind == "timestamp" and not field.field.optional]
    if not times:
        shown = ", ".join(
            f"{field.name} ({field.declaration}, such as {str(next(iter(field.values), None))[:30]!r})" for field in fields[:8]
        )
        message = (
            "no field holds a time in every event; expected one such as 2026-01-31T18:00:00Z, or a number of milliseconds since 1970 "
            f"in a field called ts or time; found {shown or 'no fields'}"
        )
        raise DefinitionError([Problem(message, str(path))])
    return _named(times, _TIMES, ("timestamp",)) or times[0]


def _named(fields: Sequence[Observed], names: Sequence[str], kinds: Sequence[str], *, unique: bool = False) -> Observed | None:
    fitting = [field for field in fields if field.name.lower() in names and field.field.type.kind in kinds]
    if unique:
        fitting = [field for field in fitting if field.unique and not field.field.optional]
    return min(fitting, key=lambda field: names.index(field.name.lower()), default=None)


def _head(path: Path) -> Iterator[str]:
    yield f"# A first definition, from {path.name!a}. Change it as you like: `livekpi check` says what is wrong, and where;"
    yield "# `livekpi schema` prints a JSON Schema, by which an editor completes."
    yield "sources:"


def _file(path: Path, sample: Sample) -> Iterator[str]:
    if not str(path).isprintable():
        raise DefinitionError([Problem("expected a path that can be printed; rename the file", ascii(str(path)))])
    yield f"  {_source(path)}:"
    yield "    file:"
    yield f"      path: {_scalar(glob.escape(str(path)))}  # relative to this file, or absolute; globs, .gz and .zst too"
    yield f"      format: {sample.form}"
    if sample.delimiter != ",":
        yield f"      delimiter: {json.dumps(sample.delimiter)}"
    yield "      # follow: true  # for what is still being written: it is read on as it grows, by `livekpi run --once` at each run"


def _posted(path: Path) -> Iterator[str]:
    yield f"  {_source(path)}:"
    yield f"    http: {{}}  # post events: curl --data-binary @{path.name!a} http://127.0.0.1:8321/v1/events/{_source(path)}"


def _source(path: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_]+", "_", path.name.split(".")[0]).strip("_")[:48]
    return name if name and not name[0].isdigit() else f"events_{name}".rstrip("_")


def _kpis(found: Sequence[Starter]) -> Iterator[str]:
    yield "kpis:"
    for kpi in found:
        yield f"  {kpi.name}:  # {kpi.remark}"
        yield f"    value: {_scalar(kpi.value)}"
        yield "    every: 1m"
        if kpi.by:
            yield f"    by: [{', '.join(_scalar(name, listed=True) for name in kpi.by)}]"
        if kpi.unit is not None:
            yield f"    unit: {kpi.unit}"
        if kpi.good is not None:
            yield f"    good: {kpi.good}"


def _scalar(text: str, *, key: bool = False, listed: bool = False) -> str:
    """A text as YAML has it, quoted only where it must be; keys have no variables, so no dollars to double."""
    written = text if key else text.replace("$", "$$")
    plain = re.fullmatch(r"\w+" if listed else r"[A-Za-z_/.](?:[ -~](?<!: )(?<! #))*(?<![: ])", written, re.ASCII)
    return written if plain and plain_value(text) == text else json.dumps(written, ensure_ascii=False)
