"""Values that were read once and are held for as long as no commit changes them: rules look at the same buckets again and again.

What is missing is read of many KPIs in one statement, for planning a statement costs more than reading its rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from livekpi.alerts.judging.values import Codes, Panel, Want, index_of, one, taken
from livekpi.alerts.series import steps_of
from livekpi.definition.definition import Kpi
from livekpi.query.query import Query

CELLS = 100_000
"""So many values of a KPI are held, those that were wanted last: of 200 series at 10s more than an hour."""
AHEAD = 30
"""Where a rule looks back at buckets that are not held, so many are read at once: the next ones are what it looks back at soon."""


@dataclass(frozen=True)
class _Name:
    """What is held together."""

    kpi: str
    by: tuple[str, ...]
    size_us: int
    carry: bool
    zeros: bool


@dataclass
class _Shelf:
    """A KPI's values by bucket, each an array of those series that were known when it was read; the others had none there. The bucket
    that was wanted last comes last."""

    kpi: Kpi
    carry: bool
    """Whether a level is carried on."""
    zeros: bool
    """Whether a sum is 0 where no event came."""
    groupings: frozenset[str]
    buckets: dict[int, pa.Array] = field(default_factory=dict)


class Held:
    """The values of one store. Before each transaction it must hear what commits have `touched`; after one that failed, `forget`."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, ...], Codes] = {}
        self._shelves: dict[_Name, _Shelf] = {}

    def touched(self, first_us: Mapping[str, int]) -> None:
        """Commits changed buckets: of groupings, by their keys, from these on."""
        for name, shelf in self._shelves.items():
            first = min((first_us[key] for key in shelf.groupings if key in first_us), default=None)
            if first is not None:  # a level is carried on and a window reaches on, so what comes after may be another, too
                shelf.buckets = {start: values for start, values in shelf.buckets.items() if start + name.size_us <= first}

    def forget(self) -> None:
        """All is read anew."""
        self._shelves.clear()

    def over(self, query: Query) -> "HeldReader":
        """Reads through a query what is not held."""
        return HeldReader(self._codes, self._shelves, query)


