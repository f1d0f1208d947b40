"""/healthz and /readyz: whether the process is worth keeping, and whether its numbers are up to date."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from livekpi.sources.ingest_log import IngestLog
from livekpi.web.backend import Backend
from livekpi.web.problems import problem


class Health:
    """Answers GET /healthz and GET /readyz."""

    def __init__(self, backend: Backend, logs: Mapping[str, IngestLog], streams: Callable[[], str | None]) -> None:
        """`streams` says why no streams are served any more; None while they are."""
        self._backend = backend
        self._logs = logs
        self._streams = streams
        self._stopping = False

    def stop(self) -> None:
        """From now on it is not ready."""
        self._stopping = True

    async def healthz(self, _request: Request) -> Response:
        """GET /healthz: 200 while the engine and the alerts run, and while they are stopped; else only a restart helps."""
        failure = self._backend.failure()
        if failure is not None and not self._stopping:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"only a restart helps: {failure}")
        return JSONResponse({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        """GET /readyz: 200 while events are taken and every source is read and committed, alerts are judged, and streams served."""
        parts = self.not_ready()
        if parts:
            detail = "; ".join(f"{part}: {why}" for part, why in parts.items())
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, not_ready=parts)
        return JSONResponse({"status": "ready"})

    def not_ready(self) -> dict[str, str]:
        """What is not ready, and why, by part."""
        if self._stopping:  # and all else with it
            return {"server": "it is stopping"}
        parts = dict(self._backend.problems())
        failure = self._backend.failure()
        if failure is not None and failure not in parts.values():
            parts["engine"] = failure
        parts.update((f"ingest log of {name}", log.failure) for name, log in self._logs.items() if log.failure is not None)
        streams = self._streams()
        if streams is not None:
            parts["streams"] = streams
        return parts
