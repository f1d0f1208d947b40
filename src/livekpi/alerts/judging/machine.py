"""A rule's state at one series: inactive, pending, firing, and from there back. Pure: time is what the verdicts say.

A verdict is about a bucket; what is true of a bucket is known at its end. A bucket without a verdict changes nothing for a while,
since no number is no news; after STALE_US it counts as one where the condition does not hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Self

Phase = Literal["inactive", "pending", "firing", "keeping"]
"""`keeping`: the condition has ceased, and the alert stays for `keep`."""
STALE_US = 300_000_000
"""How long a series without numbers is thought to be as it was last."""


@dataclass(frozen=True, slots=True)
class Run:
    """Buckets one after the other with the same verdict."""

    from_us: int
    """Where the first begins."""
    to_us: int
    """Where the last ends."""
    when: bool | None
    """Whether the condition holds; None where that can't be known."""
    clear: bool | None
    """Whether the condition to stop at holds; where the rule has none, the opposite of `when`."""
    value: float | None
    """The number looked at first, in the last bucket."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a rule stands at a series from `at_us` on."""

    at_us: int
    phase: Phase
    since_us: int
    """Pending: where the first bucket begins in which the condition held. Keeping: when it ceased."""
    started_us: int | None
    """When it began to fire."""
    known_us: int
    """The end of the last bucket with a verdict."""

    @property
    def fires(self) -> bool:
        return self.phase in ("firing", "keeping")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a rule waits, in µs; whole buckets."""

    every_us: int
    for_us: int
    keep_us: int
    stale_us: int

    @classmethod
    def of(cls, every_us: int, for_us: int, keep_us: int) -> Self:
        """Durations are rounded up to whole buckets."""
        rounded = [-(-each // every_us) * every_us for each in (for_us, keep_us, max(STALE_US, 3 * every_us))]
        return cls(every_us, *rounded)


def inactive(at_us: int) -> State:
    """The state before anything is known."""
    return State(at_us, "inactive", at_us, None, at_us)


def advance(state: State, run: Run, timing: Timing) -> Iterator[State]:
    """Each state that a run leads to, in the order of time; the last knows of the whole run, and may be the state as it was."""
    for each in silent(state, run.from_us, timing):
        yield each
        state = each
    if run.when is None and run.clear is None:
        return
    for each in _heard(state, run, timing):
        yield each
        state = each
    yield replace(state, known_us=run.to_us)


def silent(state: State, until_us: int, timing: Timing) -> Iterator[State]:
    """The state that follows where nothing more is heard of a series until a time; none where it stays as it is."""
    if state.phase == "inactive":
        return
    stale_us = state.known_us + timing.stale_us
    if state.phase == "firing" and timing.keep_us and stale_us <= until_us:
        state = State(stale_us, "keeping", stale_us, state.started_us, state.known_us)
        yield state
    ends_us = state.since_us + timing.keep_us if state.phase == "keeping" else stale_us
    if ends_us <= until_us:
        yield _inactive(ends_us, state)


def _heard(state: State, run: Run, timing: Timing) -> Iterator[State]:
    first_us = run.from_us + timing.every_us
    if state.fires:
        yield from _firing(state, run, timing, first_us)
    elif run.when:
        since_us = state.since_us if state.phase == "pending" else run.from_us
        fires_us = max(first_us, since_us + timing.for_us)
        if state.phase == "inactive" and fires_us > first_us:
            yield State(first_us, "pending", since_us, None, state.known_us)
        if fires_us <= run.to_us:
            yield State(fires_us, "firing", fires_us, fires_us, state.known_us)
    elif run.when is False and state.phase == "pending":
        yield _inactive(first_us, state)


def _firing(state: State, run: Run, timing: Timing, first_us: int) -> Iterator[State]:
    if run.when:  # goes before `clear`, so that an alert is not ended by a bucket that would begin it
        if state.phase == "keeping":
            yield State(first_us, "firing", first_us, state.started_us, state.known_us)
        return
    if state.phase == "firing":
        if not run.clear:
            return
        if timing.keep_us:
            state = State(first_us, "keeping", first_us, state.started_us, state.known_us)
            yield state
    ends_us = state.since_us + timing.keep_us if state.phase == "keeping" else first_us
    if ends_us <= run.to_us:
        yield _inactive(ends_us, state)


def _inactive(at_us: int, state: State) -> State:
    return State(at_us, "inactive", at_us, None, state.known_us)
