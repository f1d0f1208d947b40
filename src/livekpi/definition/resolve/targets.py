"""What is odd in a KPI's targets, though it can be read."""

from livekpi.definition.durations import duration_text, microseconds, parse_duration
from livekpi.definition.file.document import Loc
from livekpi.definition.report import Report
from livekpi.definition.shape.model import Target
from livekpi.definition.shape.values import moment

_ZERO = "a target of 0 has no pace, for nothing can be told as a share of it"


def check_targets(loc: Loc, target: Target | None, timezone: str, every_us: int, report: Report) -> None:
    """Reports periods that cut a bucket in two; warns of targets of 0, which nothing is a share of, and of dated ones that overlap.

    `timezone` and `every_us` are the KPI's.
    """
    if isinstance(target, list):
        spans = [tuple(moment(text, each.timezone or timezone) for text in (each.from_, each.to)) for each in target]
        for index, (begin, end) in enumerate(spans):
            before = next((other for other, (first, last) in enumerate(spans[:index]) if begin < last and first < end), None)
            if before is not None:
                message = f"overlaps with the target from {target[before].from_} to {target[before].to}, which holds where both do"
                report.value((*loc, index, "from"), message, warning=True)
            if target[index].value == 0:
                report.value((*loc, index, "value"), _ZERO, warning=True)
    elif target is not None:
        for period in report.keys(loc):
            if period == "timezone":
                continue
            if microseconds(parse_duration(period)) % every_us:
                report.key((*loc, period), f"expected a multiple of the bucket, {duration_text(every_us)}")
            if target.values[parse_duration(period)] == 0:
                report.value((*loc, period), _ZERO, warning=True)
