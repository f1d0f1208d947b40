"""The API: trying alert rules on history; on the real server, what fires is what the backtest finds."""

from pathlib import Path

import pytest

from livekpi.query.steps import QueryError
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import served
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


@pytest.mark.timeout(120)
def test_without_a_definition_the_rules_that_run_are_tried(tmp_path: Path) -> None:
    with HttpReceiver() as receiver, served(tmp_path, receiver) as shop:
        shop.send("checkout", ago_s=60)
        shop.until(lambda: shop.told() == [("firing", ["checkout"])])
        fired = {service: row["started"] for service, row in shop.firing().items()}
        answer = shop.ask("POST", "/v1/backtest", json={"rules": ["errors_high"]})
        (tried,) = answer.json()["rules"]
        assert {alert["series"]["service"]: alert["started"] for alert in tried["alerts"]} == fired
