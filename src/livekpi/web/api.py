"""The API: KPIs, their points, dead letters, sources."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from http import HTTPStatus
from typing import Any, TypeVar

import duckdb
import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from livekpi.alerts.asking.pace import PaceRequest, pace_objects
from livekpi.clock import Clock
from livekpi.definition.definition import Kpi, SourceDefinition
from livekpi.definition.problems import nearest
from livekpi.engine.replay import read_request
from livekpi.query import points as query
from livekpi.query.output import dead_letter_object, encode, point_object, time_text
from livekpi.query.steps import QueryError
from livekpi.web.backend import Backend, DeadLetterRequest, SourceState
from livekpi.web.bodies import receive
from livekpi.web.parameters import Parameters, zone_named
from livekpi.web.problems import ProblemError
from livekpi.web.times import format_duration

MAX_DEAD_LETTERS = 10_000
MAX_REPLAY_BYTES = 32 * 2**20
REPLAY_S = 60.0
_logger = structlog.get_logger(__name__)
T = TypeVar("T")


class _Letters(msgspec.Struct):
    letters: list[dict[str, Any]]


_letters = msgspec.json.Decoder(_Letters)


class Api:
    """Answers from the backend, on the threads of `pool`."""

    def __init__(self, backend: Backend, clock: Clock, pool: Executor) -> None:
        self._backend = backend
        self._clock = clock
        self._pool = pool

    async def kpis(self, request: Request) -> Response:
        """GET /v1/kpis"""
        Parameters(request)
        definition = self._backend.definition
        watched = {name: [rule.name for rule in definition.rules.values() if name in rule.kpis] for name in definition.kpis}
        return _json({"kpis": [_kpi(kpi) | {"watched": watched[name]} for name, kpi in definition.kpis.items()]})

    async def points(self, request: Request) -> Response:
        """GET /v1/kpis/{kpi}"""
        name = self._kpi_named(request)
        asked = Parameters(request, "from", "to", "step", "by", "where", "timezone", "compare", "with")
        timezone = asked.text("timezone") or "UTC"
        now_us, where = self._clock.now_us(), zone_named(timezone)
        question = query.Request(
            kpi=name,
            from_us=asked.time("from", now_us, where),
            to_us=asked.time("to", now_us, where),
            step=asked.text("step"),
            by=asked.names("by"),
            where=asked.text("where"),
            timezone=timezone,
            compare=asked.text("compare"),
        )
        also = asked.names("with")
        return await self._answer(lambda: self._points(question, also))

    async def pace(self, request: Request) -> Response:
        """GET /v1/kpis/{kpi}/pace"""
        name = self._kpi_named(request)
        asked = Parameters(request, "at", "from", "to", "step", "timezone")
        timezone = asked.text("timezone") or "UTC"
        now_us, where = self._clock.now_us(), zone_named(timezone)
        at_us, from_us, to_us = (asked.time(each, now_us, where) for each in ("at", "from", "to"))
        question = PaceRequest(name, at_us, from_us, to_us, asked.text("step"), timezone)
        return await self._answer(lambda: self._pace(question))

    def _kpi_named(self, request: Request) -> str:
        name: str = request.path_params["kpi"]
        kpis = self._backend.definition.kpis
        if name not in kpis:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no KPI {name!r}{nearest(name, list(kpis))}")
        return name

    async def dead_letters(self, request: Request) -> Response:
        """GET /v1/dead-letters"""
        asked = Parameters(request, "source", "reason", "from", "to", "limit", "timezone")
        now_us, where = self._clock.now_us(), zone_named(asked.text("timezone") or "UTC")
        question = DeadLetterRequest(
            source=asked.text("source"),
            reason=asked.text("reason"),
            from_us=asked.time("from", now_us, where),
            to_us=asked.time("to", now_us, where),
            limit=asked.number("limit", 1_000, MAX_DEAD_LETTERS),
        )
        return await self._answer(lambda: {"dead_letters": [dead_letter_object(letter) for letter in self._backend.dead_letters(question)]})

    async def replay(self, request: Request) -> Response:
        """POST /v1/dead-letters/replay"""
        body = await receive(request, MAX_REPLAY_BYTES, lambda _size: None)
        try:
            asked = read_request(_letters.decode(body).letters)
        except (msgspec.DecodeError, ValueError) as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f'expected {{"letters": [{{"number": …, "record": …}}, …]}}: {error}') from error
        done = asyncio.wrap_future(self._backend.replay(asked))
        await asyncio.wait([done], timeout=REPLAY_S)
        if not done.done() or done.cancelled():
            detail = "the engine is stopping, or can't write; list the dead letters again to see which are left"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"})
        return _json(done.result().summary())

    async def sources(self, request: Request) -> Response:
        """GET /v1/sources"""
        Parameters(request)
        now_us = self._clock.now_us()
        return await self._answer(lambda: {"sources": self._sources(now_us)})

    def _pace(self, question: PaceRequest) -> Any:
        found = self._backend.pace(question)
        return {"kpi": found.kpi, "unit": found.unit, "pace": pace_objects(found)}

    def _sources(self, now_us: int) -> list[dict[str, Any]]:
        declared = self._backend.definition.sources
        # a reload may have taken one away meanwhile
        return [_source(state, declared[state.name], now_us) for state in self._backend.sources() if state.name in declared]

    def _points(self, question: query.Request, also: tuple[str, ...]) -> Any:
        found = self._backend.points(question, also)
        return {
            "kpi": found.kpi,
            "unit": found.unit,
            "step": question.step,
            "commit": found.commit,
            "points": [point_object(found, point) for point in found.points],
        }

    async def _answer(self, ask: Callable[[], Any]) -> Response:
        """Asks and encodes on a thread, since both may take a while."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: _json(ask()))
        except QueryError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
        except duckdb.Error as error:
            _logger.error("the store can't be read", reason=str(error))
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "the store can't be read now; ask again later", {"Retry-After": "1"}
            ) from error


