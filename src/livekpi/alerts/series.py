"""Series by their dimensions' texts, and buckets one after the other: what judging and learning both count in."""

import json
from collections.abc import Mapping, Sequence

from livekpi.query.steps import Steps

Series = str
"""A series as the JSON list of its dimensions' texts, as the ledger keeps it."""


def series_text(values: Sequence[str | None]) -> Series:
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def series_values(text: Series) -> tuple[str | None, ...]:
    return tuple(json.loads(text))


def texts_of(series: Mapping[str, str | None]) -> dict[str, str]:
    """Dimensions by name for the API, where one that is null is an empty text."""
    return {name: value or "" for name, value in series.items()}


def steps_of(from_us: int, to_us: int, size_us: int) -> Steps:
    """The buckets from one that begins at a time to one that ends at another."""
    starts = range(from_us, to_us, size_us)
    return Steps(starts, range(from_us + size_us, from_us + size_us + len(starts) * size_us, size_us), size_us)
