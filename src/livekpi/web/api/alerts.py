"""The API's part on alerts: what fires and what fired, silences, acknowledgements."""

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.alerts.listing import CURRENT, STATUSES, Wanted
from livekpi.alerts.message import SEVERITIES
from livekpi.alerts.words import Kind
from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.query.steps import QueryError
from livekpi.web.access.access import Access
from livekpi.web.access.tokens import Scope
from livekpi.web.answers import json_answer
from livekpi.web.backend import Alerts, HistoryRequest
from livekpi.web.bodies import decoded
from livekpi.web.objects.alerts import about, alert_object, history_object, rules_about, without_people
from livekpi.web.objects.words import Asked, NothingFiresError, checked, one_of, word_object
from livekpi.web.parameters import Parameters, number_in
from livekpi.web.problems import ProblemError
from livekpi.web.questions import UNWRITABLE, Questions

MAX_ALERTS = 10_000
MAX_HISTORY = 1_000
MAX_BODY_BYTES = 65_536
_EXPECTED = '{"rule": …, "series": {"country": "DE"}, "author": …, "reason": …, "for": "2h"}'
_asked = msgspec.json.Decoder(Asked)


class AlertsApi:
    """Answers what is asked of alerts."""

    def __init__(self, alerts: Alerts | None, definition: Definition, clock: Clock, questions: Questions, access: Access) -> None:
        """`alerts` is None where none are judged."""
        self._alerts, self._definition, self._clock, self._questions, self._access = alerts, definition, clock, questions, access

    async def alerts(self, request: Request) -> Response:
        """GET /v1/alerts"""
        asked = Parameters(request, "rule", "severity", "status", "limit")
        statuses = _one_of("status", asked.names("status"), STATUSES) or CURRENT
        severities = _one_of("severity", asked.names("severity"), SEVERITIES)
        limit = asked.number("limit", 1_000, MAX_ALERTS)
        rights = self._access.rights(request.scope)
        people = Scope.READ in rights.scopes

        def find(alerts: Alerts) -> dict[str, Any]:
            rules = _rules(alerts.alert_rules if rights.kpis is None else partial(rules_about, self._definition, rights.kpis), asked)
            found = about(self._definition, rights.kpis, alerts.alerts(Wanted(rules, severities, statuses)))
            return {"alerts": [alert_object(alert if people else without_people(alert)) for alert in found[:limit]], "in_all": len(found)}

        return await self._answer(request, find)

    async def history(self, request: Request) -> Response:
        """GET /v1/alerts/history"""
        asked = Parameters(request, "rule", "from", "to", "limit")
        now_us = self._clock.now_us()
        from_us, to_us = asked.time("from", now_us, UTC), asked.time("to", now_us, UTC)
        limit = asked.number("limit", 100, MAX_HISTORY)
        return await self._answer(
            request,
            lambda alerts: history_object(alerts.alert_history(HistoryRequest(_rules(alerts.alert_rules, asked), from_us, to_us, limit))),
        )

    async def silences(self, request: Request) -> Response:
        """GET and POST /v1/silences"""
        return await self._words(request, "silences")

    async def silence(self, request: Request) -> Response:
        """DELETE /v1/silences/{number}"""
        return await self._end(request, "silences")

    async def acknowledgements(self, request: Request) -> Response:
        """GET and POST /v1/acknowledgements"""
        return await self._words(request, "acknowledgements")

    async def acknowledgement(self, request: Request) -> Response:
        """DELETE /v1/acknowledgements/{number}"""
        return await self._end(request, "acknowledgements")

    async def _words(self, request: Request, kind: Kind) -> Response:
        Parameters(request)
        if request.method != "POST":
            return await self._answer(request, lambda alerts: {kind: [word_object(word) for word in alerts.words(kind)]})
        asked = await decoded(request, MAX_BODY_BYTES, _asked, _EXPECTED, "write less")
        try:
            saying = checked(self._definition, kind, asked, self._clock.now_us())
        except QueryError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error

        def say(alerts: Alerts) -> dict[str, Any]:
            try:
                return word_object(alerts.say(saying))
            except NothingFiresError as error:
                raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error

        return await self._answer(request, say, HTTPStatus.CREATED)

    async def _end(self, request: Request, kind: Kind) -> Response:
        Parameters(request)
        text = request.path_params["number"]

        def end(alerts: Alerts) -> dict[str, Any]:
            ended = alerts.end_word(kind, number_in(text))
            if ended is None:
                raise ProblemError(HTTPStatus.NOT_FOUND, f"{text} is no number of {kind} that hold; /v1/{kind} lists them")
            return word_object(ended)

        return await self._answer(request, end)

    async def _answer(self, request: Request, ask: Callable[[Alerts], Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
        """Asks and encodes on a thread, since both may take a while."""
        alerts = self._alerts
        if alerts is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "no alerts are judged here")
        return await self._questions.answered(request, lambda: json_answer(ask(alerts), status), UNWRITABLE)


def _rules(known: Callable[[], Sequence[str]], asked: Parameters) -> tuple[str, ...]:
    """The rules that are asked for; to know all that there are takes a look into the store."""
    return _one_of("rule", asked.names("rule"), known()) if asked.text("rule") else ()


def _one_of(parameter: str, names: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    try:
        return one_of(parameter, names, known)
    except QueryError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
