"""KPIs over long ranges: a value for each series and step, side by side in one array, where the query would sort millions of rows.

What lies in the store as it is asked for, a row a bucket and series, is put in its place; all else is asked of the query.
"""

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from livekpi.alerts.judging.values import Codes, Index, Panel, Want, index_of, one, taken
from livekpi.alerts.series import steps_of
from livekpi.definition.definition import Kpi
from livekpi.definition.sql.expressions import Aggregate
from livekpi.engine.plan import CELL_KINDS, Plan, grouping_of, partial_of
from livekpi.query import leaves
from livekpi.query.assembly import value_sql
from livekpi.query.leaves import Slice
from livekpi.query.query import Query
from livekpi.store.arrow import select
from livekpi.store.layout import cells, quote, series


class Panels:
    """Values of one snapshot of a store; as for Reader."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, plan: Plan) -> None:
        self._cursor, self._query, self._plan = cursor, query, plan
        self._known = query.known

    def read(self, by: tuple[str, ...], size_us: int, wants: Sequence[Want], tables: Sequence[pa.Table]) -> Panel:
        """The values, of all series that had an event before the last bucket's end."""
        codes = Codes(by)
        kpis = {want.kpi.name: want.kpi for want in wants}
        end_us = max((int(want.starts_us[-1]) + size_us for want in wants), default=0)
        for table in (*tables, *(self._query.known_series(kpi, by, end_us) for kpi in kpis.values())):
            codes.of(table)
        times: dict[tuple[str, bool], list[Index]] = {}
        for want in wants:
            times.setdefault((want.kpi.name, want.carry), []).append(want.starts_us)
        found = {
            (name, carry): [
                (starts_us, self.value(kpis[name], codes, starts_us.start, len(starts_us), size_us, carry=carry))
                for starts_us in _spans(np.concatenate(own), size_us)
            ]
            for (name, carry), own in times.items()
        }
        return Panel(codes, [_at(found[want.kpi.name, want.carry], want.starts_us, len(codes)) for want in wants])

    def value(self, kpi: Kpi, codes: Codes, from_us: int, count: int, size_us: int, *, carry: bool = True) -> pa.Array:
        """The KPI's values in `count` steps from a time on; `carry` as for Query.columns."""
        since = {self._query.kept.part_since_us(aggregate) for aggregate in kpi.value.aggregates}
        if len(since) == 1 and all(self._lies(aggregate, codes.by, size_us) for aggregate in kpi.value.aggregates):
            [since_us] = since
            numbers = {aggregate: number for number, aggregate in enumerate(dict.fromkeys(kpi.value.aggregates))}
            columns: dict[str, pa.Array] = {}
            for grouping in {grouping_of(self._plan, aggregate) for aggregate in numbers}:
                asked = {number: aggregate for aggregate, number in numbers.items() if grouping_of(self._plan, aggregate) == grouping}
                cut = Slice(grouping, tuple(f"d{grouping.by.index(name)}" for name in codes.by), "true", since_us, since_us)
                found = self._cells(cut, asked, codes, from_us, count, size_us, carry=carry)
                if found is None:
                    break
                columns |= found
            else:
                return one(select(self._cursor, f"SELECT {value_sql(kpi, numbers)} AS v FROM cells", {"cells": pa.table(columns)})["v"])
        table = self._query.columns(kpi, steps_of(from_us, from_us + count * size_us, size_us), codes.by, carry=carry, zeros=carry)
        return taken(one(table["v0"]), index_of(codes.of(table), table["i"].to_numpy(), len(codes), count))

    def _lies(self, aggregate: Aggregate, by: Sequence[str], size_us: int) -> bool:
        whole = aggregate.every_us == size_us and aggregate.over_us <= size_us and aggregate.kind in CELL_KINDS
        grouping = grouping_of(self._plan, aggregate)
        return whole and set(by) == set(grouping.by) and all(before_us < 0 for _, before_us in self._known.rolled(grouping))

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
        index = index_of(found["code"].to_numpy(), found["i"].to_numpy(), len(codes), count)
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
            array = taken(values, index)
            if aggregate.kind == "count" or (aggregate.kind == "sum" and carry):
                array = pc.if_else(pc.and_(pa.array(here.ravel()), array.is_null()), pa.scalar(0, array.type), array)
            arrays[f"a{number}"] = array
        return arrays

    def _grid(self, cut: Slice, codes: Codes, starts_us: NDArray[np.int64], size_us: int) -> NDArray[np.bool_]:
        """Where a series has begun and its source not ended: there an empty bucket counts 0 and has a sum of 0, and a level goes on."""
        last_us = self._known.filled_us(cut.grouping.source)
        if last_us is None:
            return np.zeros((len(codes), len(starts_us)), dtype=np.bool_)
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
        firsts = np.full(len(codes), never, dtype=np.int64)
        firsts[found["code"].to_numpy()] = found["first"].to_numpy()
        return firsts

    def _before(self, statement: str, name: str, codes: Codes) -> pa.Array:
        same = codes.same([f"b.g{place}" for place in range(len(codes.by))])
        found = select(
            self._cursor, f"SELECT code, {name} FROM codes LEFT JOIN ({statement}) b ON {same} ORDER BY code", {"codes": codes.table}
        )
        return one(found[name])


def _spans(times_us: Index, size_us: int) -> list[range]:
    """Buckets one after the other that hold all these, as few as can be; where clocks were set back, buckets of a day lie otherwise."""
    phases = times_us % size_us
    return [range(int(own.min()), int(own.max()) + size_us, size_us) for phase in np.unique(phases) for own in [times_us[phases == phase]]]


def _at(found: Sequence[tuple[range, pa.Array]], times_us: Index, series_count: int) -> pa.Array:
    """Of each series the values of the buckets that begin at these times, out of what was read of such spans."""
    ((first, array), *others) = found
    if not others and len(first) == len(times_us):
        return array
    index = np.full((series_count, len(times_us)), -1, dtype=np.int64)
    passed = 0
    for starts_us, _ in found:
        own = times_us % starts_us.step == starts_us.start % starts_us.step
        places = (times_us[own] - starts_us.start) // starts_us.step
        index[:, own] = passed + np.arange(series_count)[:, None] * len(starts_us) + places
        passed += series_count * len(starts_us)
    return taken(pa.concat_arrays([each for _, each in found]), index)


def _single(aggregate: Aggregate) -> str:
    name = quote(partial_of(aggregate).key)
    return f"({name}).v" if aggregate.kind in ("last", "first") else name


def _carried(values: pa.Array, index: NDArray[np.int64], before: pa.Array, here: NDArray[np.bool_]) -> pa.Array:
    """The last value up to each step, where something is there; `before` is the last before the first step, by series."""
    filled = np.where((index >= 0) & values.is_valid().to_numpy(zero_copy_only=False)[index], index, -1) if len(values) else index
    first = len(values) + np.arange(len(index))
    filled = np.concatenate([np.where(before.is_valid().to_numpy(zero_copy_only=False), first, -1)[:, None], filled], axis=1)
    last = np.maximum.accumulate(np.where(filled >= 0, np.arange(filled.shape[1]), 0), axis=1)
    found = np.take_along_axis(filled, last, axis=1)[:, 1:]
    return taken(pa.concat_arrays([values, before]), np.where(here, found, -1))
