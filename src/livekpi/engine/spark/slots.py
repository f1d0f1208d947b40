"""Where each partial stands in the rows that Spark merges.

All tables of a source are merged by one aggregation, so that there is one scan and one state. Its columns are slots: some that add,
some that take the least and some that take the greatest. Which slot a partial has is settled when it is first run and stays, and there
is room for more; so a KPI can come or go, and the state of the others is as it was.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, Self

from livekpi.definition.definition import Definition
from livekpi.definition.tiers import tiers
from livekpi.engine.plan import Grouping, Partial
from livekpi.store.layout import cells, column

SlotKind = Literal["sum_number", "sum_double", "min_text", "max_text"]
KINDS: tuple[SlotKind, ...] = ("sum_number", "sum_double", "min_text", "max_text")
SPARK_TYPES: Mapping[SlotKind, str] = {
    "sum_number": "DECIMAL(38, 0)",
    "sum_double": "DOUBLE",
    "min_text": "STRING",
    "max_text": "STRING",
}
LEAST: Mapping[SlotKind, int] = {"sum_number": 4, "sum_double": 2, "min_text": 0, "max_text": 0}
"""How many slots of a kind there are at least. With a text to compare Spark sorts rows to merge them, which costs more."""


class SlotsError(Exception):
    """The state of a job has no room for what is to be kept."""


@dataclass(frozen=True)
class Slots:
    """The slots of a source's tables."""

    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By table and column, the name of its slot."""
    counts: Mapping[SlotKind, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    """By table of cells, for how long after its bucket (µs) a row of it and of what spreads beside it is kept, see `keeping`."""

    @property
    def names(self) -> tuple[str, ...]:
        """All slots, in the order in which rows have them."""
        return tuple(name(kind, index) for kind in KINDS for index in range(self.counts[kind]))

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """What `text` wrote. Raises ValueError."""
        found = json.loads(text)
        try:
            slots = cls(**found)
            complete = slots.counts.keys() >= {*KINDS}
        except (TypeError, AttributeError) as error:
            raise ValueError(f"no slots: {error}") from error
        if not complete:
            raise ValueError("no slots: not of each kind")
        return slots


def name(kind: SlotKind, index: int) -> str:
    return f"{kind}_{index}"


def kind_of(slot: str) -> SlotKind:
    """The kind of a slot of that name."""
    return next(kind for kind in KINDS if slot.startswith(kind))


def slot_kind(partial: Partial) -> SlotKind:
    """How a partial of the cells merges. Decimals are added as whole numbers of their last digit."""
    if partial.kind in ("min", "first"):
        return "min_text"
    if partial.kind in ("max", "last"):
        return "max_text"
    return "sum_double" if partial.kind == "sum" and partial.type.kind == "number" else "sum_number"


def assign(groupings: Iterable[Grouping], earlier: Slots | None = None) -> Slots:
    """Gives each partial a slot; those that had one in `earlier` keep it.

    Raises SlotsError where the rows of `earlier` are too narrow.
    """
    places: dict[str, dict[str, str]] = {} if earlier is None else {table: dict(columns) for table, columns in earlier.places.items()}
    counts = dict(LEAST) if earlier is None else dict(earlier.counts)
    for grouping in groupings:
        own = places.setdefault(cells(grouping).name, {})
        for partial in grouping.cells:
            wanted, kind = column(partial).name, slot_kind(partial)
            if wanted in own:
                continue
            index = next(index for index in range(len(own) + 1) if name(kind, index) not in own.values())
            if index >= counts[kind] and earlier is not None:
                raise SlotsError(f"the job's state has room for {counts[kind]} of {kind} in {cells(grouping).name}, and needs more")
            own[wanted] = name(kind, index)
            if earlier is None:
                counts[kind] = max(counts[kind], _power_of_two(index + 2))  # one is free at least
    return Slots(places, counts, {} if earlier is None else earlier.kept)


def keeping(slots: Slots, kept_us: Mapping[str, int]) -> Slots:
    """Settles how long the rows of tables are kept. What was settled stays: the state is grouped by when a row expires, too,
    and one that expired at another time would begin its bucket anew.
    """
    return replace(slots, kept={**kept_us, **slots.kept})


def wanted_keeps(definition: Definition, groupings: Sequence[Grouping]) -> dict[str, int]:
    """How long a definition has each table of cells kept (µs), as long as it keeps the bucket."""
    return {cells(grouping).name: tiers(grouping.every_us, definition.keep_us)[0][1] for grouping in groupings}


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
