"""The API's part on livekpi itself: what computes the numbers, whether that goes well, and how much of its limits is used."""

from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.engine.cluster import JobState
from livekpi.metrics import Metrics
from livekpi.moments import time_text
from livekpi.web.answers import json_answer
from livekpi.web.api.health import Health
from livekpi.web.backend import Backend
from livekpi.web.parameters import Parameters
from livekpi.web.times import maybe_time_text

VERSION = version("livekpi")
_STORE, _MEMORY, _VIEWERS, _SERIES = "livekpi_store_bytes", "livekpi_process_memory_bytes", "livekpi_viewers", "livekpi_series"
_DROPPED, _OTHERS = "livekpi_dropped_viewers_total", "livekpi_limited_events_total"
_METRICS = (_STORE, _MEMORY, _VIEWERS, _SERIES, _DROPPED, _OTHERS)

Measured = defaultdict[tuple[str, str | None], int]
"""Metrics by name and KPI; 0 where nothing was measured yet."""


class Job(Protocol):
    """Who watches over the job of a definition on a cluster."""

    @property
    def last(self) -> JobState | None:
        """How the job was at the last look; None where it is not known."""


class StatusApi:
    """Answers from what is in memory, so that it says something where the store can't be read, too."""

    def __init__(self, backend: Backend, health: Health, clock: Clock, metrics: Metrics, job: Job | None) -> None:
        """`job` is None where livekpi computes by itself."""
        self._backend, self._health, self._metrics, self._job = backend, health, metrics, job
        self._started_us = clock.now_us()

    async def status(self, request: Request) -> Response:
        """GET /v1/status"""
        Parameters(request)
        not_ready, measured = self._health.not_ready(), self._measured()
        content = {
            "version": VERSION,
            "started": time_text(self._started_us),
            "ready": not not_ready,
            "not_ready": not_ready,
            "engine": self._backend.definition.spec.engine.name,
            "job": None if self._job is None else _job(self._job.last),
            "limits": list(self._limits(measured)),
            "store_bytes": measured[_STORE, None],
            "memory_bytes": measured[_MEMORY, None],
        }
        return json_answer(content)

    def _limits(self, measured: Measured) -> Iterator[dict[str, Any]]:
        limits = self._backend.definition.spec.limits
        yield {
            "limit": "viewers",
            "kpi": None,
            "used": measured[_VIEWERS, None],
            "most": limits.viewers,
            "beyond": measured[_DROPPED, None],
        }
        for kpi in self._backend.definition.kpis:
            yield {"limit": "series", "kpi": kpi, "used": measured[_SERIES, kpi], "most": limits.series, "beyond": measured[_OTHERS, kpi]}

    def _measured(self) -> Measured:
        """The metrics of which something is said."""
        found: Measured = defaultdict(int)
        for metric in self._metrics.registry.restricted_registry(_METRICS).collect():
            for sample in metric.samples:
                found[sample.name, sample.labels.get("kpi")] = int(sample.value)
        return found


def _job(state: JobState | None) -> dict[str, Any]:
    if state is None:
        return {"name": None, "state": "unknown", "restarts": None, "last_checkpoint": None, "detail": None}
    return {
        "name": state.name,
        "state": state.state,
        "restarts": state.restarts,
        "last_checkpoint": maybe_time_text(state.last_checkpoint_us),
        "detail": state.detail,
    }
