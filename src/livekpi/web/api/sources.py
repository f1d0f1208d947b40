"""The API's part on sources: where events come from, and how far they are read."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.definition.definition import SourceDefinition
from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend, SourceState
from livekpi.web.parameters import Parameters
from livekpi.web.questions import Questions
from livekpi.web.times import maybe_time_text


class SourcesApi:
    """Answers from the backend."""

    def __init__(self, backend: Backend, clock: Clock, questions: Questions) -> None:
        self._backend, self._clock, self._questions = backend, clock, questions

    async def sources(self, request: Request) -> Response:
        """GET /v1/sources"""
        Parameters(request)
        now_us = self._clock.now_us()
        return await self._questions.answered(request, lambda: json_answer({"sources": self._sources(now_us)}))

    def _sources(self, now_us: int) -> list[dict[str, Any]]:
        declared = self._backend.definition.sources
        # a reload may have taken one away meanwhile
        return [_source(state, declared[state.name], now_us) for state in self._backend.sources() if state.name in declared]


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
                "last_event": maybe_time_text(row.watermark_us),
                "lag": state.lag.get(row.partition),
            }
            for row in state.positions
        ],
        "lag": sum(state.lag.values()),
        "watermark": maybe_time_text(state.watermark_us),
        "last_event": maybe_time_text(last_us),
        "behind_seconds": None if last_us is None else max(0, now_us - last_us) / 1_000_000,
        "problem": state.problem,
    }
