"""What a JobManager's answers mean."""

from collections.abc import Iterable
from typing import Any

import pytest

from livekpi.engine.flink.jobmanager import JobManager
from livekpi.engine.flink.rest import RefusedError, Rest


def asked(monkeypatch: pytest.MonkeyPatch, answers: Iterable[Any]) -> JobManager:
    """One that answers so, in turn; nobody waits in between."""
    turn = iter(answers)

    def ask(*_: Any) -> Any:
        answer = next(turn)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Rest, "ask", ask)
    return JobManager("http://nowhere:1", wait=lambda _: None)


@pytest.mark.parametrize(
    ("answers", "restarts"),
    [
        ([[], [{"id": "numRestarts", "value": "2"}]], 2),  # Flink fetches a metric when it is first asked for
        ([[{"id": "numRestarts", "value": "0"}]], 0),
        ([[]] * 5, None),
        ([RefusedError("no such job", 404)], None),
    ],
)
def test_a_metric_that_is_not_there_yet_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], restarts: int | None
) -> None:
    assert asked(monkeypatch, answers).restarts("a job") == restarts
