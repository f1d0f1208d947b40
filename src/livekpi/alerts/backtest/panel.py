"""KPIs over long ranges: a value for each series and step, side by side in one array, where the query would sort millions of rows.

What lies in the store as it is asked for, a row a bucket and series, is put in its place; all else is asked of the query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from livekpi.alerts.judging.answers import select
from livekpi.alerts.series import steps_of
from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.expressions import Aggregate
from livekpi.engine.plan import CELL_KINDS, Grouping, Plan, grouping_of, partial_of
from livekpi.query import leaves
from livekpi.query.assembly import value_sql
from livekpi.query.leaves import Slice
from livekpi.query.points import Query
from livekpi.query.snapshot import Snapshot
from livekpi.store.layout import cells, quote, series

Values = tuple[str | None, ...]


@dataclass(frozen=True)
class Codes:
    """A number for each series of a rule."""

    by: tuple[str, ...]
    values: Sequence[Values]

    @property
    def table(self) -> pa.Table:
        """Columns code, g0, g1, …"""
        columns = {f"g{place}": pa.array([each[place] for each in self.values], pa.string()) for place in range(len(self.by))}
        return pa.table({"code": pa.array(range(len(self.values)), pa.int64()), **columns})

    def same(self, names: Sequence[str]) -> str:
        """SQL: that columns of these names are a code's."""
        return " AND ".join(f"{name} IS NOT DISTINCT FROM codes.g{place}" for place, name in enumerate(names)) or "true"


class Panels:
    """Values as arrays of (series × steps), one series after the other, of one snapshot of a store."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition, plan: Plan) -> None:
        self._cursor, self._query, self._plan = cursor, query, plan
        self._known = Snapshot(cursor, definition)

    def codes(self, kpis: Sequence[Kpi], by: tuple[str, ...], before_us: int) -> Codes:
        """The series of KPIs that had an event before a time."""
        if not by:
            return Codes((), [()])
        names = [f"g{place}" for place in range(len(by))]
        found: dict[Values, None] = {}
        for kpi in kpis:
            table = self._query.known_series(kpi, by, before_us)
            found |= dict.fromkeys(zip(*(table[name].to_pylist() for name in names), strict=True))
        return Codes(by, list(found))

    def value(self, kpi: Kpi, codes: Codes, from_us: int, count: int, size_us: int, *, carry: bool = True) -> pa.Array:
        """The KPI's values in `count` steps from a time on; `carry` as for Query.columns."""
        if all(self._lies(aggregate, codes.by, size_us) for aggregate in kpi.value.aggregates):
            numbers = {aggregate: number for number, aggregate in enumerate(dict.fromkeys(kpi.value.aggregates))}
            columns: dict[str, pa.Array] = {}
            for grouping in {grouping_of(self._plan, aggregate) for aggregate in numbers}:
                asked = {number: aggregate for aggregate, number in numbers.items() if grouping_of(self._plan, aggregate) == grouping}
                cut = Slice(grouping, tuple(f"d{grouping.by.index(name)}" for name in codes.by), "true", self._since_us(kpi))
                found = self._cells(cut, asked, codes, from_us, count, size_us, carry=carry)
                if found is None:
                    break
                columns |= found
            else:
                return one(select(self._cursor, f"SELECT {value_sql(kpi, numbers)} AS v FROM cells", {"cells": pa.table(columns)})["v"])
        steps = steps_of(from_us, from_us + count * size_us, size_us)
        return self.placed(self._query.columns(kpi, steps, codes.by, carry=carry).rename_columns(_names(codes.by)), codes, count)

    def placed(self, answer: pa.Table, codes: Codes, count: int) -> pa.Array:
        """An answer (columns i, g0, …, value) as an array; null where it has no row."""
        joined = answer
        if codes.by:
            same = codes.same([f"t.g{place}" for place in range(len(codes.by))])
            joined = select(self._cursor, f"SELECT i, code, value FROM t JOIN codes ON {same}", {"t": answer, "codes": codes.table})
        index = _index(joined, len(codes.values), count)
        return _taken(one(joined["value"]), index.ravel())

    def firsts_us(self, kpi: Kpi, codes: Codes) -> NDArray[np.int64]:
        """The bucket of each series' first event."""
        never = np.iinfo(np.int64).max
        found = np.full(len(codes.values), never, dtype=np.int64)
        for grouping in {grouping_of(self._plan, aggregate) for aggregate in kpi.value.aggregates}:
            found = np.minimum(found, self._firsts_us(Slice(grouping, _columns(grouping, codes.by), "true", 0), codes, never))
        return found

    def _lies(self, aggregate: Aggregate, by: Sequence[str], size_us: int) -> bool:
        whole = aggregate.every_us == size_us and aggregate.over_us <= size_us and aggregate.kind in CELL_KINDS
        grouping = grouping_of(self._plan, aggregate)
        return whole and set(by) == set(grouping.by) and all(before_us < 0 for _, before_us in self._known.rolled(grouping))

    def _since_us(self, kpi: Kpi) -> int:
        since = [self._known.since(grouping_of(self._plan, each)).get(partial_of(each).key) for each in kpi.value.aggregates]
        return max(time or 0 for time in since)

    def _cells(
        self, cut: Slice, asked: Mapping[int, Aggregate], codes: Codes, from_us: int, count: int, size_us: int, *, carry: bool
    ) -> dict[str, pa.Array] | None:
        """Each aggregate's array, by its name; None where the store has several rows of a bucket."""
        steps = steps_of(from_us, from_us + count * size_us, size_us)
        columns = ", ".join(f"{_single(aggregate)} AS a{number}" for number, aggregate in asked.items())
        table = f"{quote(cells(cut.grouping).name)} c"
        where = f"bucket >= make_timestamp({max(from_us, cut.since_us)}) AND bucket < make_timestamp({steps.ends[-1]})"
        same = codes.same([f"c.{name}" for name in cut.columns])
        statement = (
            f"SELECT (epoch_us(bucket) - {from_us}) // {size_us} AS i, code, {columns} FROM {table} JOIN codes ON {same} WHERE {where}"
        )
        found = select(self._cursor, statement, {"codes": codes.table})
        index = _index(found, len(codes.values), count)
        if np.count_nonzero(index >= 0) != found.num_rows:
            return None
        here = self._grid(cut, codes, np.asarray(steps.starts, dtype=np.int64), size_us)
        arrays = {}
        for number, aggregate in asked.items():
            values = one(found[f"a{number}"])
            if aggregate.kind == "last" and carry:
                before = self._before(leaves.before(cut, steps, number, aggregate), f"a{number}", codes)
                arrays[f"a{number}"] = _carried(values, index, before, here | (index >= 0))
                continue
            array = _taken(values, index.ravel())
            if aggregate.kind == "count":
                array = pc.if_else(pa.array((here & (index < 0)).ravel()), pa.scalar(0, array.type), array)
            arrays[f"a{number}"] = array
        return arrays

    def _grid(self, cut: Slice, codes: Codes, starts_us: NDArray[np.int64], size_us: int) -> NDArray[np.bool_]:
        """Where a series has begun and its source not ended: there an empty bucket counts 0, and a level goes on."""
        last_us = self._known.last_event_us(cut.grouping.source)
        if last_us is None:
            return np.zeros((len(codes.values), len(starts_us)), dtype=np.bool_)
        first_us = np.maximum(self._firsts_us(cut, codes, np.iinfo(np.int64).max), cut.since_us)
        here: NDArray[np.bool_] = (starts_us + size_us > first_us[:, None]) & (starts_us <= last_us)
        return here

    def _firsts_us(self, cut: Slice, codes: Codes, never: int) -> NDArray[np.int64]:
        same = codes.same([f"s.{name}" for name in cut.columns])
        table = f"{quote(series(cut.grouping))} s"
        found = select(
            self._cursor,
            f"SELECT code, epoch_us(min(first)) AS first FROM {table} JOIN codes ON {same} GROUP BY code",
            {"codes": codes.table},
        )
        firsts = np.full(len(codes.values), never, dtype=np.int64)
        firsts[found["code"].to_numpy()] = found["first"].to_numpy()
        return firsts

    def _before(self, statement: str, name: str, codes: Codes) -> pa.Array:
        same = codes.same([f"b.g{place}" for place in range(len(codes.by))])
        found = select(
            self._cursor, f"SELECT code, {name} FROM codes LEFT JOIN ({statement}) b ON {same} ORDER BY code", {"codes": codes.table}
        )
        return one(found[name])


