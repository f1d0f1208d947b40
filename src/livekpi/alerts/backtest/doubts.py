"""What history says against a rule: that its condition never held, or nearly always."""

from livekpi.alerts.backtest.trial import Tried
from livekpi.alerts.series import series_values
from livekpi.definition.durations import duration_text
from livekpi.moments import time_text
from livekpi.query.output import shown

LEAST_US = 86_400_000_000
LEAST_BUCKETS = 20
"""Less history than a day, or than so many buckets, says nothing of what is usual."""
NEARLY_ALWAYS = 0.9
"""The share of buckets, each counted of each series."""


def enough(tried: Tried) -> bool:
    """Whether there is enough history to doubt a rule by."""
    buckets = tried.tally.buckets
    return tried.problem is None and buckets >= LEAST_BUCKETS and buckets * tried.rule.every_us >= LEAST_US


def unreached(tried: Tried) -> str | None:
    """As `never_held`, of a condition that numbers should reach: that nothing was ever absent or anomalous is as it should be."""
    healthy = any(question.function in ("absent", "anomalous") for question in tried.rule.when.questions)
    return None if healthy else never_held(tried)


def never_held(tried: Tried) -> str | None:
    """That the condition never held, and how near it came; None where it did hold."""
    if tried.tally.held or not tried.tally.known:
        return None
    near = tried.nearest
    text = f"its condition never held{_where(tried)}"
    if near is None:
        return text
    series = (f"{name} = {value or '∅'}" for name, value in zip(tried.rule.by, series_values(near.series), strict=True))
    where = ", ".join([f"at {time_text(near.start_us)}", *series])
    return f"{text}; nearest to it came {shown(near.left)} {near.sign} {shown(near.right)}, {where}"


def held_nearly_always(tried: Tried) -> str | None:
    """That the condition held in nearly every bucket, so that the rule would hardly ever stop firing; None where it did not."""
    share = tried.tally.held / max(1, tried.tally.known)
    if share < NEARLY_ALWAYS:
        return None
    return f"its condition held {_percent(share)} of the time{_where(tried)}: it would be firing nearly always"


def _where(tried: Tried) -> str:
    every = duration_text(tried.rule.every_us)
    inside = " within its calendars" if tried.rule.only or tried.rule.except_ else ""
    return f" in the {tried.tally.buckets:,} buckets of {every}{inside} from {time_text(tried.from_us)} to {time_text(tried.until_us)}"


def _percent(share: float) -> str:
    """Rounded down, so that only what is all is called 100 %."""
    return f"{int(share * 100)} %"
