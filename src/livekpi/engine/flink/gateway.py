"""Flink's SQL Gateway over HTTP: a session, and statements one after the other."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from livekpi.engine.cluster import ClusterError
from livekpi.engine.flink.rest import RefusedError, Rest

_PATIENCE_S = 600.0
"""How long a statement may take: of a hundred KPIs on a busy machine Flink plans for minutes."""
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.02, 0.5
Row = list[Any]


class Session:
    """Statements of one session share settings, tables and functions. To be used with `with`."""

    def __init__(
        self,
        gateway: str,
        settings: Mapping[str, str],
        *,
        wait: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ClusterError where no gateway answers."""
        self._rest = Rest("SQL Gateway", gateway)
        self._wait, self._now = wait, now
        self._path = f"/v1/sessions/{self._rest.ask('POST', '/v1/sessions', {'properties': dict(settings)})['sessionHandle']}"

    def execute(self, statement: str) -> list[Row]:
        """The rows that a statement gives, once it is done. Raises ClusterError with Flink's reason."""
        handle = self._rest.ask("POST", f"{self._path}/statements", {"statement": statement})["operationHandle"]
        operation = f"{self._path}/operations/{handle}"
        try:
            self._finish(operation, statement)
            return self._rows(operation)
        except RefusedError as error:
            raise ClusterError(f"{error}; the statement was:\n{statement}") from error

    def close(self) -> None:
        """Ends the session; jobs that it started go on."""
        self._rest.ask("DELETE", self._path)

    def _finish(self, operation: str, statement: str) -> None:
        deadline, pause = self._now() + _PATIENCE_S, _FIRST_LOOK_S
        while self._rest.ask("GET", f"{operation}/status")["status"] not in ("FINISHED", "ERROR", "CANCELED", "CLOSED", "TIMEOUT"):
            if self._now() > deadline:
                raise ClusterError(f"Flink did not finish within {_PATIENCE_S:.0f} s: {statement}")
            self._wait(pause)
            pause = min(2 * pause, _LONGEST_LOOK_S)

    def _rows(self, operation: str) -> list[Row]:
        """Of an operation that failed, asking for its result is answered by why."""
        rows: list[Row] = []
        path: str | None = f"{operation}/result/0?rowFormat=JSON"
        while path is not None:
            answer = self._rest.ask("GET", path)
            rows += [row["fields"] for row in answer.get("results", {}).get("data", [])]
            if answer["resultType"] == "NOT_READY":
                self._wait(_FIRST_LOOK_S)
            path = None if answer["resultType"] == "EOS" else answer["nextResultUri"]
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
