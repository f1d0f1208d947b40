"""Rules said twice: as a definition, and as plain Python that judges one bucket after the other."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.oracle.oracle import DAY_US, Slice, Step

MINUTE_US = 60_000_000
STALE_US = 5 * MINUTE_US
Values = Mapping[str, Mapping[tuple[int, Slice], Any]]
Truth = bool | None


@dataclass(frozen=True)
class At:
    """A bucket of a series. Each question that has an answer makes the bucket one of which something is known."""

    values: Values
    slice_: Slice
    step: Step
    first_us: int
    """The series' first event."""
    answered: list[bool]

    def __call__(self, kpi: str, minutes_ago: int = 0) -> Any:
        return self._known(self.values[kpi].get((self.step[0] - minutes_ago * MINUTE_US, self.slice_)))

    def moved(self, kpi: str, percent: int, minutes: int) -> Truth:
        """By how much it rose, or (percent below 0) fell."""
        now, before = (self.values[kpi].get((self.step[0] - ago * MINUTE_US, self.slice_)) for ago in (0, minutes))
        if now is None or before is None:
            return None
        change = now - before if percent > 0 else before - now
        return bool(self._known(change >= abs(percent) / 100 * abs(before) and now != before))

    def absent(self, kpi: str, minutes: int, nothing: tuple[Any, ...] = (None, 0)) -> Truth:
        """Whether nothing was counted; known once the series is that old."""
        size_us = self.step[1] - self.step[0]
        starts = range(self.step[0] - (-(-minutes * MINUTE_US // size_us) - 1) * size_us, self.step[1], size_us)
        if starts[0] < self.first_us // MINUTE_US * MINUTE_US:
            return None
        return bool(self._known(all(self.values[kpi].get((start, self.slice_)) in nothing for start in starts)))

    def _known(self, value: Any) -> Any:
        self.answered.append(value is not None)
        return value


def over(left: Any, right: Any) -> Truth:
    return None if left is None or right is None else left > right


def both(left: Truth, right: Truth) -> Truth:
    return False if left is False or right is False else None if left is None or right is None else True


def either(left: Truth, right: Truth) -> Truth:
    return negated(both(negated(left), negated(right)))


def negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


CONDITIONS: dict[str, Callable[[At], Truth]] = {
    "hits > 1": lambda at: over(at("hits"), 1),
    "hits < 1": lambda at: over(1, at("hits")),
    "errors = 1": lambda at: None if at("errors") is None else at("errors") == 1,
    "ratio > 0.4": lambda at: over(at("ratio"), 0.4),
    "total > 3": lambda at: over(at("total"), 3),
    "slowest > 4": lambda at: over(at("slowest"), 4),
    "slowest > 4 and hits > 1": lambda at: both(over(at("slowest"), 4), over(at("hits"), 1)),
    "not slowest > 4 or window > 9": lambda at: either(negated(over(at("slowest"), 4)), over(at("window"), 9)),
    "window > 5": lambda at: over(at("window"), 5),
    "hits > ago(hits, 2m)": lambda at: over(at("hits"), at("hits", 2)),
    "total < 2": lambda at: over(2, at("total")),
    "rising(total, 50, 2m)": lambda at: at.moved("total", 50, 2),
    "falling(hits, 50, 1m)": lambda at: at.moved("hits", -50, 1),
    "absent(hits, 3m)": lambda at: at.absent("hits", 3),
    "absent(errors, 2m) and hits < 2": lambda at: both(at.absent("errors", 2), over(2, at("hits"))),
    "absent(slowest, 2m)": lambda at: at.absent("slowest", 2, (None,)),
    "absent(ratio, 2m)": lambda at: at.absent("ratio", 2, (None,)),
    "slowest is null and hits >= 0": lambda at: both(at("slowest") is None, negated(over(0, at("hits")))),
    "coalesce(slowest, 9) > 4 and hits >= 0": lambda at: both(
        over(9 if at("slowest") is None else at("slowest"), 4), negated(over(0, at("hits")))
    ),
    "coarse > 3": lambda at: over(at("coarse"), 3),
    "coarse > hits": lambda at: over(at("coarse"), at("hits")),
    "absent(hits, 7m) or coarse > 4": lambda at: either(at.absent("hits", 7), over(at("coarse"), 4)),
    "level > 4": lambda at: over(at("level"), 4),
    "level > ago(level, 1m)": lambda at: over(at("level"), at("level", 1)),
    "level < 3 and slowest > 1": lambda at: both(over(3, at("level")), over(at("slowest"), 1)),
    "name = 'DE'": lambda at: None if at("name") is None else at("name") == "DE",
}
LEVELS = ("level > 4", "level > ago(level, 1m)")
_KPIS = ("hits", "errors", "ratio", "total", "slowest", "window", "coarse", "level", "name")


@dataclass(frozen=True)
class Ruled:
    """A rule; `for_` and `keep` are in minutes. It fires inside its hours, or outside where `except_`."""

    when: str
    clear: str | None
    by: tuple[str, ...]
    for_: int
    keep: int
    hours: str | None
    except_: bool

    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = {"when": self.when, "by": list(self.by), "for": f"{self.for_}m", "keep": f"{self.keep}m", "notify": ["am"]}
        if self.clear is not None:
            found["clear"] = self.clear
        if self.hours is not None:
            found["except" if self.except_ else "only"] = {"hours": self.hours}
        return found

    @property
    def _texts(self) -> str:
        return f"{self.when} {self.clear or ''}"

    @property
    def kpis(self) -> list[str]:
        return [name for name in _KPIS if name in self._texts]

    @property
    def every_us(self) -> int:
        return (5 if "coarse" in self._texts else 1) * MINUTE_US

    @property
    def level(self) -> bool:
        return self.when in LEVELS and (self.clear is None or self.clear in LEVELS)

    @property
    def asks_absence(self) -> bool:
        return "absent" in self._texts

    @property
    def asks_zeros(self) -> bool:
        """Whether it looks at how many there are, or how much, and not only whether there were any."""
        return any(name in re.sub(r"absent\(\w+", "", self._texts) for name in ("hits", "errors", "coarse", "total", "window"))

    def _open(self, end_us: int) -> bool:
        """Whether the last instant of a step is in its hours."""
        if self.hours is None:
            return True
        begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in self.hours.split("-"))
        return (begin <= (end_us - 1) % DAY_US // MINUTE_US < end) != self.except_

    def spans(self, values: Values, slice_: Slice, steps: Sequence[Step], first_us: int) -> list[tuple[int, int | None]]:
        """When it fires at a series, from and to."""
        course = _Course(self)
        for step in steps:
            at = At(values, slice_, step, first_us, [])
            when, clear = CONDITIONS[self.when](at), None if self.clear is None else CONDITIONS[self.clear](at)
            if not any(at.answered):
                course.silent(step[1])
                continue
            if not self._open(step[1]):
                when, clear = False, True
            if self.clear is None:
                clear = negated(when)
            if when is None and clear is None:
                course.silent(step[1])
            else:
                course.heard(when, clear, step[1])
        return course.found


class _Course:
    """A bucket at a time: how many it has held, since when it has ceased, for how long nothing was known."""

    def __init__(self, rule: Ruled) -> None:
        self._every_us = every_us = rule.every_us
        self._for_us, self._keep_us = (-(-minutes * MINUTE_US // every_us) * every_us for minutes in (rule.for_, rule.keep))
        self._stale_us = max(STALE_US, 3 * every_us)
        self.found: list[tuple[int, int | None]] = []
        self._held = self._unknown = 0
        self._ceased_us: int | None = None
        self._fires = False

    def silent(self, now_us: int) -> None:
        self._unknown += 1
        self._held += self._held > 0
        stale = self._unknown * self._every_us >= self._stale_us
        if self._fires and stale and self._ceased_us is None:
            self._ceased_us = now_us
        if self._kept_for(now_us):
            self._end(now_us)
        self._held = 0 if stale else self._held

    def heard(self, when: Truth, clear: Truth, now_us: int) -> None:
        self._unknown = 0
        if self._fires:
            self._ceased_us = None if when else self._ceased_us if self._ceased_us is not None or not clear else now_us
            if self._kept_for(now_us):
                self._end(now_us)
        elif when:
            self._held += 1
            if self._held * self._every_us >= self._for_us:
                self.found.append((now_us, None))
                self._fires, self._held = True, 0
        else:
            self._held = 0 if when is False else self._held + (self._held > 0)

    def _kept_for(self, now_us: int) -> bool:
        return self._ceased_us is not None and now_us >= self._ceased_us + self._keep_us

    def _end(self, now_us: int) -> None:
        self.found[-1], self._fires, self._ceased_us = (self.found[-1][0], now_us), False, None
