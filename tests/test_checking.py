"""`livekpi check FILE --data DIR`: what history says against a file's rules, at the place of their conditions."""

from pathlib import Path

import pytest

from livekpi.checking import check
from livekpi.clock import ManualClock
from livekpi.definition.load import load
from livekpi.moments import time_text
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import DAY_US, HOUR_US, NOON_US, at, send

BEGIN_US = NOON_US - 2 * DAY_US
HEAD = """
sources:
  s: { http: {}, time: ts, late: 1h, idle: 10m, fields: { ts: timestamp, shop: string, amount: number } }
kpis:
  orders: { value: count(*), every: 1h, by: [shop] }
  revenue: { value: sum(amount), every: 1h, by: [shop] }
notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
alerts:
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of an order an hour at two shops, at `b` of 2, at `a` of 10, but for 17 in one hour."""
    directory = tmp_path_factory.mktemp("data")
    file = directory / "before.yaml"
    file.write_text(f"{HEAD}  any: {{ when: orders > 5, notify: [am] }}\n", encoding="utf-8")
    server = Rehearsal(directory, ManualClock(NOON_US), load(file, {}))
    best_us = at("2026-02-28T05:00:00")
    events = [
        {"ts": time_text(time_us), "shop": shop, "amount": 17 if (shop, time_us) == ("a", best_us) else amount}
        for time_us in range(BEGIN_US, NOON_US, HOUR_US)
        for shop, amount in (("a", 10), ("b", 2))
    ]
    send(server, *events)
    server.advance(NOON_US + 2 * HOUR_US)
    server.close()
    return directory / "0"


def warnings(data: Path | None, directory: Path, *rules: str) -> list[str]:
    """Without the file's name, which stands first."""
    file = directory / "kpis.yaml"
    file.write_text(HEAD + "".join(f"  {rule}\n" for rule in rules), encoding="utf-8")
    return [str(problem).removeprefix(f"{file}:") for problem in check(file, data)]


def test_a_threshold_that_history_never_reached_is_warned_of(data: Path, tmp_path: Path) -> None:
    found = warnings(data, tmp_path, "high: { when: revenue > 20, by: [shop], notify: [am] }")
    assert found == [
        "10:17: warning: high: its condition never held in the 50 buckets of 1h from 2026-02-27T12:00:00Z to 2026-03-01T14:00:00Z; "
        "nearest to it came 17 > 20, at 2026-02-28T05:00:00Z, shop = a; "
        "if it should have, move its threshold, and try it with `livekpi backtest --rule high`"
    ]


def test_a_rule_that_would_nearly_always_fire_is_warned_of(data: Path, tmp_path: Path) -> None:
    found = warnings(data, tmp_path, "low:", "    notify: [am]", "    when: revenue < 15", "    by: [shop]")
    assert found == [
        "12:13: warning: low: its condition held 99 % of the time in the 50 buckets of 1h from 2026-02-27T12:00:00Z to "
        "2026-03-01T14:00:00Z: it would be firing nearly always; move its threshold, or say with `only` when it matters"
    ]


@pytest.mark.parametrize(
    ("condition", "more"),
    [
        ("revenue > 16", "by: [shop], "),
        ("revenue < 10", "by: [shop], "),  # half of the series, all the time
        ("absent(orders, 2h)", "by: [shop], "),
        ("orders < 9 and absent(revenue, 2h)", ""),
    ],
)
def test_of_others_there_is_no_warning(data: Path, tmp_path: Path, condition: str, more: str) -> None:
    assert warnings(data, tmp_path, f'rule: {{ when: "{condition}", {more}notify: [am] }}') == []


def test_what_numbers_never_did_is_said_of_any_condition_on_them(data: Path, tmp_path: Path) -> None:
    found = warnings(data, tmp_path, "both: { when: revenue > 16 and orders > 3, by: [shop], notify: [am] }")
    assert len(found) == 1
    assert "both: its condition never held in the 50 buckets" in found[0]
    assert "nearest" not in found[0]


def test_what_nothing_is_known_of_is_not_doubted(data: Path, tmp_path: Path) -> None:
    """No bands were learned, and `ago` looks to before the beginning."""
    rules = ["odd: { when: anomalous(revenue), notify: [am] }", 'less: { when: "revenue < ago(revenue, 1w)", notify: [am] }']
    assert warnings(data, tmp_path, *rules) == []


def test_too_short_a_history_says_nothing(data: Path, tmp_path: Path) -> None:
    """Within its calendar the rule could be judged for 20 hours, or for 24."""
    texts = [f'high: {{ when: revenue > 20, only: {{ hours: "00:00-{end}" }}, notify: [am] }}' for end in ("10:00", "12:00")]
    assert [len(warnings(data, tmp_path, text)) for text in texts] == [0, 1]


def test_what_the_store_does_not_hold_is_said_once(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "kpis.yaml"
    changed = HEAD.replace("sum(amount)", "sum(2 * amount)")
    file.write_text(f"{changed}  high: {{ when: revenue > 20, notify: [am] }}\n", encoding="utf-8")
    (found,) = check(file, data)
    assert "revenue has another meaning" in found.message


def test_without_data_nothing_is_compared(tmp_path: Path) -> None:
    assert warnings(None, tmp_path, "high: { when: revenue > 20, notify: [am] }") == []
