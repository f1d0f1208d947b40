"""Alerts over HTTP, on the real server."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from livekpi.alerts import ledger
from livekpi.clock import ManualClock
from livekpi.moments import time_text
from livekpi.web.access.tokens import Scope, Token, Tokens
from tests.alerts.http_receiver import HttpReceiver
from tests.house.tree import ROOT
from tests.web.alerting_world import FILE, NOW_US, SECOND_US, Served, send, served
from tests.web.answers import fits, problem

pytestmark = pytest.mark.timeout(120)

ANN = {"author": "Ann", "reason": "a release"}


def moved(shop: Served, seconds: int) -> None:
    """Lets the clock go on."""
    assert isinstance(shop.clock, ManualClock)
    shop.clock.set_us(shop.clock.now_us() + seconds * SECOND_US)


def test_what_fires_and_what_is_pending(shop: Served) -> None:
    shop.send("checkout", None, ago_s=60)
    shop.until(lambda: shop.told() == [("firing", ["", "checkout"])])
    found = shop.get("/v1/alerts")
    assert [row["status"] for row in found["alerts"]] == ["firing"] * 2 + ["pending"] * (found["in_all"] - 2)
    assert set(shop.firing()) == {"", "checkout"}
    (row,) = [row for row in found["alerts"] if row["status"] == "firing" and row["series"]["service"] == "checkout"]
    fits("Alert", row)
    assert row["key"] in {alert["key"] for alert in shop.receiver.requests[0].json["messages"][0]["alerts"]}
    assert {name: row[name] for name in ("rule", "severity", "started", "ended", "value", "note", "silenced_by", "labels")} == {
        "rule": "errors_high",
        "severity": "critical",
        "started": time_text(NOW_US - 59 * SECOND_US),
        "ended": None,
        "value": 2,  # the last for which the condition held
        "note": "",
        "silenced_by": None,
        "labels": {"team": "shop"},
    }
    pending = shop.get("/v1/alerts?status=pending&rule=errors_there&severity=warning")["alerts"]
    fits("Alert", pending[0])
    assert {(row["title"], row["status"], row["started"]) for row in pending if row["series"]["service"] == "checkout"} == {
        ("There are errors", "pending", time_text(NOW_US - 60 * SECOND_US))
    }
    assert shop.get("/v1/alerts?severity=info,error") == {"alerts": [], "in_all": 0}
    limited = shop.get("/v1/alerts?rule=errors_high&limit=1")
    assert (len(limited["alerts"]), limited["in_all"]) == (1, 2)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("rule=error_high", "there is no rule 'error_high'; did you mean 'errors_high'?"),
        ("severity=bad", "there is no severity 'bad'; there are critical, error, warning, info"),
        ("status=fire", "there is no status 'fire'; did you mean 'firing'?"),
        ("limit=0", "limit: expected a whole number from 1 to 10000, got '0'"),
    ],
)
def test_a_wrong_question(shop: Served, query: str, says: str) -> None:
    assert problem(shop.ask("GET", f"/v1/alerts?{query}"), 400) == says


def test_history_says_who_was_told_of_what(shop: Served) -> None:
    shop.send("checkout", ago_s=600)
    shop.until(lambda: shop.told() == [("firing", ["checkout"])])
    shop.send("cart", ago_s=60)
    shop.until(lambda: len(shop.told()) == 2)
    found = shop.get("/v1/alerts/history")
    fits("History", found)
    assert [row["series"]["service"] for row in found["alerts"]] == ["cart", "checkout"]
    first, second = found["messages"]
    assert [row["messages"] for row in found["alerts"]] == [[second["number"]], [first["number"], second["number"]]]
    assert (first["status"], first["firing"], second["firing"]) == ("firing", 1, 2)
    (heard,) = first["receivers"]
    assert (heard["receiver"], heard["state"], heard["attempts"], heard["reason"]) == ("hook", "sent", 1, None)
    last = shop.get("/v1/alerts/history?limit=1")
    assert [row["series"]["service"] for row in last["alerts"]] == ["cart"]
    assert last["messages"] == [second]
    assert len(shop.get(f"/v1/alerts/history?to={time_text(NOW_US - 300 * SECOND_US)}")["alerts"]) == 1
    assert shop.get("/v1/alerts/history?rule=errors_there")["alerts"] == []
    assert "did you mean 'errors_high'" in problem(shop.ask("GET", "/v1/alerts/history?rule=errors_hi"), 400)


def test_what_is_silenced_is_not_told_until_the_silence_is_ended(shop: Served) -> None:
    said = shop.post("/v1/silences", rule="errors_high", series={"service": "checkout"}, **{"for": "2h"}, **ANN)
    fits("Word", said)
    assert (said["from"], said["until"]) == (time_text(NOW_US), time_text(NOW_US + 7_200 * SECOND_US))
    assert shop.get("/v1/silences") == {"silences": [said]}
    shop.send("checkout", "cart", ago_s=60)
    shop.until(lambda: shop.told() == [("firing", ["cart"])])
    silence = {"number": said["number"], "author": "Ann", "reason": "a release", "until": said["until"]}
    assert {service: row["silenced_by"] for service, row in shop.firing().items()} == {"checkout": silence, "cart": None}
    assert shop.ask("DELETE", f"/v1/silences/{said['number']}").json()["until"] == time_text(NOW_US)
    shop.until(lambda: shop.told()[1:] == [("firing", ["cart", "checkout"])])
    assert shop.get("/v1/silences") == {"silences": []}
    assert "no number of silences that hold" in problem(shop.ask("DELETE", f"/v1/silences/{said['number']}"), 404)
    assert problem(shop.ask("DELETE", "/v1/silences/x"), 404)


def test_a_silence_that_runs_out_while_it_fires(shop: Served) -> None:
    shop.post("/v1/silences", **{"for": "10s"}, **ANN)  # of all rules
    shop.send("checkout", ago_s=60)
    shop.until(lambda: any(outcome.changed for outcome in shop.outcomes))
    assert shop.firing()["checkout"]["silenced_by"]["author"] == "Ann"
    assert not any(outcome.messages for outcome in shop.outcomes)
    moved(shop, 11)
    shop.until(lambda: shop.told() == [("firing", ["checkout"])])
    assert shop.firing()["checkout"]["silenced_by"] is None


def test_who_looks_after_an_alert_hears_of_no_more_of_it_until_it_is_over(shop: Served) -> None:
    assert "nothing to acknowledge" in problem(shop.ask("POST", "/v1/acknowledgements", json={"rule": "errors_high", **ANN}), 409)
    assert shop.get("/v1/acknowledgements") == {"acknowledgements": []}
    shop.send("checkout", ago_s=3900)
    shop.until(lambda: shop.told() == [("firing", ["checkout"])])
    said = shop.post("/v1/acknowledgements", rule="errors_high", **ANN)
    assert said["until"] == time_text(NOW_US + 86_400 * SECOND_US)
    shop.until(lambda: shop.told() == [("firing", ["checkout"])] * 2)  # now with who looks after it
    shop.send("cart", ago_s=3600)
    shop.until(lambda: len(shop.firing()) == 2)
    assert {row["acknowledged_by"]["author"] for row in shop.firing().values()} == {"Ann"}
    assert shop.told() == [("firing", ["checkout"])] * 2
    moved(shop, 30)  # buckets are over by the clock
    shop.send("late", ago_s=0, errors=1)  # an hour is over, and with it both
    shop.until(lambda: shop.told()[-1][0] == "resolved")
    shop.until(lambda: shop.firing() == {} and shop.get("/v1/acknowledgements") == {"acknowledgements": []})
    assert [row["status"] for row in shop.get("/v1/alerts?status=resolved")["alerts"]] == ["resolved", "resolved"]


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("silences", b"{", "expected"),
        ("silences", b"[]", "expected"),
        ("silences", {"for": "1h", **ANN, "auther": "x"}, "auther"),
        ("silences", {"for": "1h", "author": "Ann"}, "reason: expected why"),
        ("silences", {"for": "1h", "reason": "x", "author": " "}, "author: expected who says so"),
        ("silences", ANN, "a silence has an end"),
        ("silences", {"rule": "errors_hi", "for": "1h", **ANN}, "no alert rule 'errors_hi'; did you mean 'errors_high'?"),
        ("silences", {"series": {"servise": "x"}, "for": "1h", **ANN}, "did you mean 'service'?"),
        ("silences", {"rule": "errors_high", "series": {"x": "y"}, "for": "1h", **ANN}, "errors_high has no dimension 'x'; it has service"),
        ("silences", {"series": {"service": 7}, "for": "1h", **ANN}, "expected"),
        ("acknowledgements", {"for": "1h", **ANN}, "rule: expected"),
        ("acknowledgements", {"rule": "errors_high", "for": "2d", **ANN}, "within 1d"),
    ],
)
def test_what_can_not_be_said(shop: Served, path: str, content: Any, says: str) -> None:
    body = {"content": content} if isinstance(content, bytes) else {"json": content}
    assert says in problem(shop.ask("POST", f"/v1/{path}", **body), 400)
    assert shop.get(f"/v1/{path}") == {path: []}


def test_who_may(tmp_path: Path, receiver: HttpReceiver) -> None:
    tokens = Tokens([Token("reader", frozenset({Scope.READ})), Token("actor", frozenset({Scope.READ, Scope.ACT})), Token("all")])
    with served(tmp_path, receiver, tokens=tokens) as shop:

        def post(token: str | None, **headers: str) -> httpx.Response:
            given = headers if token is None else {"Authorization": f"Bearer {token}", **headers}
            return shop.ask("POST", "/v1/silences", json={"for": "1h", **ANN}, headers=given)

        problem(post(None), 401)
        assert "needs act" in problem(post("reader"), 403)
        assert "another origin" in problem(post("actor", Origin="http://evil.example"), 403)
        assert post("actor").status_code == post("all").status_code == 201
        reader = {"Authorization": "Bearer reader"}
        (first, _) = shop.ask("GET", "/v1/silences", headers=reader).json()["silences"]
        problem(shop.ask("DELETE", f"/v1/silences/{first['number']}", headers=reader), 403)
        elsewhere = {"Authorization": "Bearer actor", "Origin": "null"}
        problem(shop.ask("DELETE", f"/v1/silences/{first['number']}", headers=elsewhere), 403)
        assert len(shop.ask("GET", "/v1/silences", headers=reader).json()["silences"]) == 2


@pytest.mark.parametrize("rule", ["", "errors_high: {{ when: errors > 1, notify: [hook] }}"])
def test_an_alert_of_a_rule_that_is_gone_is_shown_as_it_was_told(tmp_path: Path, receiver: HttpReceiver, rule: str) -> None:
    """Or that means something else now."""
    with served(tmp_path, receiver) as shop:
        shop.send("checkout", ago_s=60)
        shop.until(lambda: shop.told() == [("firing", ["checkout"])])
    (line,) = [line for line in FILE.splitlines() if "errors_high" in line]
    without = FILE.replace(line, f"  {rule}")
    with served(tmp_path, receiver, file=without) as shop:
        shop.until(lambda: shop.told()[1:] == [("resolved", ["checkout"])])
        (row,) = shop.get("/v1/alerts?rule=errors_high&status=resolved")["alerts"]
        fits("Alert", row)
        assert (row["severity"], row["series"], row["status"]) == ("critical", {"service": "checkout"}, "resolved")
        assert row["summary"] == "errors_high: errors = 2 (> 1), service = checkout"


def test_what_is_measured(shop: Served) -> None:
    shop.send("checkout", ago_s=60)
    shop.until(lambda: shop.told() == [("firing", ["checkout"])])
    text = shop.ask("GET", "/metrics").text
    for line in (
        'livekpi_alerts{rule="errors_high",severity="critical",state="firing"} 1.0',
        'livekpi_alerts{rule="errors_high",severity="critical",state="pending"} 0.0',
        'livekpi_alerts{rule="errors_there",severity="warning",state="firing"} 0.0',
        'livekpi_alert_firing{rule="errors_high",series="service = checkout",severity="critical"} 1.0',
    ):
        assert f"\n{line}\n" in text
    assert 'livekpi_outbox_waiting{receiver="hook"}' in text
    assert 'livekpi_judgement_seconds_bucket{le="+Inf"}' in text


def test_trouble_with_judging_is_told_and_judging_goes_on(shop: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError("the disk is full")

    assert shop.ask("GET", "/readyz").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "progress", full)
        patch.setattr(ledger, "save_progress", full)
        shop.send("checkout", ago_s=60)
        while shop.alerting.watch.problem is None:
            shop.ask("GET", "/healthz")  # each takes a moment
        document = shop.ask("GET", "/readyz").json()
        assert document["not_ready"] == {"alerts": "they can't be judged now: the disk is full"}
        assert shop.ask("GET", "/healthz").status_code == 200
    shop.until(lambda: shop.told() == [("firing", ["checkout"])])
    assert shop.ask("GET", "/readyz").status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_in_judging_needs_a_restart(shop: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*_arguments: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(ledger, "save_progress", mistaken)
    shop.send("checkout", ago_s=60)
    while shop.alerting.failure() is None:
        shop.ask("GET", "/v1/sources")  # each takes a moment
    assert "no longer judged" in problem(shop.ask("GET", "/healthz"), 503)
    assert "no longer judged" in shop.ask("GET", "/readyz").json()["not_ready"]["alerts"]


def test_a_silence_outlives_a_kill(tmp_path: Path, receiver: HttpReceiver) -> None:
    command = [sys.executable, "-m", "tests.web.alerting_world", str(tmp_path), receiver.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            said = httpx.post(f"http://{address}/v1/silences", json={"rule": "errors_high", "for": "1d", **ANN}, timeout=30).json()
            now_us = int(datetime.fromisoformat(said["from"]).timestamp()) * SECOND_US
            send(address, now_us, ["checkout"], 60, 2)
            url = f"http://{address}/v1/alerts?rule=errors_high"
            while not httpx.get(url, timeout=30).json()["alerts"]:
                pass  # each takes a moment; it is another process
        finally:
            process.kill()
    with served(tmp_path, receiver, clock=ManualClock(now_us + 60 * SECOND_US)) as shop:
        assert shop.get("/v1/silences") == {"silences": [said]}
        assert shop.firing()["checkout"]["silenced_by"]["number"] == said["number"]
        assert shop.told() == []
        shop.ask("DELETE", f"/v1/silences/{said['number']}")
        shop.until(lambda: shop.told() == [("firing", ["checkout"])])
