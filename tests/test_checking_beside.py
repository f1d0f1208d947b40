"""`livekpi check FILE --data DIR` says the same beside the server that has the data as without one."""

import io
import json
import os
import shutil
from pathlib import Path

import pytest

from livekpi.ask import ask
from livekpi.backtesting import show
from livekpi.checking import check
from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.moments import time_text
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import DAY_US, HOUR_US, NOON_US, send
from tests.serving import running

END_US = NOON_US + 2 * HOUR_US
FILE = """
sources:
  s: { http: {}, time: ts, late: "${LATE:-1h}", fields: { ts: timestamp, shop: string, amount: number } }
kpis:
  revenue: { value: "sum(amount) filter (where shop = '${SHOP}')", every: 1h }
  orders: { value: count(*), every: 1h }
notify:
  hook: { webhook: { url: "${HOOK}" } }
alerts:
  high: { when: revenue > 5, notify: [hook] }
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A definition whose variables are set, with two days of an order an hour at two shops as its data."""
    for name, value in {"SHOP": "b", "HOOK": "https://example.com/secret"}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "shop.yaml"
    path.write_text(FILE, encoding="utf-8")
    server = Rehearsal(tmp_path / "made", ManualClock(NOON_US), load(path, os.environ))
    for time_us in range(NOON_US - 2 * DAY_US, NOON_US, HOUR_US):
        send(server, *({"ts": time_text(time_us), "shop": shop, "amount": amount} for shop, amount in (("a", 7), ("b", 2))))
    server.advance(END_US)
    server.close()
    shutil.move(tmp_path / "made" / "0", tmp_path / ".livekpi")
    return path


def found(file: Path) -> list[str]:
    return [str(problem).removeprefix(f"{file}:") for problem in check(file, file.parent / ".livekpi")]


def defined(file: Path) -> Definition:
    return load(file, os.environ)


CHANGES = {
    "nothing": ("", ""),
    "an expression": ("count(*)", "count(distinct shop)"),
    "one more": ("  orders:", "  mean: { value: avg(amount), every: 1h }\n  orders:"),
    "a rule that nearly always holds": ("revenue > 5", "revenue > 1"),
    "a variable's default": ("${LATE:-1h}", "${LATE:-2h}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_says_the_same_beside_the_server(change: str, file: Path) -> None:
    ran = defined(file)
    file.write_text(FILE.replace(*CHANGES[change]), encoding="utf-8")
    alone = found(file)
    with running(ran, file.parent / ".livekpi", ManualClock(END_US)):
        assert found(file) == alone
    assert ("high: its condition never held in the " in str(alone)) == (change != "a rule that nearly always holds")


def test_another_value_of_a_variable_is_another_number(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = defined(file)
    with running(ran, file.parent / ".livekpi", ManualClock(END_US)):
        assert not any("another meaning" in each for each in found(file))
        monkeypatch.setenv("SHOP", "a")
        assert any("revenue has another meaning than what is stored: its numbers are dropped" in each for each in found(file))


def test_mistakes_need_no_server(file: Path) -> None:
    file.write_text(FILE.replace("sum(amount)", "sum(amuont)"), encoding="utf-8")
    assert any("amuont" in each for each in found(file))


@pytest.mark.parametrize("set_", [True, False])
def test_what_is_stored_is_asked_without_the_variables_it_was_run_with(file: Path, monkeypatch: pytest.MonkeyPatch, *, set_: bool) -> None:
    if not set_:
        for name in ("SHOP", "HOOK"):
            monkeypatch.delenv(name)
    (point,) = ask(file.parent / ".livekpi", {"kpi": "revenue", "step": "all"}, END_US).points
    assert point.value == 2 * 48


def test_a_secret_is_not_stored(file: Path) -> None:
    held = b"".join(path.read_bytes() for path in (file.parent / ".livekpi").rglob("*") if path.is_file())
    assert b"variables" in held
    assert b"example.com/secret" not in held


def test_a_backtest_beside_the_server_has_the_file_s_variables(file: Path) -> None:
    with running(defined(file), file.parent / ".livekpi", ManualClock(END_US)):
        alerts = {}
        for threshold in (1, 5):
            file.write_text(FILE.replace("> 5", f"> {threshold}"), encoding="utf-8")
            out = io.StringIO()
            show(file, None, None, None, {}, (), "json", ManualClock(END_US), out)
            alerts[threshold] = [len(rule["alerts"]) for rule in json.loads(out.getvalue())["rules"]]
    assert alerts == {1: [1], 5: [0]}
