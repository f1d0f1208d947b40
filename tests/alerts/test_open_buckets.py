"""A level that was low for a moment, within a bucket that was open: that was so, though the bucket's own number says nothing of it."""

from dataclasses import replace

from livekpi.alerts.judging.firings import Firing, Judged, reconcile
from livekpi.alerts.ledger import Alert

SECOND_US = 1_000_000
OPEN = Judged("stock_low", "digest", 10 * SECOND_US, 10 * SECOND_US, 12 * SECOND_US, 0, 10 * SECOND_US)
"""The bucket from 10 s to 20 s is open, and it is 12 s."""


def at(second: int, over: int = 10) -> Judged:
    return replace(OPEN, present_us=second * SECOND_US, over_us=over * SECOND_US, whole_us=over * SECOND_US)


def begun() -> Alert:
    [alert] = reconcile(OPEN, '["a"]', (), [Firing(20 * SECOND_US, None, 5.0)]).changed
    assert alert.started_us == 12 * SECOND_US
    return replace(alert, told="firing")


def ended() -> Alert:
    [alert] = reconcile(at(13), '["a"]', [begun()], []).changed
    return replace(alert, told="resolved")


def test_it_ends_when_it_is_over_and_no_later() -> None:
    alert = ended()
    assert (alert.ends_us, alert.note) == (13 * SECOND_US, "")
    assert reconcile(at(14), '["a"]', [alert], []).changed == ()


def test_when_the_bucket_is_over_it_is_not_taken_back() -> None:
    assert reconcile(at(21), '["a"]', [ended()], []).changed == ()
    assert reconcile(at(25, over=20), '["a"]', [ended()], []).changed == ()


def test_what_ends_with_the_next_bucket_belongs_to_its_own() -> None:
    [alert] = reconcile(at(21), '["a"]', [begun()], []).changed
    assert alert.ends_us == 20 * SECOND_US - 1
    assert reconcile(at(25, over=20), '["a"]', [replace(alert, told="resolved")], []).changed == ()


def test_it_may_begin_again_in_the_same_bucket() -> None:
    [again] = reconcile(at(15), '["a"]', [ended()], [Firing(20 * SECOND_US, None, 4.0)]).changed
    assert (again.started_us, again.ends_us) == (15 * SECOND_US, None)
    assert again.key != ended().key


def test_what_held_to_the_end_of_its_bucket_is_taken_back_where_that_proves_wrong() -> None:
    [held] = reconcile(at(21), '["a"]', [begun()], [Firing(20 * SECOND_US, None, 5.0)]).changed
    assert held.started_us == 20 * SECOND_US
    [alert] = reconcile(at(25, over=20), '["a"]', [held], []).changed
    assert alert.note == "corrected"
