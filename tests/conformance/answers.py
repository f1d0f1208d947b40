"""Two stores asked the same, and where their answers differ."""

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from livekpi.definition.definition import Definition
from livekpi.engine.plan import partial_of
from livekpi.query.points import Point, Request
from livekpi.query.steps import QueryError
from tests.conformance.engines import Computed

_FLOATS_TOLERANCE = 1e-9
"""Relative, for sums of floats: what they come to depends on the order in which they are added."""
_MANY = 20

Answer = dict[tuple[int, tuple[object, ...]], Point] | str
"""Points by time and slice, or why there is none."""


def everything(definition: Definition, kpis: Iterable[str]) -> Iterator[Request]:
    """All points of KPIs: in total, by each dimension, by all of them, and as one step."""
    for name in kpis:
        dimensions = definition.kpis[name].by
        for by in dict.fromkeys([(), *((dimension,) for dimension in dimensions), dimensions]):
            yield Request(name, by=by)
            yield Request(name, by=by, step="all")


def differences(one: Computed, other: Computed, requests: Iterable[Request]) -> list[str]:
    """Where the other's answers are not the one's; the first of many."""
    found: list[str] = []
    for request in requests:
        found += _differing(request, asked(one, request), asked(other, request), _tolerance(one.definition, request.kpi))
    return [*found[:_MANY], *([f"and {len(found) - _MANY} more"] if len(found) > _MANY else [])]


def asked(computed: Computed, request: Request) -> Answer:
    try:
        points = computed.query.points(request).points
    except QueryError as error:
        return str(error)
    return {(point.time_us, point.dimensions): point for point in points}


def _differing(request: Request, wanted: Answer, got: Answer, tolerance: float) -> Iterator[str]:
    if isinstance(wanted, str) or isinstance(got, str):
        if wanted != got:
            yield f"{request}: wanted {wanted}, got {got}"
        return
    for key in sorted(wanted.keys() | got.keys(), key=str):
        if not _same(wanted.get(key), got.get(key), tolerance):
            shown = datetime.fromtimestamp(key[0] / 1_000_000, UTC).isoformat()
            yield f"{request.kpi} step {request.step} by {request.by} at {shown} {key[1]}: wanted {wanted.get(key)}, got {got.get(key)}"


def _same(wanted: Point | None, got: Point | None, tolerance: float) -> bool:
    if wanted is None or got is None:
        return wanted is got
    values = zip((wanted.value, wanted.before), (got.value, got.before), strict=True)
    return wanted.final == got.final and all(_alike(one, other, tolerance) for one, other in values)


def _alike(one: object, other: object, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float) and tolerance:
        return math.isclose(one, other, rel_tol=tolerance)
    return type(one) is type(other) and repr(one) == repr(other)


def _tolerance(definition: Definition, kpi: str) -> float:
    partials = map(partial_of, definition.kpis[kpi].value.aggregates)
    return _FLOATS_TOLERANCE if any(each.kind == "sum" and each.type.kind == "number" for each in partials) else 0.0
