"""What a rule's states at a series say of its firings, set against the firings that are known: what began, ended, or never was."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from livekpi.alerts.ledger import Alert
from livekpi.alerts.machine import State
from livekpi.alerts.message import Note

Heard = tuple[State, float | None]
"""A state, and the number that was looked at when it was reached."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing as the numbers say now, in event time."""

    started_us: int
    ends_us: int | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the known alerts of a series."""

    changed: tuple[Alert, ...] = ()
    """Those that are new, or not as they were."""
    gone: tuple[str, ...] = ()
    """The keys of those that nobody has heard of and that never were."""


def firings(before: State, heard: Sequence[Heard], value: float | None) -> Iterator[Firing]:
    """The firings from a state on; `value` is the number at its time."""
    began = (before.started_us, value) if before.fires and before.started_us is not None else None
    for state, number in heard:
        if state.fires and began is None and state.started_us is not None:
            began = (state.started_us, number)
        elif not state.fires and began is not None:
            yield Firing(began[0], state.at_us, began[1])
            began = None
        elif began is not None:
            began = (began[0], number if number is not None else began[1])
    if began is not None:
        yield Firing(began[0], None, began[1])


@dataclass(frozen=True, slots=True)
class Judged:
    """What had been judged before, and what it is now."""

    rule: str
    meaning: str
    """The rule's digest."""
    whole_us: int
    """Up to which bucket's end all had arrived when it was judged: a firing from before it that was not known is late."""
    over_us: int
    """Up to which bucket's end the buckets were over when they were judged."""
    present_us: int
    """Event time, now."""
    now_us: int
    """The clock's time."""


def reconcile(judged: Judged, series: str, known: Sequence[Alert], found: Sequence[Firing]) -> Change:
    """Sets the firings that were found against the alerts known in the same range, both in the order of time."""
    changed: list[Alert] = []
    left = list(found)
    gone: list[str] = []
    for alert in known:
        same = next((each for each in left if _overlap(alert, each)), None)
        if same is not None:
            left.remove(same)
            after = _as_found(alert, same, judged)
            changed += [after] if after != alert else []
        elif alert.note == "corrected":
            continue
        elif alert.told is None:
            gone.append(alert.key)
        elif alert.started_us > judged.over_us:  # of a bucket that was not over: it was so then, and is no more
            changed.append(replace(alert, ends_us=judged.present_us, ended_at_us=judged.now_us))
        else:
            changed.append(replace(alert, ends_us=alert.started_us, ended_at_us=judged.now_us, note="corrected", told="firing"))
    changed += [_new(judged, series, firing) for firing in left]
    return Change(tuple(changed), tuple(gone))


def _overlap(alert: Alert, firing: Firing) -> bool:
    before = alert.ends_us is not None and alert.ends_us < firing.started_us
    after = firing.ends_us is not None and firing.ends_us < alert.started_us
    return not before and not after


def _as_found(alert: Alert, firing: Firing, judged: Judged) -> Alert:
    """The alert with what is known of its firing now; its key stays, by which the receivers know it."""
    started_us = firing.started_us if firing.started_us <= judged.present_us else alert.started_us
    value = alert.value if firing.value is None else firing.value
    if (started_us, firing.ends_us) == (alert.started_us, alert.ends_us):
        return alert if firing.ends_us is not None else replace(alert, value=value)
    ended_at_us = None if firing.ends_us is None else alert.ended_at_us or judged.now_us
    again = alert.ends_us is not None and firing.ends_us is None
    note: Note = "late" if again else alert.note
    return replace(alert, started_us=started_us, ends_us=firing.ends_us, value=value, ended_at_us=ended_at_us, note=note)


def _new(judged: Judged, series: str, firing: Firing) -> Alert:
    started_us = min(firing.started_us, judged.present_us)
    return Alert(
        key=hashlib.sha256(f"{judged.rule}\n{series}\n{started_us}".encode()).hexdigest()[:32],
        rule=judged.rule,
        meaning=judged.meaning,
        series=series,
        started_us=started_us,
        ends_us=firing.ends_us,
        told=None,
        note="late" if firing.started_us <= judged.whole_us else "",
        value=firing.value,
        judged_at_us=judged.now_us,
        ended_at_us=None if firing.ends_us is None else judged.now_us,
    )
