"""The course of a rule at a series: its verdicts folded into states, and these into firings."""

from collections.abc import Iterator, Sequence

from livekpi.alerts.judging.firings import Heard
from livekpi.alerts.judging.machine import Run, State, Timing, advance, silent


def course(state: State, runs: Sequence[Run], timing: Timing, until_us: int) -> Iterator[Heard]:
    """Each state that the runs lead to from a state on, with the number at that time; `until_us` is up to where was judged."""
    value: float | None = None
    for run in runs:
        for each in advance(state, run, timing):
            yield each, run.value
            state, value = each, run.value
    for each in silent(state, until_us, timing):
        yield each, value
        state = each