class HeldReader:
    """The values of one moment."""

    def __init__(self, codes: dict[tuple[str, ...], Codes], shelves: dict[_Name, _Shelf], query: Query) -> None:
        self._codes, self._shelves, self._query = codes, shelves, query

    def read(self, by: tuple[str, ...], size_us: int, wants: Sequence[Want], tables: Sequence[pa.Table]) -> Panel:
        """As for Reader."""
        codes = self._codes.setdefault(by, Codes(by))
        for table in tables:
            codes.of(table)
        wanted = [(self._shelf(want, by, size_us), want) for want in wants]
        last_us = max((want.starts_us[-1] for want in wants), default=0)
        for starts_us, missing in _missing(wanted, size_us):
            self._fetch(missing, _ahead(starts_us, missing, last_us), codes)
        panel = Panel(codes, [_laid_out(shelf, want, len(codes)) for shelf, want in wanted])
        for shelf, want in wanted:
            _clear(shelf, max(len(want.starts_us), CELLS // max(1, len(codes))))
        return panel

    def _shelf(self, want: Want, by: tuple[str, ...], size_us: int) -> _Shelf:
        kinds = {aggregate.kind for aggregate in want.kpi.value.aggregates}
        name = _Name(want.kpi.name, by, size_us, want.carry and "last" in kinds, want.carry or "sum" not in kinds)
        if name not in self._shelves:
            keys = frozenset(grouping.key for grouping, _ in self._query.kept.windows(want.kpi))
            self._shelves[name] = _Shelf(want.kpi, name.carry, name.zeros, keys)
        return self._shelves[name]

    def _fetch(self, shelves: Sequence[_Shelf], starts_us: range, codes: Codes) -> None:
        """Reads buckets; a level that is carried on from one that is held is not asked from where it comes."""
        before_us = starts_us.start - starts_us.step
        held = {shelf.kpi.name for shelf in shelves if shelf.carry and is_level(shelf.kpi) and before_us in shelf.buckets}
        steps = steps_of(starts_us.start, starts_us.stop, starts_us.step)
        for carry, zeros in ((False, True), (True, True), (False, False)):
            alike = [shelf for shelf in shelves if zeros == shelf.zeros and carry == (shelf.carry and shelf.kpi.name not in held)]
            own = {shelf.kpi.name: shelf for shelf in alike}
            for kpis, table in self._query.columns_together([shelf.kpi for shelf in alike], steps, codes.by, carry=carry, zeros=zeros):
                index = index_of(codes.of(table), table["i"].to_numpy(), len(codes), len(starts_us))
                for place, kpi in enumerate(kpis):
                    values = one(table[f"v{place}"])
                    own[kpi.name].buckets |= {start: taken(values, index[:, step]) for step, start in enumerate(starts_us)}
        for shelf in shelves:
            if shelf.kpi.name in held:
                self._carry_on(shelf, starts_us)

    def _carry_on(self, shelf: _Shelf, starts_us: range) -> None:
        """A level stands until the next one, up to where its source is known."""
        (source,) = shelf.kpi.sources
        last_us = self._query.known.filled_us(source)
        for start in starts_us:
            if last_us is not None and start <= last_us:
                values, before = shelf.buckets[start], shelf.buckets[start - starts_us.step]
                missing = pa.nulls(len(values) - len(before), before.type)
                shelf.buckets[start] = pc.coalesce(values, pa.concat_arrays([before, missing]))


def is_level(kpi: Kpi) -> bool:
    """Whether a KPI is nothing but a level: where it has no value, it has the last."""
    return isinstance(kpi.value.tree.unnest(), exp.Column) and [aggregate.kind for aggregate in kpi.value.aggregates] == ["last"]


def _missing(wanted: Iterable[tuple[_Shelf, Want]], size_us: int) -> list[tuple[range, list[_Shelf]]]:
    """What is not held, as buckets one after the other, with the shelves that lack some of these."""
    missing = {(start, id(shelf)): shelf for shelf, want in wanted for start in want.starts_us.tolist() if start not in shelf.buckets}
    spans: list[tuple[range, dict[int, _Shelf]]] = []
    # where clocks were set back, buckets of a day do not lie as those before
    for start, name in sorted(missing, key=lambda each: (each[0] % size_us, each)):
        if not spans or start % size_us != spans[-1][0].start % size_us or start > spans[-1][0].stop:
            spans.append((range(start, start, size_us), {}))
        span, shelves = spans[-1]
        shelves[name] = missing[start, name]
        spans[-1] = (range(span.start, start + size_us, size_us), shelves)
    return [(span, list(shelves.values())) for span, shelves in spans]


def _ahead(starts_us: range, shelves: Sequence[_Shelf], last_us: int) -> range:
    """Buckets with some of those that follow, which none of the shelves has; none that is later than all that is wanted."""
    stop_us = starts_us.stop
    while stop_us < min(last_us, starts_us.stop + AHEAD * starts_us.step) and not any(stop_us in shelf.buckets for shelf in shelves):
        stop_us += starts_us.step
    return range(starts_us.start, stop_us, starts_us.step)


def _laid_out(shelf: _Shelf, want: Want, series_count: int) -> pa.Array:
    """A series after the other, of buckets that are held one after the other."""
    held = []
    for start in want.starts_us.tolist():
        held.append(shelf.buckets.pop(start))
        shelf.buckets[start] = held[-1]  # in the order in which they were wanted last
    filled = [each for values in held for each in (values, pa.nulls(series_count - len(values), values.type))]
    places = np.arange(len(held) * series_count).reshape(len(held), series_count).T
    return pa.concat_arrays(filled).take(pa.array(places.ravel()))


def _clear(shelf: _Shelf, most: int) -> None:
    """Keeps those that were wanted last."""
    for start in list(shelf.buckets)[: max(0, len(shelf.buckets) - most)]:
        del shelf.buckets[start]
