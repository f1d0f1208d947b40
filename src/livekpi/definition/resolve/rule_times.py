"""The bucket at which an alert rule is judged, and whether its durations fit it and what is kept."""

from collections.abc import Iterator, Mapping

from livekpi.definition.definition import Kpi
from livekpi.definition.durations import duration_text, format_duration, microseconds
from livekpi.definition.file.document import Loc
from livekpi.definition.problems import ExpressionError
from livekpi.definition.report import Report
from livekpi.definition.rules.conditions import Condition, Question
from livekpi.definition.tiers import tiers

Kept = tuple[tuple[int, int], ...]
"""(bucket, how long it is kept) in µs, finest bucket first."""
_MINUTE_US = 60_000_000
_COMPARING = {"ago", "rising", "falling"}
"""The functions that need a bucket of the past that is as large as that of now."""


def rule_bucket_us(
    loc: Loc, conditions: Mapping[str, Condition], kpis: Mapping[str, Kpi], late_us: Mapping[str, int], keep_us: Kept, report: Report
) -> int:
    """The bucket in µs at which a rule with these conditions, by their keys, is judged.

    It is the largest of the KPIs' buckets. Where the rule looks back to when buckets of that size are merged already, it is the size
    that they are merged to. `late_us` is by source.
    """
    used = [kpis[name] for condition in conditions.values() for name in condition.kpis]
    own_us = max(kpi.every_us for kpi in used)
    if any(own_us % kpi.every_us for kpi in used):
        report.value((*loc, "when"), "the buckets of its KPIs don't fit: expected the largest to be a multiple of each other")
        return own_us
    every_us = own_us
    for key, condition in conditions.items():
        for place, question in _looking_back(condition):
            kpi = kpis[question.kpi]
            age_us = microseconds(question.duration) + kpi.over_us + max(late_us[source] for source in kpi.sources)
            grain_us = _kept_grain_us(kpi, age_us, own_us, keep_us)
            if grain_us is None:
                message = f"`keep` leaves no buckets of {question.kpi!r} that are so old, with the time for late events"
                report.expression((*loc, key), ExpressionError(f"{_said(question)}: {message}", place))
                continue
            every_us = max(every_us, grain_us)
            if grain_us > max(own_us, _MINUTE_US):
                size, own = duration_text(grain_us), duration_text(own_us)
                message = f"{_said(question)}: so far back there are only buckets of {size}, so the rule is judged once in {size}"
                report.expression((*loc, key), ExpressionError(f"{message}; `keep` those of {own} for longer", place), warning=True)
    _check_multiples(loc, conditions, kpis, every_us, report)
    return every_us


def whole_buckets_us(loc: Loc, given_us: int, every_us: int, report: Report) -> int:
    """A duration as whole buckets; it is reported where that makes it longer."""
    whole_us = -(-given_us // every_us) * every_us
    if whole_us != given_us:
        report.value(
            loc, f"is taken as {duration_text(whole_us)}, for the rule is judged once a bucket of {duration_text(every_us)}", warning=True
        )
    return whole_us


def _looking_back(condition: Condition) -> Iterator[tuple[int, Question]]:
    """The questions with a duration, each with its place."""
    return ((place, question) for place, question in zip(condition.places, condition.questions, strict=True) if question.duration)


def _kept_grain_us(kpi: Kpi, age_us: int, least_us: int, keep_us: Kept) -> int | None:
    """The finest buckets of at least `least_us` that can be made of what is there at an age; None where nothing is."""
    for grain_us, kept_us in tiers(kpi.every_us, keep_us):
        fits = max(grain_us, least_us) % min(grain_us, least_us) == 0 and (kpi.over_us <= grain_us or kpi.over_us % grain_us == 0)
        if age_us <= kept_us and fits:
            return max(grain_us, least_us)
    return None


def _check_multiples(loc: Loc, conditions: Mapping[str, Condition], kpis: Mapping[str, Kpi], every_us: int, report: Report) -> None:
    for key, condition in conditions.items():
        for place, question in _looking_back(condition):
            bucket_us = every_us if question.function in _COMPARING else kpis[question.kpi].every_us
            if microseconds(question.duration) % bucket_us:
                message = f"{_said(question)}: expected a multiple of the bucket, {duration_text(bucket_us)}"
                report.expression((*loc, key), ExpressionError(message, place))


def _said(question: Question) -> str:
    return f"{question.function} by {format_duration(question.duration)}"
