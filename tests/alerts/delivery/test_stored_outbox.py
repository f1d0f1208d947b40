"""The outbox in the store: what waits for whom, what became of it, and what a receiver is to hold as firing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

import duckdb
import pytest

from livekpi.alerts import ledger
from livekpi.alerts.delivery.stored_outbox import StoredOutbox
from livekpi.alerts.ledger import Alert, Delivered
from livekpi.alerts.message import Status
from livekpi.clock import SystemClock
from livekpi.store.database import Store
from livekpi.store.schema import StoreError
from tests.alerts.made import NOW_US, message
from tests.rehearsed import definition

RULES = """
alerts:
  many: { when: visits > 2, by: [page], severity: critical, notify: [am, pager] }
  few: { when: visits < 2, by: [page], notify: [pager] }
notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
  pager: { alertmanager: { urls: ["http://localhost:9094"] } }
  idle: { alertmanager: { urls: ["http://localhost:9095"] } }
"""
ALERT = Alert("k", "many", "m", '["a"]', NOW_US, None, "firing", "", 5.0, NOW_US, None, ("am", "pager"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def outbox(store: Store) -> StoredOutbox:
    return StoredOutbox(store.beside, definition("page: string", {"visits": "value: count(*), by: [page]"}, rest=RULES))


def write(store: Store, *receivers: str, number: int = 7) -> None:
    with store.beside() as cursor:
        ledger.save_messages(cursor, [(message(number=number), receivers)])


def became(store: Store, number: int = 7) -> dict[str, Delivered]:
    with store.beside() as cursor:
        return {each.receiver: each for each in ledger.delivered(cursor, [number])[number]}


def test_each_receiver_has_its_own_oldest_first(store: Store, outbox: StoredOutbox) -> None:
    write(store, "am", "pager", number=9)
    write(store, "am", number=8)
    assert [(each.message, each.attempts, each.not_before_us) for each in outbox.waiting("am")] == [
        (message(number=8), 0, NOW_US),
        (message(number=9), 0, NOW_US),
    ]
    assert [each.message.number for each in outbox.waiting("pager")] == [9]
    assert outbox.waiting("idle") == []


def test_what_was_sent_waits_no_more_for_that_receiver_alone(store: Store, outbox: StoredOutbox) -> None:
    write(store, "am", "pager")
    write(store, "am", number=8)
    outbox.sent("am", [7], NOW_US + 5)
    assert [each.message.number for each in outbox.waiting("am")] == [8]
    assert became(store) == {"am": Delivered("am", "sent", 1, NOW_US + 5, None), "pager": Delivered("pager", "waiting", 0, NOW_US, None)}


def test_what_failed_waits_on_and_counts_its_attempts(store: Store, outbox: StoredOutbox) -> None:
    write(store, "am")
    outbox.later("am", [7], NOW_US + 9, "it is away")
    outbox.later("am", [7], NOW_US + 20, "it is still away")
    assert [(each.attempts, each.not_before_us) for each in outbox.waiting("am")] == [(2, NOW_US + 20)]
    assert became(store)["am"].reason == "it is still away"
    outbox.sent("am", [7], NOW_US + 30)
    assert became(store)["am"] == Delivered("am", "sent", 3, NOW_US + 30, None)


def test_what_is_given_up_says_why(store: Store, outbox: StoredOutbox) -> None:
    write(store, "am")
    outbox.given_up("am", [7], NOW_US + 9, "it says 400")
    assert outbox.waiting("am") == []
    assert became(store) == {"am": Delivered("am", "given_up", 1, NOW_US + 9, "it says 400")}


def test_a_receiver_holds_what_it_was_told_and_is_not_over(store: Store, outbox: StoredOutbox) -> None:
    others: list[Status | None] = [None, *(told for told in get_args(Status) if told != "firing")]
    untold = [replace(ALERT, key=f"u{number}", series=f'["u{number}"]', told=told) for number, told in enumerate(others)]
    over = replace(ALERT, key="o", series='["o"]', ends_us=NOW_US + 1)
    few = replace(ALERT, key="f", rule="few", series='["b"]', told_to=("pager",))
    with store.beside() as cursor:
        ledger.save_alerts(cursor, [ALERT, over, few, *untold])
    (held,) = outbox.firing("am")
    assert (held.key, held.rule, held.severity, held.status, held.series, held.value) == (
        "k",
        "many",
        "critical",
        "firing",
        {"page": "a"},
        5.0,
    )
    assert [notice.key for notice in outbox.firing("pager")] == ["f", "k"]
    assert outbox.firing("idle") == []


def test_what_the_store_refuses_is_a_trouble_of_the_store(store: Store) -> None:
    @contextmanager
    def broken() -> Iterator[duckdb.DuckDBPyConnection]:
        with store.beside() as cursor:
            cursor.execute("ALTER TABLE outbox RENAME TO elsewhere")
            yield cursor

    with pytest.raises(StoreError, match="outbox"):
        StoredOutbox(broken, definition("", {"visits": "value: count(*)"})).waiting("am")
