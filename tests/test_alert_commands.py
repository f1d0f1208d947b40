"""The commands on alerts, beside the real server and without one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from livekpi import cli
from livekpi.clock import SystemClock
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.web.alerting_world import Served, served

pytestmark = pytest.mark.timeout(120)

NOTIFY = """
sources: {{ app: {{ http: {{}}, time: ts, fields: {{ ts: timestamp }} }} }}
kpis: {{ events: {{ value: count(*), every: 1m }} }}
notify: {{ hook: {{ webhook: {{ url: "{url}", allow_private: {private} }} }}, alive: {{ alive: {{ url: "{url}/beat" }} }} }}
"""


@pytest.fixture
def shop(tmp_path: Path, receiver: HttpReceiver) -> Iterator[Served]:
    with served(tmp_path, receiver, clock=SystemClock()) as shop:
        yield shop


def invoke(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli.main, arguments, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def rows(*arguments: str) -> list[Any]:
    return [json.loads(line) for line in invoke(*arguments, "--format", "json").stdout.splitlines()]


def fire(shop: Served) -> None:
    shop.send("checkout", ago_s=60)
    shop.until(lambda: shop.told() == [("firing", ["checkout"])])


def test_the_same_is_listed_with_and_without_a_server(tmp_path: Path, receiver: HttpReceiver) -> None:
    with served(tmp_path, receiver, clock=SystemClock()) as shop:
        data = str(shop.data)
        assert invoke("alerts", "--data", data).stdout == "nothing fires\n"
        fire(shop)
        alerts, (history,) = rows("alerts", "--data", data), rows("alerts", "--history", "--data", data)
        assert [(row["rule"], row["status"], row["series"]) for row in alerts if row["rule"] == "errors_high"] == [
            ("errors_high", "firing", {"service": "checkout"})
        ]
        table = invoke("alerts", "--data", data, "--rule", "errors_high").stdout
        assert all(text in table for text in ("firing", "critical", "errors_high", "service = checkout", alerts[0]["started"]))
        assert "firing (hook sent)" in invoke("alerts", "--history", "--data", data).stdout
    assert rows("alerts", "--data", data) == alerts
    assert rows("alerts", "--history", "--data", data) == [history]
    assert invoke("alerts", "--data", data, "--status", "resolved").stdout == "none\n"
    assert "did you mean 'errors_high'" in invoke("alerts", "--data", data, "--rule", "errors_hig", code=1).stderr
    assert "from: 'x' is no time" in invoke("alerts", "--data", data, "--history", "--from", "x", code=1).stderr
    assert "--status is not for --history" in invoke("alerts", "--data", data, "--history", "--status", "firing", code=2).stderr
    assert "--to is for --history" in invoke("alerts", "--data", data, "--to", "now", code=2).stderr


def say_and_end(shop_data: str) -> None:
    words = ("--reason", "a [red] release", "--author", "Ann", "--data", shop_data)
    (said,) = rows("silence", "errors_high", "--series", "service=checkout", "--for", "2h", *words)
    assert (said["rule"], said["series"], said["author"], said["reason"]) == (
        "errors_high",
        {"service": "checkout"},
        "Ann",
        "a [red] release",
    )
    (everything,) = rows("silence", "--all", "--for", "1h", *words)
    assert (everything["rule"], everything["series"]) == (None, {})
    assert rows("silence", "--list", "--data", shop_data) == [said, everything]
    listed = invoke("silence", "--list", "--data", shop_data).stdout
    assert "a [red] release" in listed
    assert "all rules" in listed
    for each in (said, everything):
        assert invoke("silence", "--end", str(each["number"]), "--data", shop_data).stdout == f"{each['number']} has ended\n"
    assert "no number of silences that hold" in invoke("silence", "--end", str(said["number"]), "--data", shop_data, code=1).stderr
    assert invoke("silence", "--list", "--data", shop_data).stdout == "none\n"
    assert "did you mean 'errors_high'" in invoke("silence", "errors_hig", "--for", "2h", *words, code=1).stderr
    assert "reason: expected why" in invoke("silence", "errors_high", "--for", "2h", "--data", shop_data, code=1).stderr
    assert "DIMENSION=VALUE" in invoke("silence", "errors_high", "--series", "checkout", "--for", "2h", *words, code=1).stderr
    assert "expected one of RULE" in invoke("silence", "--data", shop_data, code=2).stderr
    assert "expected one of RULE" in invoke("acknowledge", "errors_high", "--list", "--data", shop_data, code=2).stderr


def test_silences_beside_a_server(shop: Served) -> None:
    say_and_end(str(shop.data))


def test_silences_without_a_server(tmp_path: Path, receiver: HttpReceiver) -> None:
    with served(tmp_path, receiver, clock=SystemClock()) as shop:
        data = str(shop.data)
    say_and_end(data)
    invoke("silence", "errors_high", "--for", "2h", "--reason", "x", "--author", "Ann", "--data", data)
    with served(tmp_path, receiver, clock=SystemClock()) as shop:
        shop.send("checkout", ago_s=60)
        shop.until(lambda: any(outcome.changed for outcome in shop.outcomes))
        assert shop.firing()["checkout"]["silenced_by"]["author"] == "Ann"
        assert shop.told() == []


def test_acknowledgements_with_and_without_a_server(tmp_path: Path, receiver: HttpReceiver) -> None:
    with served(tmp_path, receiver, clock=SystemClock()) as shop:
        data = str(shop.data)
        words = ("acknowledge", "errors_high", "--reason", "on it", "--author", "Ann", "--data", data)
        assert "nothing to acknowledge" in invoke(*words, code=1).stderr
        fire(shop)
        (said,) = rows(*words)
        assert shop.firing()["checkout"]["acknowledged_by"]["number"] == said["number"]
        assert rows("acknowledge", "--list", "--data", data) == [said]
        invoke("acknowledge", "--end", str(said["number"]), "--data", data)
        assert rows("acknowledge", "--list", "--data", data) == []
    (again,) = rows(*words)
    assert rows("acknowledge", "--list", "--data", data) == [again]
    assert "no alert rule" in invoke("acknowledge", "x", "--reason", "on it", "--data", data, code=1).stderr
    elsewhere = invoke("acknowledge", "errors_high", "--series", "service=cart", "--reason", "on it", "--data", data, code=1)
    assert "nothing to acknowledge" in elsewhere.stderr


def notify_file(directory: Path, receiver: HttpReceiver, private: str = "true") -> str:
    file = directory / "notify.yaml"
    file.write_text(NOTIFY.format(url=receiver.url, private=private))
    return str(file)


def test_a_test_alert_is_told_and_marked(tmp_path: Path, receiver: HttpReceiver) -> None:
    file = notify_file(tmp_path, receiver)
    for _ in range(2):
        assert invoke("notify", "--test", "hook", file).stdout == "hook: sent\n"
    assert invoke("notify", "--test", "hook", "--resolve", file).stdout == "hook: sent\n"
    first, second, over = [request.json["messages"][0] for request in receiver.requests]
    assert first["status"] == "firing"
    assert first["alerts"][0]["summary"].startswith("TEST: ")
    assert first["alerts"][0]["severity"] == "info"
    assert (first["key"], over["status"]) == (second["key"], "resolved")
    assert over["alerts"][0]["key"] == first["alerts"][0]["key"]
    assert len({request.headers["Idempotency-Key"] for request in receiver.requests}) == 3
    assert invoke("notify", "--test", "alive", file).stdout == "alive: sent\n"
    assert receiver.requests[-1].path == "/beat"


def test_a_receiver_that_does_not_take_it(tmp_path: Path, receiver: HttpReceiver) -> None:
    file = notify_file(tmp_path, receiver)
    receiver.answers += [Answer(503, body=b"later"), Answer(404, body=b"nobody here")]
    assert "hook: not taken now: 127.0.0.1 answered 503: later" in invoke("notify", "--test", "hook", file, code=1).stdout
    assert "hook: refused: 127.0.0.1 answered 404: nobody here" in invoke("notify", "--test", "hook", file, code=1).stdout
    assert "no notifier 'hok'; did you mean 'hook'?" in invoke("notify", "--test", "hok", file, code=1).stderr
    refused = invoke("notify", "--test", "hook", notify_file(tmp_path, receiver, "false"), code=1).stdout
    assert "hook: refused: 127.0.0.1 is at 127.0.0.1, a private address" in refused
