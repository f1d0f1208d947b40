"""What a changed rule does to the alerts of history: those it adds, removes and moves."""

from collections.abc import Sequence
from dataclasses import dataclass

from livekpi.alerts.backtest.trial import Tried
from livekpi.alerts.ledger import Alert


@dataclass(frozen=True)
class Difference:
    """Of one rule, before and after. Alerts of one series that overlap are taken to be the same."""

    rule: str
    sides: tuple[Tried | None, Tried | None]
    """Before and after; None where the rule is not there."""
    added: tuple[Alert, ...] = ()
    removed: tuple[Alert, ...] = ()
    moved: tuple[tuple[Alert, Alert], ...] = ()
    """As it was, and as it is."""
    same: int = 0
    problem: str | None = None
    """Why the two can't be compared."""


def compare(before: Sequence[Tried], after: Sequence[Tried]) -> list[Difference]:
    """Compares rules of the same name, by the history on which both could be judged; a rule of one side alone adds or removes all."""
    old, new = ({each.rule.name: each for each in side} for side in (before, after))
    return [_compare(name, old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old])]


def _compare(name: str, before: Tried | None, after: Tried | None) -> Difference:
    problem = next((f"{when}: {each.problem}" for when, each in (("before", before), ("after", after)) if each and each.problem), None)
    if problem is not None:
        return Difference(name, (before, after), problem=problem)
    from_us = max(each.from_us for each in (before, after) if each is not None)
    until_us = min(each.until_us for each in (before, after) if each is not None)
    left, added, moved, same = _of(before, from_us, until_us), list[Alert](), list[tuple[Alert, Alert]](), 0
    for alert in _of(after, from_us, until_us):
        was = next((each for each in left if each.series == alert.series and _overlap(each, alert)), None)
        if was is None:
            added.append(alert)
            continue
        left.remove(was)
        if (was.started_us, was.ends_us) == (alert.started_us, alert.ends_us):
            same += 1
        else:
            moved.append((was, alert))
    return Difference(name, (before, after), tuple(added), tuple(left), tuple(moved), same)


def _of(tried: Tried | None, from_us: int, until_us: int) -> list[Alert]:
    """A rule's alerts in a range."""
    alerts = tried.alerts if tried is not None else ()
    return [alert for alert in alerts if alert.started_us <= until_us and (alert.ends_us is None or alert.ends_us > from_us)]


def _overlap(one: Alert, other: Alert) -> bool:
    return (one.ends_us is None or other.started_us < one.ends_us) and (other.ends_us is None or one.started_us < other.ends_us)
