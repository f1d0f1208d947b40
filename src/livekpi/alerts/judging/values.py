"""Values laid out to be judged: one array a KPI, of all series and buckets, a series after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from livekpi.alerts.series import Series, series_text
from livekpi.definition.definition import Kpi

Index = NDArray[np.int64]


class Codes:
    """A number for each series by some dimensions, in the order in which they are met."""

    def __init__(self, by: tuple[str, ...]) -> None:
        self.by = by
        self.texts: list[Series] = []
        """The series, by their numbers."""
        self._numbers: dict[tuple[str | None, ...], int] = {}
        if not by:
            self._number(())

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def names(self) -> list[str]:
        """The columns that hold the dimensions of a series, in tables."""
        return [f"g{place}" for place in range(len(self.by))]

    @property
    def table(self) -> pa.Table:
        """Columns code, g0, g1, …"""
        columns = {name: pa.array([each[place] for each in self._numbers], pa.string()) for place, name in enumerate(self.names)}
        return pa.table({"code": pa.array(range(len(self)), pa.int64()), **columns})

    def same(self, names: Sequence[str]) -> str:
        """SQL: that columns of these names are a code's."""
        return " AND ".join(f"{name} IS NOT DISTINCT FROM codes.g{place}" for place, name in enumerate(names)) or "true"

    def of(self, table: pa.Table) -> Index:
        """The number of each row's series (its columns g0, g1, …); a series not met before gets the next."""
        met: list[tuple[str | None, ...]] = [()]
        rows: Index = np.zeros(table.num_rows, dtype=np.int64)
        for name in self.names:
            texts = one(table[name]).dictionary_encode("encode")
            size = max(1, len(texts.dictionary))
            pairs, rows = np.unique(rows * size + texts.indices.to_numpy(), return_inverse=True)
            known = texts.dictionary.to_pylist()
            met = [(*met[pair // size], known[pair % size]) for pair in pairs.tolist()]
        numbers: Index = np.array([self._number(each) for each in met], dtype=np.int64)[rows]
        return numbers

    def _number(self, values: tuple[str | None, ...]) -> int:
        number = self._numbers.setdefault(values, len(self.texts))
        if number == len(self.texts):
            self.texts.append(series_text(values))
        return number


@dataclass(frozen=True)
class Want:
    """What is needed of a KPI: its values in the buckets that begin at these times, which ascend."""

    kpi: Kpi
    starts_us: Index
    carry: bool = True
    """Whether it matters where no event came, too: there a level goes on, and a sum is 0."""


@dataclass(frozen=True)
class Panel:
    """What was wanted, in its order."""

    codes: Codes
    arrays: list[pa.Array]
    """Of each series the wanted buckets; null where there is no value."""


class Reader(Protocol):
    """Where values come from."""

    def read(self, by: tuple[str, ...], size_us: int, wants: Sequence[Want], tables: Sequence[pa.Table]) -> Panel:
        """The values in buckets of a size, of all series that have one there, and of those in `tables` (g0, g1, …)."""


def index_of(rows: Index, steps: Index, series_count: int, count: int) -> Index:
    """Which row of a table is the one of a series and step; -1 where none is. `rows` and `steps` are each row's."""
    index = np.full(series_count * count, -1, dtype=np.int64)
    index[rows * count + steps] = np.arange(len(rows))
    return index.reshape(series_count, count)


def taken(values: pa.Array, index: Index) -> pa.Array:
    """The values at these places; null at -1."""
    flat = index.ravel()
    return values.take(pa.array(flat, mask=flat < 0))


def one(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    combined = column.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined
