"""The API: trying alert rules on history."""

from livekpi.query.steps import QueryError
from tests.web.world import Client, World


def test_it_asks_the_backend(client: Client, world: World) -> None:
    answer = client.post("/v1/backtest", json={"definition": "kpis:", "rules": ["a"], "from": "-1d"})
    assert (answer.status_code, answer.json()) == (200, {"rules": []})
    (asked,) = world.backend.backtests_asked
    assert (asked.definition, asked.rules, asked.from_) == ("kpis:", ["a"], "-1d")


def test_what_is_wrong_is_said(client: Client, world: World) -> None:
    answer = client.post("/v1/backtest", json={"definition": "", "unknown": 1})
    assert answer.status_code == 400
    assert "unknown" in answer.json()["detail"]
    world.backend.error = QueryError("there is no rule 'x'")
    answer = client.post("/v1/backtest", json={"definition": ""})
    assert (answer.status_code, answer.json()["detail"]) == (400, "there is no rule 'x'")


def test_without_a_definition_it_is_of_the_one_that_runs(client: Client, world: World) -> None:
    assert client.post("/v1/backtest", json={"rules": ["a"]}).status_code == 200
    (asked,) = world.backend.backtests_asked
    assert (asked.definition, asked.rules) == (None, ["a"])
