"""JSON over HTTP, as both of Flink's doors speak it: the SQL Gateway's and the JobManager's."""

import http.client
import json
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

from livekpi.engine.cluster import ClusterError

_ANSWER_S = 60.0
"""How long an answer may take; planning a job is among what is waited for."""
_CAUSE = "Caused by: "


class RefusedError(ClusterError):
    """The server answered that it can't; `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Rest:
    """One server. Each request has a connection of its own, so that one that was restarted is found again."""

    def __init__(self, what: str, address: str) -> None:
        """`what` names the server in errors; `address` is like http://host:8081, and may have a path."""
        self._what = f"Flink's {what} at {address}"
        url = urlsplit(address)
        self._connection = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self._host, self._base = url.netloc, url.path.rstrip("/")

    def ask(self, method: str, path: str, content: object = None) -> Any:
        """The answer; raises ClusterError where there is none, RefusedError where it is no."""
        body = None if content is None else json.dumps(content).encode()
        try:
            with closing(self._connection(self._host, timeout=_ANSWER_S)) as connection:
                connection.request(method, self._base + path, body, {"Content-Type": "application/json"} if body else {})
                response = connection.getresponse()
                answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ClusterError(f"{self._what} does not answer: {error or type(error).__name__}") from error
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"{self._what} answered {response.status}: {_reason(answer)}", response.status)
        return json.loads(answer) if answer else None


def _reason(answer: bytes) -> str:
    """What a refusal says: of Java's stacks, the innermost cause."""
    text = answer.decode(errors="replace")
    with suppress(ValueError, KeyError, TypeError):
        text = "\n".join(map(str, json.loads(text)["errors"]))
    lines = text.splitlines()
    causes = [line.removeprefix(_CAUSE) for line in lines if line.startswith(_CAUSE)]
    return (causes[-1] if causes else text[:1_000]).strip()
