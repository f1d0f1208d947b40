"""The KPIs to begin with, chosen by what a sample's fields are called and hold."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from livekpi.definition.problems import ExpressionError
from livekpi.definition.resolve.kpis import POINT_KEYS
from livekpi.definition.samples.observe import MONEY, Observed, words
from livekpi.definition.sql.parsing import parse

_USERS = (
    *("user_id", "userid", "user", "customer_id", "customerid", "customer", "account_id", "account", "member_id", "client_id", "client"),
    *("visitor_id", "visitor", "session_id", "session", "device_id", "device", "uid", "client_ip", "remote_addr", "ip"),
)
_DIMENSIONS = (
    *("event", "event_type", "type", "action", "country", "region", "service", "channel", "category", "plan", "status"),
    *("method", "device_type", "platform", "currency", "source", "environment", "level", "severity"),
)
_DURATIONS = {"duration", "latency", "elapsed", "took", "runtime", "response"}
_UNITS = {"ns": "ns", "us": "us", "ms": "ms", "millis": "ms", "s": "s", "sec": "s", "secs": "s", "seconds": "s"}
_FAILURES = {"error", "err", "failed", "failure", "fail", "critical", "fatal", "declined", "rejected", "5xx"}
_MOST_VALUES = 20
_MOST_DIMENSIONS = 2


@dataclass(frozen=True, slots=True)
class Starter:
    """A KPI to begin with."""

    name: str
    value: str
    remark: str
    by: tuple[str, ...] = ()
    unit: str | None = None
    good: str | None = None


ACCESS_LOG = (
    Starter("requests", "count(*)", "requests a minute", by=("status",)),
    Starter("visitors", "count(distinct client)", "different clients; right for any span, for they are never added up"),
    Starter("traffic", "sum(bytes)", "what was sent", unit="bytes"),
    Starter("errors", "count(*) filter (where status >= 400) / count(*)", "the share of requests that failed", unit="ratio", good="down"),
    Starter("size_p95", "quantile(bytes, 0.95)", "95 % of the responses are no larger", unit="bytes"),
)


def starters(fields: Sequence[Observed], taken: Iterable[str], events: int) -> list[Starter]:
    """KPIs over the fields of a sample, but those in `taken`, which have another part to play."""
    free = [field for field in fields if field.name not in set(taken)]
    user = _first(free, _USERS, ("string", "integer"))
    rest = [field for field in free if field is not user]
    by = tuple(field.name for field in _dimensions(rest, events))
    found = [Starter("events", "count(*)", "events a minute", by=by)]
    if user is not None:
        remark = "different users; right for any span and slice, for they are never added up"
        found.append(Starter("users", f"count(distinct {column(user.name)})", remark, by=by))
    for make in (_durations, _amounts, _failures):
        found += make(rest, by)
    if len(found) == 1:
        found += _numbers(rest, by)
    return list({starter.name: starter for starter in reversed(found)}.values())[::-1]


def column(name: str) -> str:
    """A field in an expression, in double quotes where SQL needs them."""
    try:
        node = parse(f"count({name})").this
    except ExpressionError:
        node = None
    bare = isinstance(node, exp.Column) and [part.name for part in node.parts] == [name] and name.isidentifier()
    return name if bare else '"' + name.replace('"', '""') + '"'


def _first(fields: Sequence[Observed], names: Sequence[str], kinds: tuple[str, ...]) -> Observed | None:
    """The field whose name comes first in `names`."""
    fitting = [field for field in fields if field.name.lower() in names and field.field.type.kind in kinds]
    return min(fitting, key=lambda field: names.index(field.name.lower()), default=None)


def _dimensions(fields: Sequence[Observed], events: int) -> list[Observed]:
    """Fields of few values to slice by, those with telling names first."""

    def fits(field: Observed) -> bool:
        known = field.name.lower() in _DIMENSIONS
        kind_fits = field.field.type.kind in ("string", "boolean") or (known and field.field.type.kind == "integer")
        few = 1 <= len(field.distinct) <= _MOST_VALUES and (known or len(field.distinct) * 2 <= events)
        return kind_fits and few and field.name not in POINT_KEYS

    order = {name: place for place, name in enumerate(_DIMENSIONS)}
    fitting = sorted(filter(fits, fields), key=lambda field: order.get(field.name.lower(), len(order)))
    return fitting[:_MOST_DIMENSIONS]


def _durations(fields: Sequence[Observed], by: tuple[str, ...]) -> Iterator[Starter]:
    for field in fields:
        if field.field.type.numeric and field.words & _DURATIONS and not field.words & {"size", "bytes", "code", "status"}:
            unit = next((_UNITS[word] for word in field.words if word in _UNITS), None)
            remark = "95 % are no slower; within 1 % of the exact value at every zoom"
            yield Starter(_name(field, "p95"), f"quantile({column(field.name)}, 0.95)", remark, by=by, unit=unit, good="down")


def _amounts(fields: Sequence[Observed], by: tuple[str, ...]) -> Iterator[Starter]:
    for field in fields:
        if field.field.type.kind == "decimal" or (field.field.type.numeric and field.words & MONEY):
            name = "revenue" if field.words & {"amount", "revenue"} else _name(field, "total")
            yield Starter(name, f"sum({column(field.name)})", "the sum, exact to the last digit", by=by, good="up")


def _failures(fields: Sequence[Observed], by: tuple[str, ...]) -> Iterator[Starter]:
    condition = next((found for field in fields if (found := _failure(field)) is not None), None)
    if condition is not None:
        value = f"count(*) filter (where {condition}) / count(*)"
        yield Starter("error_rate", value, "the share of events that failed", by=by, unit="ratio", good="down")


def _failure(field: Observed) -> str | None:
    """The condition that says of an event that it failed; None where the field does not know."""
    kind, name = field.field.type.kind, column(field.name)
    if kind == "integer" and field.words & {"status", "code"}:
        return f"{name} >= 500" if all(re.fullmatch("[1-5][0-9][0-9]", value) for value in field.distinct) else None
    if kind == "boolean":
        if field.words & {"ok", "success", "successful", "succeeded"}:
            return f"not {name}"
        return name if field.words & _FAILURES else None
    if kind == "string" and len(field.distinct) <= _MOST_VALUES:
        failures = sorted(value for value in field.distinct if words(value) & _FAILURES and value.isprintable())
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in failures)
        return f"{name} in ({quoted})" if failures else None
    return None


def _numbers(fields: Sequence[Observed], by: tuple[str, ...]) -> Iterator[Starter]:
    """For numbers whose names say nothing, their average."""
    for field in [field for field in fields if field.field.type.numeric and "id" not in field.words][:_MOST_DIMENSIONS]:
        yield Starter(_name(field, "avg"), f"avg({column(field.name)})", "the average, weighted rightly at every zoom", by=by)


def _name(field: Observed, suffix: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", field.name).strip("_")[:48]
    return f"{stem}_{suffix}" if stem and not stem[0].isdigit() else f"_{stem}_{suffix}"
