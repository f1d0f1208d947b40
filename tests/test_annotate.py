"""`livekpi annotate`, beside a server and without one."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from livekpi import cli
from livekpi.clock import SystemClock
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import served

pytestmark = pytest.mark.timeout(120)


def invoke(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli.main, ("annotate", *arguments), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def rows(*arguments: str) -> list[Any]:
    return [json.loads(line) for line in invoke(*arguments, "--format", "json").stdout.splitlines()]


def add_and_delete(data: str) -> None:
    assert invoke("--list", "--data", data).stdout == "none\n"
    times = ("--at", "2026-03-01T11:00:00Z", "--end", "2026-03-01T11:30:00Z")
    rest = ("--kind", "deploy", "--kpi", "errors", "--link", "https://example.com/42", "--author", "Ann")
    (made,) = rows("shop [red] 4.2", *times, *rest, "--data", data)
    assert made == {
        "number": made["number"],
        "time": "2026-03-01T11:00:00Z",
        "end": "2026-03-01T11:30:00Z",
        "text": "shop [red] 4.2",
        "kind": "deploy",
        "kpis": ["errors"],
        "author": "Ann",
        "link": "https://example.com/42",
    }
    (plain,) = rows("sale", "--data", data)
    assert (plain["kind"], plain["kpis"], plain["end"]) == ("note", [], None)
    assert plain["author"]
    assert rows("--list", "--data", data) == [made, plain]
    listed = invoke("--list", "--data", data).stdout
    assert all(text in listed for text in ("shop [red] 4.2", "deploy", "errors", "all", "Ann"))
    for each in (made, plain):
        assert invoke("--delete", str(each["number"]), "--data", data).stdout == f"{each['number']} is deleted\n"
    assert "is no number of an annotation" in invoke("--delete", str(made["number"]), "--data", data, code=1).stderr
    assert "did you mean 'errors'" in invoke("sale", "--kpi", "error", "--data", data, code=1).stderr
    for wrong in ((), ("sale", "--list"), ("--list", "--delete", "1")):
        assert "expected one of TEXT, --list and --delete" in invoke(*wrong, "--data", data, code=2).stderr


def test_beside_a_server_and_without_one(tmp_path: Path, receiver: HttpReceiver) -> None:
    with served(tmp_path, receiver, clock=SystemClock()) as shop:
        add_and_delete(str(shop.data))
        rows("stays", "--data", str(shop.data))
    assert [row["text"] for row in rows("--list", "--data", str(shop.data))] == ["stays"]
    (number,) = (str(row["number"]) for row in rows("--list", "--data", str(shop.data)))
    invoke("--delete", number, "--data", str(shop.data))
    add_and_delete(str(shop.data))


def test_where_nothing_has_run_yet_it_says_so(tmp_path: Path) -> None:
    assert "there is no livekpi data in" in invoke("sale", "--data", str(tmp_path / "none"), code=1).stderr
