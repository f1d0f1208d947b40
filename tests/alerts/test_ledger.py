"""What is written of alerts is what is read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from livekpi.alerts import ledger
from livekpi.alerts.judging.machine import State
from livekpi.alerts.ledger import Alert, Progress
from livekpi.clock import SystemClock
from livekpi.store.database import Store
from tests.alerts.made import NOW_US, message

ALERT = Alert("k", "errors", "m", '["a"]', NOW_US, None, None, "", 0.5, NOW_US, None)
PENDING = State(NOW_US, "pending", NOW_US - 1, None, NOW_US)
FIRING = State(NOW_US + 5, "firing", NOW_US + 5, NOW_US + 5, NOW_US)


@pytest.fixture
def cursor(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    store = Store.open(tmp_path, SystemClock())
    try:
        with store.beside() as opened:
            yield opened
    finally:
        store.close()


def test_progress_replaces_what_was_known_of_a_rule(cursor: duckdb.DuckDBPyConnection) -> None:
    first, second = Progress("d", 3, 2, 2), Progress("d", 4, 3, 3)
    ledger.save_progress(cursor, {"a": first, "b": first})
    ledger.save_progress(cursor, {"a": second})
    ledger.save_progress(cursor, {})
    assert ledger.progress(cursor) == {"a": second, "b": first}


def test_states_are_taken_back_by_rule_and_time(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_states(cursor, [(rule, '["a"]', state) for rule in ("x", "y", "z") for state in (PENDING, FIRING)])
    assert ledger.states(cursor, "x") == {'["a"]': FIRING}
    assert ledger.states(cursor, "x", NOW_US) == {'["a"]': PENDING}
    ledger.forget_states(cursor, {"x": NOW_US, "y": NOW_US - 1})
    ledger.forget_states(cursor, {})
    assert [ledger.states(cursor, rule) for rule in ("x", "y", "z")] == [{'["a"]': PENDING}, {}, {'["a"]': FIRING}]


def test_alerts_are_replaced_and_dropped_by_their_keys(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_alerts(cursor, [ALERT, replace(ALERT, key="l"), replace(ALERT, key="n", series='["b"]')])
    ledger.save_alerts(cursor, [replace(ALERT, ends_us=NOW_US + 1)], ["l"])
    assert ledger.alerts(cursor) == [replace(ALERT, ends_us=NOW_US + 1), replace(ALERT, key="n", series='["b"]')]
    assert ledger.taken(cursor, ["k", "l", "m"]) == {"k"}
    assert ledger.taken(cursor, []) == set()


def test_what_was_told_last_stands(cursor: duckdb.DuckDBPyConnection) -> None:
    others = [replace(ALERT, key=key, series=f'["{key}"]') for key in ("o", "p")]
    ledger.save_alerts(cursor, [ALERT, *others])
    said = [("o", "resolved"), ("k", "firing"), ("k", "resolved"), ("p", "firing")]
    by_key = {alert.key: alert for alert in (ALERT, *others)}
    ledger.save_told(cursor, [replace(by_key[key], told=told) for key, told in said])  # type: ignore[arg-type] # a literal's text
    assert {alert.key: alert.told for alert in ledger.alerts(cursor)} == {"k": "resolved", "o": "resolved", "p": "firing"}


def test_messages_wait_for_each_receiver_in_their_order(cursor: duckdb.DuckDBPyConnection) -> None:
    assert ledger.next_numbers(cursor, 0) == []
    first, second = ledger.next_numbers(cursor, 2)
    assert first < second < ledger.next_numbers(cursor, 1)[0]
    told = [message(number=second), message(number=first)]
    ledger.save_messages(cursor, [(told[0], ["am", "pager"]), (told[1], ["am"])])
    ledger.save_messages(cursor, [])
    assert ledger.messages(cursor, "am") == [told[1], told[0]]
    assert ledger.outbox_waiting(cursor) == {"am": 2, "pager": 1}
    assert ledger.last_message(cursor, told[0].rule) in [(told[0], ["am", "pager"]), (told[0], ["pager", "am"])]
