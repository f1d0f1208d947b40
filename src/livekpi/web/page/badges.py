"""GET /badge/{kpi}.svg: a KPI's newest value as a small picture."""

from datetime import UTC

from starlette.requests import Request
from starlette.responses import Response

from livekpi.alerts.asking.pace import PaceRequest
from livekpi.alerts.listing import Wanted
from livekpi.clock import Clock
from livekpi.definition.definition import Kpi
from livekpi.query import points as query
from livekpi.query.output import json_value
from livekpi.query.steps import QueryError
from livekpi.reading import format_value
from livekpi.web.backend import Alerts, Backend
from livekpi.web.page.picture import Badge, State, svg
from livekpi.web.parameters import Parameters, kpi_named
from livekpi.web.questions import Questions

_LOOK_BACK = (1_000, 20_000)
"""In how many of the newest buckets a final one is looked for, the second where there was none among the first."""
_GRAVE = ("critical", "error")
_OFF_PACE = 0.1
"""How far from its target a period may be heading."""
_HEADERS = {"Cache-Control": "max-age=30", "Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"}


class BadgeApi:
    """Answers with a picture."""

    def __init__(self, backend: Backend, alerts: Alerts | None, clock: Clock, questions: Questions) -> None:
        """`alerts` is None where none are judged."""
        self._backend, self._alerts, self._clock, self._questions = backend, alerts, clock, questions

    async def badge(self, request: Request) -> Response:
        """GET /badge/{kpi}.svg"""
        kpi = kpi_named(request.path_params["kpi"], self._backend.definition)
        asked = Parameters(request, "token", "label", "since")
        label, since_us = asked.text("label") or kpi.spec.title or kpi.name, asked.time("since", self._clock.now_us(), UTC)
        picture = await self._questions.answered(request, lambda: svg(self._badge(label, kpi, since_us)))
        return Response(picture, media_type="image/svg+xml", headers=_HEADERS)

    def _badge(self, label: str, kpi: Kpi, since_us: int | None) -> Badge:
        point, state = self._newest(kpi, since_us), self._state(kpi)
        if point is None:  # of which nobody knows whether it is fine
            return Badge(label, "no value", None if state == "fine" else state)
        return Badge(label, format_value(json_value(point.value), kpi.spec.unit), state)

    def _newest(self, kpi: Kpi, since_us: int | None) -> query.Point | None:
        """The newest point that is final; with `since_us` the one for all the time since."""
        if since_us is not None:
            found = self._backend.points(query.Request(kpi.name, from_us=since_us, step="all")).points
            return found[-1] if found else None
        now_us = self._clock.now_us()
        for buckets in _LOOK_BACK:
            from_us = now_us - kpi.over_us - min(buckets, self._backend.definition.spec.limits.points - 1) * kpi.every_us
            final = [point for point in self._backend.points(query.Request(kpi.name, from_us=from_us)).points if point.final]
            if final:
                return final[-1]
        return None

    def _state(self, kpi: Kpi) -> State | None:
        """As the page says it: by what fires or is pending of the rules that ask the KPI, and by where it stands against its target."""
        rules = tuple(name for name, rule in self._backend.definition.rules.items() if kpi.name in rule.kpis)
        watched = self._alerts is not None and bool(rules)
        found = self._alerts.alerts(Wanted(rules)) if self._alerts is not None and rules else []
        if any(alert.status == "firing" and alert.severity in _GRAVE for alert in found):
            return "alert"
        if found or (kpi.spec.target is not None and self._is_off_pace(kpi)):
            return "watch"
        return "fine" if watched or kpi.spec.target is not None else None

    def _is_off_pace(self, kpi: Kpi) -> bool:
        try:
            paces = self._backend.pace(PaceRequest(kpi.name)).found
        except QueryError:  # a KPI that can't be added up has no pace
            return False
        if not paces or paces[-1].ratio is None:
            return False
        ratio, target, projection = paces[-1].ratio, paces[-1].period.target, paces[-1].projection
        # while the target lies within what may well become of the period, early in it say, nobody need look
        if kpi.spec.good == "down":
            return ratio > 1 + _OFF_PACE and projection.low > target
        return ratio < 1 - _OFF_PACE and projection.high < target
