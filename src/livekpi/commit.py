"""What the engine says of a commit to those who watch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Commit:
    """What one commit changed."""

    number: int
    at_us: int
    touched: Mapping[str, frozenset[int]]
    """By grouping (its key), the buckets (µs) that changed."""
    events: int = 0
    """How many events it counted."""
    before_us: Mapping[str, int] = field(default_factory=dict)
    """The last event of each of its sources before it: buckets after that may have got a value though no event is in them, such as 0."""