def one(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    combined = column.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


def _names(by: Sequence[str]) -> list[str]:
    return ["i", *(f"g{place}" for place in range(len(by))), "value"]


def _columns(grouping: Grouping, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"d{grouping.by.index(name)}" for name in by)


def _single(aggregate: Aggregate) -> str:
    name = quote(partial_of(aggregate).key)
    return f"({name}).v" if aggregate.kind in ("last", "first") else name


def _index(table: pa.Table, series_count: int, count: int) -> NDArray[np.int64]:
    """Which row of a table is the one of a series and step; -1 where none is."""
    index = np.full(series_count * count, -1, dtype=np.int64)
    place = table["i"].to_numpy()
    if "code" in table.column_names:
        place = table["code"].to_numpy() * count + place
    index[place] = np.arange(len(place))
    return index.reshape(series_count, count)


def _taken(values: pa.Array, index: NDArray[np.int64]) -> pa.Array:
    return values.take(pa.array(index, mask=index < 0))


def _carried(values: pa.Array, index: NDArray[np.int64], before: pa.Array, here: NDArray[np.bool_]) -> pa.Array:
    """The last value up to each step, where something is there; `before` is the last before the first step, by series."""
    filled = np.where((index >= 0) & values.is_valid().to_numpy(zero_copy_only=False)[index], index, -1) if len(values) else index
    first = len(values) + np.arange(len(index))
    filled = np.concatenate([np.where(before.is_valid().to_numpy(zero_copy_only=False), first, -1)[:, None], filled], axis=1)
    last = np.maximum.accumulate(np.where(filled >= 0, np.arange(filled.shape[1]), 0), axis=1)
    found = np.take_along_axis(filled, last, axis=1)[:, 1:]
    return _taken(pa.concat_arrays([values, before]), np.where(here, found, -1).ravel())
