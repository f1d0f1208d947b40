"""What a viewer asks a stream for, read from its address and checked."""

from http import HTTPStatus

from starlette.datastructures import QueryParams

from livekpi.definition.definition import Definition
from livekpi.query.live import Want, check
from livekpi.query.steps import QueryError, parse_step
from livekpi.web.parameters import Parameters, kpi_named
from livekpi.web.problems import ProblemError
from livekpi.web.stream.hub import Subscription

MAX_WANTS = 100
"""Of one stream."""


def read_subscription(asked: Parameters, definition: Definition, now_us: int) -> Subscription:
    """What ``want=``, or else ``kpi=`` and ``by=``, ask for; raises ProblemError."""
    texts, names, by = asked.each("want"), asked.names("kpi"), asked.names("by")
    if texts and (names or by):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "give either want, or kpi and by: a want names its KPI and slices itself")
    if len(texts) > MAX_WANTS:
        detail = f"{len(texts)} wants, and a stream takes at most {MAX_WANTS}: open another stream for the rest"
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail)
    alerts = _is_true(asked.text("alerts"))
    if texts == [""]:  # no numbers: of alerts, annotations and the definition one is told all the same
        return Subscription((), True, alerts)
    if texts:
        return Subscription(tuple(_numbered(place, text, definition, now_us) for place, text in enumerate(texts)), True, alerts)
    return Subscription(_short(names, tuple(dict.fromkeys(by)), definition, now_us), False, alerts)


def _numbered(place: int, text: str, definition: Definition, now_us: int) -> Want:
    """A want from its text, which is a query string itself."""
    try:
        return _checked(_read(text), definition, now_us)
    except ProblemError as problem:
        raise ProblemError(problem.status, f"want {place}: {problem.detail}") from problem


def _read(text: str) -> Want:
    asked = Parameters(QueryParams(text), "kpi", "by", "step", "timezone", "where")
    name, step = asked.text("kpi"), asked.text("step")
    if name is None:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"expected kpi=NAME, and what else is asked of it, URL-encoded; got {text[:80]!r}")
    by = tuple(dict.fromkeys(asked.names("by")))
    return Want(name, by, None if step is None else _step_us(step), asked.text("timezone") or "UTC", asked.text("where"))


def _short(names: tuple[str, ...], by: tuple[str, ...], definition: Definition, now_us: int) -> tuple[Want, ...]:
    """KPIs at their own buckets, in one order; without names all that have the dimensions."""
    found = names or tuple(name for name, kpi in definition.kpis.items() if set(by) <= set(kpi.by))
    if not found:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"no KPI has the dimensions {', '.join(by)}")
    return tuple(_checked(Want(name, by), definition, now_us) for name in sorted(set(found)))


def _checked(want: Want, definition: Definition, now_us: int) -> Want:
    kpi_named(want.kpi, definition)
    try:
        check(definition, want, now_us)
    except QueryError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    return want


def _step_us(text: str) -> int:
    try:
        return parse_step(text)
    except QueryError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error


def _is_true(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"alerts: expected true or false, got {text[:80]!r}")
    return text == "true"
