"""Checks how long buckets of each size are kept."""

from itertools import pairwise

from livekpi.definition.durations import microseconds, parse_duration
from livekpi.definition.report import Report
from livekpi.definition.shape.model import DefinitionSpec


def resolve_keep(spec: DefinitionSpec, report: Report) -> tuple[tuple[int, int], ...]:
    """(bucket, how long it is kept) in µs, finest first; each must fit into the next, and be kept until then."""
    names: dict[int, str] = {}
    for name in report.keys(("keep",)):
        if name not in report.names(("keep",)):
            bucket_us = microseconds(parse_duration(name))
            if names.setdefault(bucket_us, name) != name:
                report.key(("keep", name), f"{name!r} is the same bucket as {names[bucket_us]!r}; keep one")
    keep = tuple(sorted((microseconds(bucket), microseconds(kept)) for bucket, kept in spec.keep.items()))
    for (fine_us, fine_kept_us), (coarse_us, coarse_kept_us) in pairwise(keep):
        fine, coarse = names.get(fine_us, ""), names.get(coarse_us, "")
        if coarse_us % fine_us:
            report.key(("keep", coarse), f"{coarse} is no multiple of {fine}, so the finer buckets can't be merged into it")
        if fine_kept_us < coarse_us:
            report.value(("keep", fine), f"expected at least {coarse}: buckets of {fine} must last until they make one of {coarse}")
        elif coarse_kept_us < fine_kept_us:
            report.value(("keep", coarse), f"expected at least as long as the finer {fine}")
    return keep
