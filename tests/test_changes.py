"""A changed file on stored numbers: `check --data` says beforehand what `run` does, and `run` logs it."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from livekpi.checking import check
from livekpi.clock import ManualClock
from livekpi.definition.load import load
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import HOUR_US, NOON_US, at, points, send

SOURCES = """
sources:
  s: { http: {}, time: ts, late: 1h, fields: { ts: timestamp, shop: string, amount: number } }
  other: { http: {}, time: ts, fields: { ts: timestamp } }
kpis:
"""
BEFORE = {
    "orders": "value: count(*), source: s, every: 1h",
    "revenue": "value: sum(amount), every: 1h",
    "mean": "value: avg(amount), every: 1h",
}
AFTER_LAST = "it begins at 2026-03-01T13:00:00Z, after the last event that was read: older ones it never shows"
CHANGES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "a new name": ({"revenue": "", "turnover": BEFORE["revenue"]}, {}),
    "made of what is stored": ({"per_order": "value: sum(amount) / count(*), every: 1h"}, {}),
    "a new one": ({"most": "value: max(amount), every: 1h"}, {"most": f"is new: {AFTER_LAST}"}),
    "a new one where nothing came yet": ({"others": "value: count(*), source: other, every: 1h"}, {}),
    "one less, whose numbers another needs": ({"revenue": ""}, {}),
    "one less": ({"orders": ""}, {"orders": "is no longer defined: its numbers are dropped"}),
    "another bucket": (
        {"orders": "value: count(*), source: s, every: 1m"},
        {"orders": "has another meaning than what is stored: its numbers are dropped, and it begins at 2026-03-01T12:31:00Z, "
         "after the last event that was read: older ones it never shows"},
    ),
    "another expression, the former still needed": (
        {"revenue": "value: sum(2 * amount), every: 1h"},
        {"revenue": f"has another meaning than what is stored: {AFTER_LAST}"},
    ),
    "less than before": (
        {"mean": "value: sum(amount), every: 1h"},
        {"mean": "has another meaning than what is stored: what it needs no longer is dropped"},
    ),
}  # fmt: skip


def write(file: Path, changed: dict[str, str]) -> Path:
    kpis = {name: text for name, text in (BEFORE | changed).items() if text}
    file.write_text(SOURCES + "".join(f"  {name}: {{ {text} }}\n" for name, text in kpis.items()), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_does_is_said_before_and_when_it_is_done(name: str, tmp_path: Path) -> None:
    changed, expected = CHANGES[name]
    (tmp_path / "data").mkdir()
    with capture_logs() as logs:
        server = Rehearsal(tmp_path / "data", ManualClock(NOON_US + HOUR_US), load(write(tmp_path / "kpis.yaml", {}), {}))
    send(server, {"ts": "2026-03-01T12:30:30Z", "shop": "a", "amount": 7})
    server.close()
    assert [log for log in logs if "kpi" in log] == [], "all is new where nothing was"
    file = write(tmp_path / "kpis.yaml", changed)
    assert [problem.message for problem in check(file, tmp_path / "data" / "0")] == [f"{kpi} {text}" for kpi, text in expected.items()]
    with capture_logs() as logs:
        server = Rehearsal(tmp_path / "data", ManualClock(NOON_US + HOUR_US), load(file, {}))
    said = {log["kpi"]: (log["effect"], log["log_level"]) for log in logs if "kpi" in log}
    assert said == {kpi: (text, "warning" if "drop" in text else "info") for kpi, text in expected.items()}
    server.close()


def test_what_is_said_of_older_events_is_so(tmp_path: Path) -> None:
    server = Rehearsal(tmp_path, ManualClock(NOON_US + HOUR_US), load(write(tmp_path / "kpis.yaml", {}), {}))
    send(server, {"ts": "2026-03-01T12:30:30Z", "shop": "a", "amount": 7})
    server.redefine(load(write(tmp_path / "kpis.yaml", {"orders": "value: count(*), source: s, every: 1m"}), {}))
    times = ("12:20:00", "12:30:40", "12:31:00", "12:40:00")
    send(server, *({"ts": f"2026-03-01T{time}Z", "shop": "a", "amount": 1} for time in times))
    found = {point.time_us: point.value for point in points(server, "orders", step="1m") if point.value}
    assert found == {at("12:31:00"): 1, at("12:40:00"): 1}
    server.close()
