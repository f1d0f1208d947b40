"""The API's part on KPIs: which there are, their points, and where their targets are going."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from livekpi.alerts.asking.pace import PaceRequest, pace_objects
from livekpi.clock import Clock
from livekpi.definition.definition import Kpi
from livekpi.definition.durations import duration_text
from livekpi.definition.sql.additive import adding_problem
from livekpi.query import points as query
from livekpi.query.output import point_object
from livekpi.web.access.access import Access
from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend
from livekpi.web.parameters import Parameters, kpi_named, zone_named
from livekpi.web.questions import Questions


class KpisApi:
    """Answers from the backend."""

    def __init__(self, backend: Backend, clock: Clock, questions: Questions, access: Access) -> None:
        self._backend, self._clock, self._questions, self._access = backend, clock, questions, access

    async def kpis(self, request: Request) -> Response:
        """GET /v1/kpis"""
        Parameters(request)
        definition, rights = self._backend.definition, self._access.rights(request.scope)
        watched = {name: [rule.name for rule in definition.rules.values() if name in rule.kpis] for name in definition.kpis}
        return json_answer({"kpis": [_kpi(kpi) | {"watched": watched[name]} for name, kpi in definition.kpis.items() if rights.see(name)]})

    async def points(self, request: Request) -> Response:
        """GET /v1/kpis/{kpi}"""
        kpi = kpi_named(request.path_params["kpi"], self._backend.definition)
        asked = Parameters(request, "from", "to", "step", "by", "where", "timezone", "compare", "with")
        timezone = asked.text("timezone") or "UTC"
        now_us, where = self._clock.now_us(), zone_named(timezone)
        question = query.Request(
            kpi=kpi.name,
            from_us=asked.time("from", now_us, where),
            to_us=asked.time("to", now_us, where),
            step=asked.text("step"),
            by=asked.names("by"),
            where=asked.text("where"),
            timezone=timezone,
            compare=asked.text("compare"),
        )
        also = asked.names("with")
        return await self._questions.answered(request, lambda: json_answer(self._points(question, also)))

    async def pace(self, request: Request) -> Response:
        """GET /v1/kpis/{kpi}/pace"""
        kpi = kpi_named(request.path_params["kpi"], self._backend.definition)
        asked = Parameters(request, "at", "from", "to", "step", "timezone")
        timezone = asked.text("timezone") or "UTC"
        now_us, where = self._clock.now_us(), zone_named(timezone)
        at_us, from_us, to_us = (asked.time(each, now_us, where) for each in ("at", "from", "to"))
        question = PaceRequest(kpi.name, at_us, from_us, to_us, asked.text("step"), timezone)
        return await self._questions.answered(request, lambda: json_answer(self._pace(question)))

    def _pace(self, question: PaceRequest) -> Any:
        found = self._backend.pace(question)
        return {"kpi": found.kpi, "unit": found.unit, "pace": pace_objects(found)}

    def _points(self, question: query.Request, also: tuple[str, ...]) -> Any:
        found = self._backend.points(question, also)
        return {
            "kpi": found.kpi,
            "unit": found.unit,
            "step": question.step,
            "commit": found.commit,
            "points": [point_object(found, point) for point in found.points],
        }


def _kpi(kpi: Kpi) -> dict[str, Any]:
    spec = kpi.spec
    return {
        "kpi": kpi.name,
        "title": spec.title or kpi.name,
        "value": spec.value,
        "unit": spec.unit,
        "good": spec.good,
        "every": duration_text(kpi.every_us),
        "over": duration_text(kpi.over_us),
        "by": kpi.by,
        "description": spec.description,
        "owner": spec.owner,
        "timezone": kpi.timezone,
        "target": _target(kpi),
        "paced": kpi.spec.target is not None and adding_problem(kpi.value) is None,
        "sources": sorted(kpi.sources),
    }


def _target(kpi: Kpi) -> Any:
    """The target as in the file, with the time zone that holds where it names none."""
    given = kpi.spec.model_dump(mode="json", by_alias=True, include={"target"})["target"]
    for each in given if isinstance(given, list) else [given] if given is not None else []:
        each["timezone"] = each["timezone"] or kpi.timezone
    return given