def _json(content: Any) -> Response:
    return Response(encode(content), media_type="application/json")


def _kpi(kpi: Kpi) -> dict[str, Any]:
    spec = kpi.spec
    return {
        "kpi": kpi.name,
        "title": spec.title or kpi.name,
        "value": spec.value,
        "unit": spec.unit,
        "good": spec.good,
        "every": format_duration(kpi.every_us),
        "over": format_duration(kpi.over_us),
        "by": kpi.by,
        "description": spec.description,
        "owner": spec.owner,
        "timezone": kpi.timezone,
        "target": _target(kpi),
        "sources": sorted(kpi.sources),
    }


def _target(kpi: Kpi) -> Any:
    """The target as in the file, with the time zone that holds where it names none."""
    given = kpi.spec.model_dump(mode="json", by_alias=True, include={"target"})["target"]
    for each in given if isinstance(given, list) else [given] if given is not None else []:
        each["timezone"] = each["timezone"] or kpi.timezone
    return given


def _source(state: SourceState, declared: SourceDefinition, now_us: int) -> dict[str, Any]:
    last_us = max((row.watermark_us for row in state.positions if row.watermark_us is not None), default=None)
    return {
        "source": state.name,
        "kind": state.kind,
        "time": declared.spec.time,
        "fields": [{"name": field.name, "type": str(field)} for field in declared.fields.values()],
        "partitions": [
            {
                "partition": row.partition,
                "position": row.position,
                "last_event": _time(row.watermark_us),
                "lag": state.lag.get(row.partition),
            }
            for row in state.positions
        ],
        "lag": sum(state.lag.values()),
        "watermark": _time(state.watermark_us),
        "last_event": _time(last_us),
        "behind_seconds": None if last_us is None else max(0, now_us - last_us) / 1_000_000,
        "problem": state.problem,
    }


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else time_text(time_us)
