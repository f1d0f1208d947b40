from decimal import Decimal

import duckdb
import pytest

from livekpi.query.points import Point, Request
from livekpi.query.steps import QueryError
from tests.web.answers import problem
from tests.web.world import MINUTE_US, NOW_US, Client, World

HOUR_US = 60 * MINUTE_US


def test_the_kpis(client: Client) -> None:
    kpis = {kpi["kpi"]: kpi for kpi in client.get("/v1/kpis").json()["kpis"]}
    assert list(kpis) == ["users", "visits", "revenue", "stock"]
    assert kpis["users"] == {
        "kpi": "users",
        "title": "Users",
        "value": "count(distinct user)",
        "unit": None,
        "good": "up",
        "every": "1m",
        "over": "5m",
        "by": ["country"],
        "description": None,
        "owner": "Ann",
        "timezone": "UTC",
        "target": {"1d": 500.0, "timezone": "UTC"},
        "paced": False,
        "sources": ["app"],
        "watched": [],
    }
    assert (kpis["revenue"]["title"], kpis["revenue"]["unit"], kpis["revenue"]["over"]) == ("revenue", "EUR", "10s")


def test_points_are_exact_and_carry_their_dimensions(client: Client, world: World) -> None:
    world.backend.found = [
        Point(NOW_US, Decimal("12345678901234567890.10"), True, ("DE",)),
        Point(NOW_US + 1_500_000, float("inf"), False, (None,)),
    ]
    answer = client.get("/v1/kpis/revenue?by=country&step=1h")
    assert answer.headers["content-type"] == "application/json"
    assert b'"value":12345678901234567890.10,' in answer.content
    assert answer.json() == {
        "kpi": "revenue",
        "unit": "EUR",
        "step": "1h",
        "commit": 0,
        "points": [
            {"time": "2026-03-01T12:00:00Z", "country": "DE", "value": 12345678901234567890.10, "final": True},
            {"time": "2026-03-01T12:00:01.500000Z", "country": None, "value": None, "final": False},
        ],
    }


def test_a_point_that_was_corrected_says_when(client: Client, world: World) -> None:
    world.backend.found = [Point(NOW_US, 1, True, corrected_us=NOW_US + 90_000_000), Point(NOW_US + MINUTE_US, 1, True)]
    points = client.get("/v1/kpis/revenue").json()["points"]
    assert [point.get("corrected") for point in points] == ["2026-03-01T12:01:30Z", None]
    assert "corrected" not in points[1]


def test_a_question_is_passed_on(client: Client, world: World) -> None:
    client.get(
        "/v1/kpis/users",
        params={
            "from": "2026-03-01",
            "to": "-1h",
            "step": "1d",
            "by": "country, ,x",
            "where": "country = 'DE'",
            "timezone": "Europe/Berlin",
            "compare": "1w",
        },
    )
    midnight_us = NOW_US - 13 * HOUR_US
    assert world.backend.points_asked == [
        Request("users", midnight_us, NOW_US - HOUR_US, "1d", ("country", "x"), "country = 'DE'", "Europe/Berlin", "1w")
    ]
    client.get("/v1/kpis/users?from=")
    assert world.backend.points_asked[1] == Request("users")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=yesterday", "from: 'yesterday' is no time"),
        ("timezone=Berlin", "there is no time zone 'Berlin'"),
        ("form=now", "unknown parameter 'form'; this address takes from, to, step"),
        ("from=now&from=now", "parameter 'from' is given twice"),
    ],
)
def test_a_wrong_question(client: Client, query: str, says: str) -> None:
    assert says in problem(client.get(f"/v1/kpis/users?{query}"), 400)


def test_what_the_query_finds_wrong_is_a_bad_request(client: Client, world: World) -> None:
    world.backend.error = QueryError("step '7s' is no multiple")
    assert problem(client.get("/v1/kpis/users?step=7s"), 400) == "step '7s' is no multiple"


def test_a_store_that_can_not_be_read(client: Client, world: World) -> None:
    world.backend.error = duckdb.IOException("disk")
    answer = client.get("/v1/kpis/users")
    assert "ask again later" in problem(answer, 503)
    assert "retry-after" in answer.headers


def test_an_unknown_kpi_and_the_nearest(client: Client) -> None:
    assert problem(client.get("/v1/kpis/user"), 404) == "there is no KPI 'user'; did you mean 'users'?"
    assert problem(client.get("/v1/kpis/xyz"), 404) == "there is no KPI 'xyz'; there are users, visits, revenue, stock"


@pytest.mark.parametrize("path", ["/nothing", "/v1/kpis/", "/v1"])
def test_nothing_there(client: Client, path: str) -> None:
    assert "/openapi.json says what there is" in problem(client.get(path), 404)
