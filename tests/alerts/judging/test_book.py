"""Alerts held in memory are what the store has, and are written once."""

from dataclasses import replace

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.judging.book import HELD_US, Book
from livekpi.alerts.ledger import Alert
from tests.alerts.made import NOW_US, SECOND_US

FIRES = Alert("f", "errors", "m", '["a"]', NOW_US, None, "firing", "", 0.5, NOW_US, None)
LONG_AGO = replace(FIRES, key="l", ends_us=NOW_US - HELD_US, told="resolved")
JUST_NOW = replace(LONG_AGO, key="j", ends_us=NOW_US - HELD_US + 1)
UNTOLD = replace(LONG_AGO, key="u", told="firing")


def held(book: Book) -> set[str]:
    """The keys of all that a book knows of the rule."""
    return {alert.key for by_series in book.since({("errors", "m"): 0}).values() for alerts in by_series.values() for alert in alerts}


def stored(cursor: duckdb.DuckDBPyConnection) -> dict[str, Alert]:
    return {alert.key: alert for alert in ledger.alerts(cursor)}


def test_what_can_change_is_held_and_what_is_over_for_long_is_not(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_alerts(cursor, [FIRES, LONG_AGO, JUST_NOW, UNTOLD])
    book = Book()
    book.reach(cursor, NOW_US)
    assert held(book) == {"f", "j", "u"}
    assert [alert.key for alert in book.open()] == ["f", "u"]
    assert [alert.key for alert in book.firing("errors")] == ["f"]
    assert book.firing("others") == []


def test_further_back_the_store_is_asked_again_and_what_was_changed_stands(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_alerts(cursor, [FIRES, LONG_AGO])
    book = Book()
    book.reach(cursor, NOW_US)
    ended = replace(FIRES, ends_us=NOW_US + SECOND_US)
    book.put([ended])
    book.reach(cursor, NOW_US - HELD_US - 1)
    assert held(book) == {"f", "l"}
    assert book.open() == [ended]


def test_the_store_is_not_asked_again_for_what_is_held(cursor: duckdb.DuckDBPyConnection) -> None:
    book = Book()
    book.reach(cursor, NOW_US)
    ledger.save_alerts(cursor, [FIRES])
    book.reach(cursor, NOW_US + SECOND_US)
    assert held(book) == set()
    book.put([UNTOLD])
    book.forget()
    book.reach(cursor, NOW_US + SECOND_US)
    assert held(book) == {"f"}


def test_what_is_over_is_let_go_after_a_while_but_not_before_it_is_written(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_alerts(cursor, [FIRES, JUST_NOW, UNTOLD, replace(JUST_NOW, key="c")])
    book = Book()
    book.reach(cursor, NOW_US)
    book.put([replace(JUST_NOW, key="c", note="late")])
    book.reach(cursor, NOW_US + HELD_US)
    assert held(book) == {"f", "j", "u", "c"}, "not at every step"
    book.reach(cursor, NOW_US + HELD_US + 1)
    assert held(book) == {"f", "u", "c"}
    book.write(cursor)
    assert stored(cursor) == {alert.key: alert for alert in (FIRES, JUST_NOW, UNTOLD, replace(JUST_NOW, key="c", note="late"))}
    book.reach(cursor, NOW_US)
    assert held(book) == {"f", "j", "u", "c"}


def test_alerts_are_those_of_a_rule_from_its_own_time_on(cursor: duckdb.DuckDBPyConnection) -> None:
    later = replace(FIRES, key="2", started_us=NOW_US + 2)
    over = replace(FIRES, key="1", started_us=NOW_US + 1, ends_us=NOW_US + 2)
    book = Book()
    book.reach(cursor, NOW_US)
    book.put([later, over, FIRES, replace(FIRES, key="b", series='["b"]'), replace(FIRES, key="o", meaning="n")])
    book.put([replace(later, key="s", rule="slow", ends_us=NOW_US + 3)])
    assert book.since({("errors", "m"): NOW_US + 1, ("slow", "m"): NOW_US + 3}) == {
        "errors": {'["a"]': [FIRES, over, later], '["b"]': [replace(FIRES, key="b", series='["b"]')]}
    }
    assert book.since({("errors", "m"): NOW_US + 2})["errors"]['["a"]'] == [FIRES, later]


def test_all_that_became_of_alerts_is_written_at_once(cursor: duckdb.DuckDBPyConnection) -> None:
    ledger.save_alerts(cursor, [FIRES, UNTOLD])
    book = Book()
    book.reach(cursor, NOW_US)
    new = replace(FIRES, key="n", series='["b"]', told=None)
    book.put([new, replace(FIRES, ends_us=NOW_US + 1)])
    book.put([replace(new, told="firing"), replace(FIRES, ends_us=NOW_US + 1, told="resolved")])
    book.drop(["u"])
    assert stored(cursor) == {"f": FIRES, "u": UNTOLD}
    book.write(cursor)
    written = {"f": replace(FIRES, ends_us=NOW_US + 1, told="resolved"), "n": replace(new, told="firing")}
    assert stored(cursor) == written
    book.put([replace(written["n"], note="late")])
    book.write(cursor)
    book.write(cursor)
    assert stored(cursor) == {**written, "n": replace(written["n"], note="late")}


def test_what_began_and_never_was_within_a_step_leaves_nothing(cursor: duckdb.DuckDBPyConnection) -> None:
    book = Book()
    book.reach(cursor, NOW_US)
    book.put([FIRES])
    book.drop(["f"])
    book.write(cursor)
    assert (stored(cursor), held(book)) == ({}, set())
