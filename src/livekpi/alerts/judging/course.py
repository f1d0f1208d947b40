"""The course of a rule at a series: its verdicts folded into states, and these into firings."""

from collections.abc import Iterator, Sequence

from livekpi.alerts.judging.firings import Heard
from livekpi.alerts.judging.machine import Run, State, Timing, advance, silent


def course(state: State, runs: Sequence[Run], timing: Timing, until_us: int) -> Iterator[Heard]:
    """Each state that the runs lead to from a state on, with the number for which the condition held last; `until_us` is up to where was
    judged.

    Where the condition holds no more there is none: while `keep` lasts, or the way to `clear`, what fired is what an alert is about.
    """
    for run in runs:
        value = run.value if run.when else None
        for each in advance(state, run, timing):
            yield each, value
            state = each
    for each in silent(state, until_us, timing):
        yield each, None
        state = each
