"""Bands, predictions, pace and the commit over HTTP: what is asked is passed on, and a real server with alerts answers it."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from livekpi.alerts.asking.pace import PaceRequest
from livekpi.alerts.judging.pacing import Pace, Period
from livekpi.asking import show, show_pace
from livekpi.clock import ManualClock
from livekpi.insight.pace import Projection
from livekpi.moments import time_text
from livekpi.query.points import Outlook, Point, Standing
from livekpi.query.steps import QueryError
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import FILE, Served, served
from tests.web.answers import problem
from tests.web.world import MINUTE_US, NOW_US, Client, World

HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def test_points_have_what_else_was_asked_for(client: Client, world: World) -> None:
    world.backend.found = [
        Point(NOW_US, 12, True, standing=Standing(10.0, 8.0, 11.0, 2.0), outlook=None),
        Point(NOW_US + MINUTE_US, 7, False, standing=None, outlook=Outlook(14.0, 10.0, 18.0)),
    ]
    world.backend.commit = 41
    answer = client.get("/v1/kpis/users?with=band,prediction").json()
    assert world.backend.also_asked == [("band", "prediction")]
    assert answer["commit"] == 41
    assert answer["points"] == [
        {"time": "2026-03-01T12:00:00Z", "value": 12, "final": True, "expected": 10.0, "low": 8.0, "high": 11.0, "score": 2.0},
        {"time": "2026-03-01T12:01:00Z", "value": 7, "final": False, "predicted": 14.0, "predicted_low": 10.0, "predicted_high": 18.0},
    ]
    plain = client.get("/v1/kpis/users").json()["points"]
    assert all(set(point) == {"time", "value", "final"} for point in plain)


def test_a_pace(client: Client, world: World) -> None:
    period = Period(NOW_US - HOUR_US * 12, NOW_US + HOUR_US * 12, 500)
    world.backend.paces = [Pace(NOW_US, period, 200.0, Projection(450.0, 420.0, 480.0))]
    assert client.get("/v1/kpis/users/pace").json() == {
        "kpi": "users",
        "unit": None,
        "pace": [
            {
                "time": "2026-03-01T12:00:00Z",
                "from": "2026-03-01T00:00:00Z",
                "to": "2026-03-02T00:00:00Z",
                "target": 500,
                "so_far": 200.0,
                "projected": 450.0,
                "low": 420.0,
                "high": 480.0,
                "ratio": 0.9,
            }
        ],
    }
    client.get("/v1/kpis/users/pace?from=-1d&to=now&step=2h&timezone=Europe/Berlin")
    client.get("/v1/kpis/users/pace?at=2026-03-01T10:00")
    assert world.backend.paces_asked == [
        PaceRequest("users"),
        PaceRequest("users", None, NOW_US - DAY_US, NOW_US, "2h", "Europe/Berlin"),
        PaceRequest("users", NOW_US - 2 * HOUR_US),
    ]


def test_a_ratio_to_nothing_is_none(client: Client, world: World) -> None:
    world.backend.paces = [Pace(NOW_US, Period(NOW_US - HOUR_US, NOW_US + HOUR_US, 0), 2.0, Projection(4.0, 3.0, 5.0))]
    assert client.get("/v1/kpis/users/pace").json()["pace"][0]["ratio"] is None


def test_a_wrong_question_about_pace(client: Client) -> None:
    assert problem(client.get("/v1/kpis/user/pace"), 404) == "there is no KPI 'user'; did you mean 'users'?"
    assert "unknown parameter 'by'" in problem(client.get("/v1/kpis/users/pace?by=country"), 400)
    assert "at: 'soon' is no time" in problem(client.get("/v1/kpis/users/pace?at=soon"), 400)


KPIS = """
  taken: {{ value: count(*), every: 1h, target: {{ 1d: 100 }} }}
  worst: {{ value: max(status), every: 1h, target: {{ 1d: 500 }} }}
"""
RULE = "  odd: {{ when: anomalous(taken) or pace(taken) < 0.5, notify: [hook] }}"
PACED = FILE.replace("alerts:\n", f"{KPIS}\nalerts:\n{RULE}\n")


@contextmanager
def two_days(directory: Path) -> Iterator[Served]:
    """A server that has seen three events an hour, but ten times as many in the last but one, and learned what is usual."""
    with HttpReceiver() as receiver, served(directory, receiver, clock=ManualClock(NOW_US), file=PACED) as found:
        times = [NOW_US + hour * HOUR_US + each * 1_000_000 for hour in range(-48, 0) for each in range(30 if hour == -2 else 3)]
        body = "\n".join(json.dumps({"ts": time_text(time), "service": "a", "status": 200}) for time in times)
        assert httpx.post(f"http://{found.address}/v1/events/app", content=body, timeout=30).json()["accepted"] == len(times)
        found.until(lambda: any(point["time"] == ODD and "score" in point for point in points(found)))
        yield found


ODD = "2026-03-01T10:00:00Z"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with two_days(tmp_path) as found:
        yield found


def points(server: Served) -> list[dict[str, object]]:
    found: list[dict[str, object]] = server.get("/v1/kpis/taken?step=1h&with=band,prediction")["points"]
    return found


def test_a_server_with_alerts_answers(server: Served) -> None:
    scores = {point["time"]: point["score"] for point in points(server) if "score" in point}
    assert len(scores) > 10
    assert [time for time, score in scores.items() if isinstance(score, float) and score > 1] == [ODD]
    watched = {kpi["kpi"]: kpi["watched"] for kpi in server.get("/v1/kpis")["kpis"]}
    assert watched == {"errors": ["errors_high", "errors_there"], "taken": ["odd"], "worst": []}
    (pace,) = server.get("/v1/kpis/taken/pace")["pace"]
    assert (pace["from"], pace["target"], pace["so_far"]) == ("2026-03-01T00:00:00Z", 100, 3 * 11 + 30)
    assert pace["low"] <= pace["projected"] <= pace["high"]
    assert "has no target" in problem(server.ask("GET", "/v1/kpis/errors/pace"), 400)
    assert "can't be added up" in problem(server.ask("GET", "/v1/kpis/worst/pace"), 400)
    assert "expected band or prediction" in problem(server.ask("GET", "/v1/kpis/taken?with=bands"), 400)


def test_commands_say_the_same_beside_a_server_and_without_one(tmp_path: Path) -> None:
    asked = {"kpi": "taken", "step": "1h", "with": "band,prediction", "from": "2026-02-28T00:00"}
    pace = {"kpi": "taken", "from": "2026-03-01T00:00", "to": "2026-03-01T10:00"}

    def said(data: Path) -> list[str]:
        forms = []
        for question, shows in ((asked, show), (pace, show_pace)):
            for form in ("json", "csv", "table"):
                out = io.StringIO()
                shows(question, data, form, out)
                forms.append(out.getvalue())
        return forms

    with two_days(tmp_path) as found:
        beside = said(found.data)
    without = said(tmp_path / "data")
    assert without == beside
    first = json.loads(beside[0].splitlines()[-2])
    assert first["low"] <= first["expected"] <= first["high"]
    rows = list(csv.DictReader(io.StringIO(beside[4])))
    assert [row["time"] for row in rows][-1] == "2026-03-01T10:00:00Z"
    assert "so far" in beside[5]
    with pytest.raises(QueryError, match="has no target"):
        show_pace({"kpi": "errors"}, tmp_path / "data", "json", io.StringIO())
