"""What a rule's states at a series say of its firings, set against the firings that are known: what began, ended, or never was."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from livekpi.alerts.judging.machine import State
from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Note

Heard = tuple[State, float | None]
"""A state, and the number for which the condition held then; None where it did not, or where there is no number."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing as the numbers say now, in event time."""

    started_us: int
    ends_us: int | None
    value: float | None
    """The last number for which the condition held."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the known alerts of a series."""

    changed: tuple[Alert, ...] = ()
    """Those that are new, or not as they were."""
    gone: tuple[str, ...] = ()
    """The keys of those that nobody has heard of and that never were."""


def firings(before: State, heard: Sequence[Heard], value: float | None) -> Iterator[Firing]:
    """The firings from a state on; `value` is the last number, at its time, for which the condition held."""
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
    every_us: int
    """The rule's bucket."""


def reconcile(judged: Judged, series: str, known: Sequence[Alert], found: Sequence[Firing]) -> Change:
    """Sets the firings that were found against the alerts known in the same range, both in the order of time."""
    changed: list[Alert] = []
    left = list(found)
    gone: list[str] = []
    for alert in sorted(known, key=lambda alert: alert.note == "corrected"):  # those that stand go before those that were taken back
        same = next((each for each in left if _overlap(alert, each)), None)
        if same is not None:
            left.remove(same)
            after = _as_found(alert, same, judged)
            changed += [after] if after != alert else []
        elif alert.note == "corrected" or _came_and_went(alert, judged):
            continue
        elif alert.told is None:
            gone.append(alert.key)
        elif alert.started_us > judged.over_us:  # of a bucket that was not over: it was so then, and is no more
            end_us = (alert.started_us // judged.every_us + 1) * judged.every_us
            ends_us = max(alert.started_us, min(judged.present_us, end_us - 1))
            changed.append(replace(alert, ends_us=ends_us, ended_at_us=judged.now_us))
        else:
            changed.append(replace(alert, ends_us=alert.started_us, ended_at_us=judged.now_us, note="corrected", told="firing"))
    keys = {alert.key for alert in known}
    for firing in left:
        alert = _new(judged, series, firing)
        while alert.key in keys:  # one whose beginning was corrected keeps its key
            alert = replace(alert, key=key_of(alert.key))
        changed.append(alert)
    return Change(tuple(changed), tuple(gone))


def key_of(*parts: object) -> str:
    """What receivers know an alert by; of the same parts always the same, so that what two servers tell is one alert."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _came_and_went(alert: Alert, judged: Judged) -> bool:
    """Whether it began and ended within a bucket that was open then: of that the numbers keep no trace, and it was so all the same."""
    return alert.ends_us is not None and alert.started_us // judged.every_us == alert.ends_us // judged.every_us


def _overlap(alert: Alert, firing: Firing) -> bool:
    before = alert.ends_us is not None and alert.ends_us < firing.started_us
    after = firing.ends_us is not None and firing.ends_us < alert.started_us
    return not before and not after


def _as_found(alert: Alert, firing: Firing, judged: Judged) -> Alert:
    """The alert with what is known of its firing now; its key stays, by which the receivers know it."""
    started_us = firing.started_us if firing.started_us <= judged.present_us else alert.started_us
    ends_us = _end(firing, judged)
    if alert.ends_us is not None and not _is_over(firing, judged):
        ends_us = alert.ends_us  # of a bucket that is not over: when that was seen first
    value = alert.value if firing.value is None else firing.value
    if (started_us, ends_us) == (alert.started_us, alert.ends_us) and alert.note != "corrected":
        return alert if ends_us is not None else replace(alert, value=value)
    ended_at_us = None if ends_us is None else alert.ended_at_us or judged.now_us
    again = alert.ends_us is not None and ends_us is None
    note: Note = "late" if again or alert.note == "corrected" else alert.note
    # of one that was taken back and is over by now both has to be told anew
    told = None if alert.note == "corrected" and ends_us is not None else alert.told
    return replace(alert, started_us=started_us, ends_us=ends_us, value=value, ended_at_us=ended_at_us, note=note, told=told)


def _is_over(firing: Firing, judged: Judged) -> bool:
    return firing.ends_us is None or firing.ends_us <= judged.present_us


def _end(firing: Firing, judged: Judged) -> int | None:
    """When a firing ceased: of a bucket that is not over, now."""
    if firing.ends_us is None or _is_over(firing, judged):
        return firing.ends_us
    return max(judged.present_us, firing.ends_us - judged.every_us + 1)


def _new(judged: Judged, series: str, firing: Firing) -> Alert:
    started_us = min(firing.started_us, judged.present_us)
    return Alert(
        key=key_of(judged.rule, judged.meaning, series, started_us),
        rule=judged.rule,
        meaning=judged.meaning,
        series=series,
        started_us=started_us,
        ends_us=_end(firing, judged),
        told=None,
        note="late" if firing.started_us <= judged.whole_us else "",
        value=firing.value,
        judged_at_us=judged.now_us,
        ended_at_us=None if firing.ends_us is None else judged.now_us,
    )
