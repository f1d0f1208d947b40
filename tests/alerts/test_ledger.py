"""What is written of alerts is what is read."""

from dataclasses import replace

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.judging.machine import State
from livekpi.alerts.ledger import Alert, Progress
from tests.alerts.made import NOW_US, message, notice

ALERT = Alert("k", "errors", "m", '["a"]', NOW_US, None, None, "", 0.5, NOW_US, None)
PENDING = State(NOW_US, "pending", NOW_US - 1, None, NOW_US)
FIRING = State(NOW_US + 5, "firing", NOW_US + 5, NOW_US + 5, NOW_US)


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


def test_messages_wait_for_each_receiver_in_their_order(cursor: duckdb.DuckDBPyConnection) -> None:
    assert ledger.next_numbers(cursor, 0) == []
    first, second = ledger.next_numbers(cursor, 2)
    assert first < second < ledger.next_numbers(cursor, 1)[0]
    told = [message(number=second), message(number=first)]
    ledger.save_messages(cursor, [(told[0], ["am", "pager"]), (told[1], ["am"])])
    ledger.save_messages(cursor, [])
    assert ledger.messages(cursor, "am") == [told[1], told[0]]
    assert ledger.outbox_waiting(cursor) == {"am": 2, "pager": 1}


def test_what_was_told_last_of_an_alert(cursor: duckdb.DuckDBPyConnection) -> None:
    first, second = message(notice(key="a"), notice(key="b"), number=1), message(notice(key="a", summary="later"), number=2)
    ledger.save_messages(cursor, [(first, []), (second, []), (message(notice(key="c", rule="other"), number=3), [])])
    assert ledger.last_notices(cursor, first.rule, ["a", "b", "c"]) == {"a": second.notices[0], "b": first.notices[1]}
    assert ledger.last_notices(cursor, first.rule, []) == {}


def test_who_was_told_and_of_which_acknowledgement(cursor: duckdb.DuckDBPyConnection) -> None:
    heard = replace(ALERT, told="firing", told_to=("am", "pager"), incident="livekpi/shop/errors", acknowledgement=7)
    ledger.save_alerts(cursor, [heard, replace(ALERT, key="l")])
    assert {alert.key: alert for alert in ledger.alerts(cursor)} == {"k": heard, "l": replace(ALERT, key="l")}


def test_states_that_a_correction_may_lead_back_to_are_kept(cursor: duckdb.DuckDBPyConnection) -> None:
    over = State(NOW_US + 9, "inactive", NOW_US + 9, None, NOW_US + 9)
    ledger.save_states(cursor, [("x", series, state) for series in ('["a"]', '["b"]') for state in (PENDING, FIRING)])
    ledger.save_states(cursor, [("x", '["b"]', over), ("y", '["a"]', PENDING), ("y", '["a"]', FIRING)])
    ledger.prune_states(cursor, {"x": NOW_US + 9})
    assert ledger.states(cursor, "x") == {'["a"]': FIRING}, "the last is kept, unless it says nothing"
    assert ledger.states(cursor, "x", NOW_US) == {}
    assert ledger.states(cursor, "y", NOW_US) == {'["a"]': PENDING}
    ledger.prune_states(cursor, {"y": NOW_US + 4, "z": NOW_US + 9})
    ledger.prune_states(cursor, {})
    assert ledger.states(cursor, "y", NOW_US) == {'["a"]': PENDING}, "one may still be led back to before the firing"


def test_what_was_told_long_ago_is_forgotten_and_what_waits_is_not(cursor: duckdb.DuckDBPyConnection) -> None:
    old = [
        replace(ALERT, key=key, series=f'["{key}"]', ended_at_us=ended) for key, ended in (("o", NOW_US - 1), ("p", NOW_US), ("q", None))
    ]
    ledger.save_alerts(cursor, old)
    ledger.save_messages(cursor, [(message(number=number, at_us=NOW_US - 2), ["am"]) for number in (1, 2, 3)])
    cursor.execute("UPDATE outbox SET state = 'sent', at_us = ? WHERE number = 1", [NOW_US - 1])
    cursor.execute("UPDATE outbox SET state = 'given_up', at_us = ? WHERE number = 2", [NOW_US])
    ledger.prune_told(cursor, NOW_US)
    assert [alert.key for alert in ledger.alerts(cursor)] == ["p", "q"]
    assert [each.number for each in ledger.messages(cursor, "am")] == [2, 3]
    assert ledger.outbox_waiting(cursor) == {"am": 1}


def test_the_last_message_about_a_rule_is_kept_for_what_it_has_to_end(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_messages(cursor, [(message(number=number, at_us=NOW_US - 2), ["am"]) for number in (1, 2)])
    cursor.execute("UPDATE outbox SET state = 'sent', at_us = ?", [NOW_US - 1])
    ledger.prune_told(cursor, NOW_US)
    assert cursor.execute("SELECT number FROM messages").fetchall() == [(2,)]
    assert ledger.delivered(cursor, [1, 2]) == {}
