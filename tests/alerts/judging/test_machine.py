"""The state machine against a plain one that takes one bucket after the other."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.alerts.judging.firings import Firing, firings
from livekpi.alerts.judging.machine import Run, State, Timing, advance, inactive, silent

EVERY = 10
Bucket = tuple[bool | None, bool | None] | None
"""The verdict of a bucket: when, clear; None where there is none."""


def timing(for_: int = 0, keep: int = 0, stale: int = 30) -> Timing:
    return Timing(EVERY, for_ * EVERY, keep * EVERY, stale * EVERY)


def states(buckets: list[Bucket], how: Timing) -> Iterator[State]:
    """The machine's states over buckets from time 0 on; those alike one after the other are one run."""
    state, start = inactive(0), 0
    while start < len(buckets):
        end = start
        while end < len(buckets) and buckets[end] == buckets[start]:
            end += 1
        verdict = buckets[start]
        if verdict is not None:
            for each in advance(state, Run(start * EVERY, end * EVERY, *verdict, 0.0), how):
                yield each
                state = each
        start = end
    yield from silent(state, len(buckets) * EVERY, how)


def spans(buckets: list[Bucket], how: Timing) -> list[tuple[int, int | None]]:
    found = firings(inactive(0), [(state, None) for state in states(buckets, how)], None)
    return [(firing.started_us, firing.ends_us) for firing in found]


class Plain:
    """A bucket at a time: how many it has held, since when it has ceased, for how long nothing was known."""

    def __init__(self, how: Timing) -> None:
        self.how = how
        self.found: list[tuple[int, int | None]] = []
        self.held = self.unknown = 0
        self.ceased: int | None = None
        self.firing = False

    def end(self, now: int) -> None:
        self.found[-1], self.firing, self.ceased = (self.found[-1][0], now), False, None

    def take(self, verdict: Bucket, now: int) -> None:
        if verdict is None or verdict == (None, None):
            self.unknown += 1
            self.held += self.held > 0
            stale = self.unknown * EVERY >= self.how.stale_us
            if self.firing and stale and self.ceased is None:
                self.ceased = now
            if self.kept_for(now):
                self.end(now)
            self.held = 0 if stale else self.held
            return
        self.unknown = 0
        if self.firing:
            self.go_on(*verdict, now)
        elif verdict[0]:
            self.held += 1
            if self.held * EVERY >= self.how.for_us:
                self.found.append((now, None))
                self.firing, self.held = True, 0
        else:
            self.held = 0 if verdict[0] is False else self.held + (self.held > 0)

    def go_on(self, when: bool | None, clear: bool | None, now: int) -> None:
        if when:
            self.ceased = None
        elif self.ceased is None and clear:
            self.ceased = now
        if self.kept_for(now):
            self.end(now)

    def kept_for(self, now: int) -> bool:
        return self.ceased is not None and now >= self.ceased + self.how.keep_us


def plainly(buckets: list[Bucket], how: Timing) -> list[tuple[int, int | None]]:
    plain = Plain(how)
    for index, verdict in enumerate(buckets):
        plain.take(verdict, (index + 1) * EVERY)
    return plain.found


VERDICTS: st.SearchStrategy[Bucket] = st.sampled_from([None, (True, False), (False, True), (False, False), (None, None), (None, True)])


@given(
    st.lists(st.tuples(VERDICTS, st.integers(1, 5)), max_size=12),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(3, 6),
)
def test_runs_are_the_same_as_one_bucket_after_the_other(parts: list[tuple[Bucket, int]], for_: int, keep: int, stale: int) -> None:
    buckets = [verdict for verdict, count in parts for _ in range(count)]
    how = timing(for_, keep, stale)
    assert spans(buckets, how) == plainly(buckets, how)


YES: Bucket = (True, False)
NO: Bucket = (False, True)
BETWEEN: Bucket = (False, False)


@pytest.mark.parametrize(
    ("buckets", "how", "expected"),
    [
        ([NO, YES, NO], timing(), [(20, 30)]),
        ([YES], timing(), [(10, None)]),
        ([YES, YES, NO], timing(for_=3), []),
        ([YES, YES, YES, NO], timing(for_=3), [(30, 40)]),
        ([YES, NO, YES, NO, NO, NO], timing(keep=2), [(10, 60)]),  # a number that flaps is one firing
        ([YES, BETWEEN, BETWEEN, NO], timing(), [(10, 40)]),  # between the thresholds it goes on
        ([YES, None, None, None, NO], timing(stale=4), [(10, 50)]),  # no number is no news
        ([YES, None, None, None, None], timing(stale=3), [(10, 40)]),  # a series that ends
        ([YES, None, None, None, None, None], timing(keep=2, stale=3), [(10, 60)]),  # it is kept from when it counts as silent
        ([YES, None, None, None, YES, None], timing(keep=2, stale=3), [(10, None)]),
        ([YES, NO, None, None, None, NO, NO], timing(keep=4, stale=3), [(10, 60)]),  # silence does not shorten it
        ([YES, None, YES], timing(for_=3), [(30, None)]),
    ],
)
def test_what_fires_and_when(buckets: list[Bucket], how: Timing, expected: list[tuple[int, int | None]]) -> None:
    assert spans(buckets, how) == expected


def test_durations_are_whole_buckets() -> None:
    assert Timing.of(60, 61, 1) == Timing(60, 120, 60, 300_000_000)


def test_a_firing_that_goes_on_keeps_its_last_number() -> None:
    state = State(10, "firing", 10, 10, 10)
    assert list(firings(state, [(State(10, "firing", 10, 10, 20), 7.0), (State(10, "firing", 10, 10, 30), None)], 5.0)) == [
        Firing(10, None, 7.0)
    ]
