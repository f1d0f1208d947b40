"""What becomes of alerts when the numbers say something else."""

from dataclasses import replace

import pytest

from livekpi.alerts.judging.firings import Change, Firing, Judged, key_of, reconcile
from livekpi.alerts.ledger import Alert

EVERY, NOW = 10, 999
JUDGED = Judged(rule="r", meaning="m", every_us=EVERY, whole_us=100, over_us=200, present_us=215, now_us=NOW)


def alert(started_us: int, ends_us: int | None = None, **changes: object) -> Alert:
    """One that was told."""
    told = "firing" if ends_us is None else "resolved"
    known = Alert(f"k{started_us}", "r", "m", "[]", started_us, ends_us, told, "", 1.0, 1, None if ends_us is None else 2)  # type: ignore[arg-type]
    return replace(known, **changes)  # type: ignore[arg-type]


def after(known: list[Alert], *found: tuple[int, int | None], judged: Judged = JUDGED) -> Change:
    return reconcile(judged, "[]", known, [Firing(begin, end, 7.0) for begin, end in found])


def as_words(change: Change) -> list[tuple[str, int, int | None, str | None, str]]:
    return [(each.key[:4], each.started_us, each.ends_us, each.told, each.note) for each in change.changed]


@pytest.mark.parametrize(
    ("known", "found", "words"),
    [
        # it ends, and that is to be told
        ([alert(120)], [(120, 180)], [("k120", 120, 180, "firing", "")]),
        # its times are corrected, its key is not
        ([alert(120)], [(110, None)], [("k120", 110, None, "firing", "")]),
        ([alert(120, 150)], [(130, 160)], [("k120", 130, 160, "resolved", "")]),
        ([alert(120, 150)], [(110, 120)], [("k120", 110, 120, "resolved", "")]),
        # it never was
        ([alert(120)], [], [("k120", 120, 120, "firing", "corrected")]),
        ([alert(120, 150)], [], [("k120", 120, 120, "firing", "corrected")]),
        # it goes on after all
        ([alert(120, 150)], [(120, None)], [("k120", 120, None, "resolved", "late")]),
        # two are one
        (
            [alert(120, 130), alert(150)],
            [(120, None)],
            [("k120", 120, None, "resolved", "late"), ("k150", 150, 150, "firing", "corrected")],
        ),
        # what was taken back stays so, and does not come before one that stands
        ([alert(120, 120, note="corrected")], [], []),
        ([alert(120, 120, note="corrected"), alert(130)], [(120, None)], [("k130", 120, None, "firing", "")]),
        # it was so after all: both is told anew where it is over, and that it fires where it does
        ([alert(120, 120, note="corrected")], [(120, 150)], [("k120", 120, 150, None, "late")]),
        ([alert(120, 120, note="corrected")], [(120, None)], [("k120", 120, None, "resolved", "late")]),
        # of a bucket that was open: it was so then
        ([alert(213)], [], [("k213", 213, 215, "firing", "")]),
        ([alert(211, 213)], [], []),
        # it ceased in a bucket that is open: now, and once that was said not later
        ([alert(120)], [(120, 220)], [("k120", 120, 215, "firing", "")]),
        ([alert(120, 212)], [(120, 220)], []),
        ([alert(203, 204)], [(210, 220)], []),
        # in an open bucket it began now
        ([alert(212)], [(220, None)], [("k212", 212, None, "firing", "")]),
    ],
)
def test_what_becomes_of_alerts(
    known: list[Alert], found: list[tuple[int, int | None]], words: list[tuple[str, int, int | None, str | None, str]]
) -> None:
    change = after(known, *found)
    assert [each for each in as_words(change) if each[0].startswith("k")] == words
    assert change.gone == ()


@pytest.mark.parametrize(
    ("found", "note", "started_us", "ends_us"),
    [
        ((110, 130), "", 110, 130),
        ((100, 130), "late", 100, 130),  # all had arrived when that bucket was judged
        ((150, None), "", 150, None),
        ((220, None), "", 215, None),  # of a level the open bucket is judged
        ((200, 220), "", 200, 215),
    ],
)
def test_a_new_alert(found: tuple[int, int | None], note: str, started_us: int, ends_us: int | None) -> None:
    (new,) = after([], found).changed
    assert (new.started_us, new.ends_us, new.note, new.told, new.value) == (started_us, ends_us, note, None, 7.0)
    assert (new.judged_at_us, new.ended_at_us) == (NOW, None if ends_us is None else NOW)
    assert new.key == key_of("r", "m", "[]", started_us)


def test_what_nobody_has_heard_of_leaves_no_trace() -> None:
    assert after([alert(120, told=None)]).gone == ("k120",)


def test_the_end_is_found_when_it_is_found_first() -> None:
    (ended,) = after([alert(120)], (120, 150)).changed
    assert ended.ended_at_us == NOW
    (moved,) = after([alert(120, 150)], (120, 160)).changed
    assert moved.ended_at_us == 2


def test_the_number_is_the_last_that_is_known() -> None:
    (later,) = reconcile(JUDGED, "[]", [alert(120)], [Firing(120, None, 8.0)]).changed
    assert later.value == 8.0
    assert not reconcile(JUDGED, "[]", [alert(120)], [Firing(120, None, None)]).changed


def test_a_key_is_one_alerts_alone() -> None:
    moved = replace(alert(150), key=key_of("r", "m", "[]", 120))
    (new,) = after([moved], (120, 130), (150, None)).changed[-1:]
    assert new.started_us == 120
    assert new.key != moved.key
    again = after([moved, replace(alert(170), key=new.key)], (120, 130), (150, 160), (170, None)).changed[-1]
    assert again.key not in (moved.key, new.key)


@pytest.mark.parametrize("other", [("s", "m", "[]", 120), ("r", "n", "[]", 120), ("r", "m", '["x"]', 120), ("r", "m", "[]", 130)])
def test_other_alerts_have_other_keys(other: tuple[object, ...]) -> None:
    assert key_of(*other) != key_of("r", "m", "[]", 120)
