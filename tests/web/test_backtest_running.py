"""Trying the rules that run, on the real server: what fires is what the backtest finds."""

from pathlib import Path

import pytest

from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import served

pytestmark = pytest.mark.timeout(120)


def test_without_a_definition_the_rules_that_run_are_tried(tmp_path: Path) -> None:
    with HttpReceiver() as receiver, served(tmp_path, receiver) as shop:
        shop.send("checkout", ago_s=60)
        shop.until(lambda: shop.told() == [("firing", ["checkout"])])
        fired = {service: row["started"] for service, row in shop.firing().items()}
        answer = shop.ask("POST", "/v1/backtest", json={"rules": ["errors_high"]})
        (tried,) = answer.json()["rules"]
        assert {alert["series"]["service"]: alert["started"] for alert in tried["alerts"]} == fired
