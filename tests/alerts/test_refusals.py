"""That a receiver refuses: an alert that the others are told, hold as firing for as long as it does, and are told to be over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from livekpi.alerts import ledger, refusals
from livekpi.alerts.delivery.delivery import again
from livekpi.alerts.delivery.stored_outbox import StoredOutbox
from livekpi.alerts.message import Notice
from livekpi.alerts.notifiers.alertmanager import labels_of, postable
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import DAY_US, MINUTE_US, NOON_US, definition, rehearsed, send

NOTIFY = """
alerts: { many: { when: visits > 2, notify: [am, pager] } }
notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
  pager: { alertmanager: { urls: ["http://localhost:9094"] } }
  late: { alertmanager: { urls: ["http://localhost:9095"] } }
  lives: { alive: { url: "https://example.com" } }
"""
LEASE_US = 4 * MINUTE_US


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Rehearsal]:
    with rehearsed(tmp_path, definition("", {"visits": "value: count(*)"}, rest=NOTIFY, source="idle: 1m,")) as found:
        yield found


def refuse(server: Rehearsal, receiver: str, reason: str | None = "it says 400") -> None:
    if reason is None:
        server.desk.taken(receiver)
    else:
        server.desk.refused(receiver, reason)
    server.desk.step()


def held(server: Rehearsal, receiver: str) -> list[Notice]:
    return list(StoredOutbox(server.store.beside, server.definition).firing(receiver))


def told(server: Rehearsal, receiver: str) -> list[Notice]:
    with server.cursor() as cursor:
        return [notice for message in ledger.messages(cursor, receiver) for notice in message.notices]


def test_a_refusal_is_held_as_firing_by_the_others_until_it_is_over(server: Rehearsal) -> None:
    refuse(server, "pager")
    server.advance(NOON_US + MINUTE_US)
    for receiver in ("am", "late"):
        assert held(server, receiver) == told(server, receiver)
        assert [notice.summary for notice in held(server, receiver)] == ["pager can't be told of alerts: it says 400"]
    assert held(server, "pager") == []
    assert told(server, "lives") == []
    refuse(server, "pager", None)
    assert held(server, "am") == []
    assert [notice.status for notice in told(server, "am")] == ["firing", "resolved"]


def test_what_is_told_again_is_the_same_alert_to_an_alertmanager_for_longer(server: Rehearsal) -> None:
    refuse(server, "pager")
    server.advance(NOON_US + 3 * MINUTE_US)
    now_us = server.clock.now_us()
    (repeat,) = postable([again(held(server, "am"), now_us)], now_us, LEASE_US)
    (first,) = told(server, "am")
    assert repeat["labels"] == labels_of(first) == {"alertname": refusals.RULE, "severity": "error", "notifier": "pager"}
    assert (repeat["startsAt"], repeat["endsAt"]) == ("2026-03-01T12:00:00.000Z", "2026-03-01T12:07:00.000Z")


def test_each_of_several_is_told_to_the_others(server: Rehearsal) -> None:
    refuse(server, "pager", "first")
    refuse(server, "am", "second")
    said = {name: sorted(str(notice.series["notifier"]) for notice in held(server, name)) for name in ("am", "pager", "late")}
    assert said == {"am": ["pager"], "pager": ["am"], "late": ["am", "pager"]}


def test_refusals_stand_beside_what_rules_say(server: Rehearsal) -> None:
    send(server, {}, {}, {})
    server.advance(NOON_US + 2 * MINUTE_US - 1)  # by then the next minute's silence would end it
    refuse(server, "pager")
    assert {notice.rule for notice in held(server, "am")} == {"many", refusals.RULE}
    assert {notice.rule for notice in held(server, "pager")} == {"many"}
    assert {notice.rule for notice in held(server, "late")} == {refusals.RULE}


def test_what_refuses_for_longer_than_its_message_is_kept_is_held_on(server: Rehearsal) -> None:
    """Of the newest the message stays, by whose reason the other's is not said."""
    refuse(server, "pager")
    server.advance(NOON_US + MINUTE_US)
    refuse(server, "late")
    with server.store.beside() as cursor:
        cursor.execute("UPDATE outbox SET state = 'sent'")
    server.advance(NOON_US + 91 * DAY_US)
    older, _ = held(server, "am")
    assert (older.summary, older.status, older.starts_us) == ("pager can't be told of alerts", "firing", NOON_US)


def test_a_long_reason_is_cut(server: Rehearsal) -> None:
    refuse(server, "pager", "x" * 5_000)
    (notice,) = told(server, "am")
    assert len(notice.summary) < 600
