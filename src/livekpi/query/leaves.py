"""SQL that merges partials into steps: for each aggregate of a KPI its value by step and slice.

Every query here yields columns `i` (the step's index), the slice's dimensions ``g0``, ``g1``, …, and aggregates ``a0``, ….
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from livekpi.definition.sql.expressions import Aggregate
from livekpi.engine.plan import BIN_OFFSET, GAMMA, Grouping, partial_of
from livekpi.query.steps import Steps
from livekpi.store.layout import MARKS, cells, column, quote, series, spread
from livekpi.store.maintenance import REGISTER_BITS, rank_sql, register_sql

STEPS = "steps"
"""The table of steps, registered by the caller: i, start, hi (both TIMESTAMP)."""


@dataclass(frozen=True)
class Slice:
    """What of a grouping is asked: its columns for the dimensions asked, a condition, and from when on."""

    grouping: Grouping
    columns: tuple[str, ...]
    where: str
    """SQL over the grouping's dimension columns, or ``true``."""
    since_us: int
    """Of a step the buckets before this don't count: not all that the KPI is made of is complete there."""
    own_us: int = 0
    """From when on what is read here is complete itself; a window that begins before its step reaches back as far as this."""

    @property
    def whole(self) -> bool:
        """Whether it is all of the grouping, as one."""
        return not self.columns and self.where == "true"

    @property
    def selected(self) -> str:
        return "".join(f", {name} AS g{index}" for index, name in enumerate(self.columns))

    @property
    def grouped(self) -> str:
        return "".join(f", g{index}" for index in range(len(self.columns)))


def rows(table: str, cut: Slice, steps: Steps, over_us: int, columns: str) -> str:
    """A table's rows with the index of each step whose window they are in."""
    apart = steps.size_us is not None and over_us <= steps.size_us
    lower = max(steps.starts[0], cut.since_us) if apart else max(steps.starts[0] - over_us, cut.own_us)
    within = f"bucket >= make_timestamp({lower}) AND bucket < make_timestamp({steps.ends[-1]}) AND {cut.where}"
    if apart:
        # most are asked live, for the one step that changes now: a constant costs less to plan and to group by
        index = "0 AS i" if len(steps) == 1 else f"(epoch_us(bucket) - {steps.starts[0]}) // {steps.size_us} AS i"
        return f"SELECT {index}{cut.selected}, {columns} FROM {quote(table)} WHERE {within}"
    window = f"bucket < hi AND bucket >= least(start, hi - to_microseconds({over_us}))"
    if cut.since_us > cut.own_us:
        window += f" AND (bucket >= make_timestamp({cut.since_us}) OR hi - to_microseconds({over_us}) < start)"
    return f"SELECT i{cut.selected}, {columns} FROM {quote(table)}, {STEPS} WHERE {window} AND {within}"


def cell_values(cut: Slice, steps: Steps, over_us: int, asked: Sequence[tuple[int, Aggregate]], mark: int | None = None) -> str:
    """The aggregates (with their numbers) that are columns of cells, in one scan; with `mark` what says of corrections, so numbered."""
    names = [quote(partial_of(aggregate).key) for _, aggregate in asked]
    merged = [f"{_merged(aggregate)} AS a{number}" for number, aggregate in asked]
    if mark is not None:
        names += [column.name for column in MARKS]
        merged += [f"{column.merged} AS {name}" for column, name in zip(MARKS, marked(mark), strict=True)]
    inner = rows(cells(cut.grouping).name, cut, steps, over_us, ", ".join(dict.fromkeys(names)))
    return f"SELECT i{cut.grouped}, {', '.join(merged)} FROM ({inner}) GROUP BY ALL"


def marked(mark: int) -> tuple[str, str]:
    """The columns of a mark: up to when what was corrected had been final, and when it was corrected."""
    return f"f{mark}", f"c{mark}"


def _merged(aggregate: Aggregate) -> str:
    merged = column(partial_of(aggregate)).merged
    return f"({merged}).v" if aggregate.kind in ("last", "first") else merged


def before(cut: Slice, steps: Steps, number: int, aggregate: Aggregate) -> str:
    """The last value before the first step, as step -1, to be carried into the range."""
    name = quote(partial_of(aggregate).key)
    inner = f"SELECT -1 AS i{cut.selected}, {name} FROM {quote(cells(cut.grouping).name)}"
    within = f"bucket < make_timestamp({steps.starts[0]}) AND bucket >= make_timestamp({cut.own_us}) AND {cut.where}"
    return f"SELECT i{cut.grouped}, {_merged(aggregate)} AS a{number} FROM ({inner} WHERE {within}) GROUP BY ALL"


def quantile_values(cut: Slice, steps: Steps, number: int, aggregate: Aggregate) -> str:
    """The value at a quantile's rank, within 1 % (the middle of its bin)."""
    table = spread(cut.grouping, partial_of(aggregate)).name
    inner = rows(table, cut, steps, aggregate.over_us, "key, n")
    merged = f"SELECT i{cut.grouped}, key, sum(n)::BIGINT AS n FROM ({inner}) GROUP BY ALL"
    series_ = f"i{cut.grouped}"
    running = f"sum(n) OVER (PARTITION BY {series_} ORDER BY key) AS reached, sum(n) OVER (PARTITION BY {series_}) AS total"
    rank = f"reached > {aggregate.quantile!r} * (total - 1)"
    middle = f"pow({GAMMA!r}, abs(key) - {BIN_OFFSET + 1}) * {2 * GAMMA / (GAMMA + 1)!r}"
    value = f"CASE WHEN key > 0 THEN {middle} WHEN key < 0 THEN -({middle}) ELSE 0 END"
    ranked = f"SELECT *, {running} FROM ({merged})"
    return f"SELECT {series_}, {value} AS a{number} FROM (SELECT {series_}, min(key) AS key FROM ({ranked}) WHERE {rank} GROUP BY ALL)"


def distinct_values(cut: Slice, steps: Steps, number: int, aggregate: Aggregate) -> str:
    """How many distinct values: exactly, or where some are registers only, estimated.

    The estimate is Ertl's improved raw estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017),
    without the term for saturated registers, which 48 bits of rank do not reach.
    """
    table = spread(cut.grouping, partial_of(aggregate)).name
    inner = rows(table, cut, steps, aggregate.over_us, "key, rank")
    series_ = f"i{cut.grouped}"
    exact = f"SELECT {series_}, count(DISTINCT key) AS exact, bool_or(rank IS NOT NULL) AS rough FROM ({inner}) GROUP BY ALL"
    count = 1 << REGISTER_BITS
    register = f"CASE WHEN rank IS NULL THEN {register_sql('key')} ELSE key END AS register"
    rank = f"CASE WHEN rank IS NULL THEN {rank_sql('key')} ELSE rank END AS rank"
    registers = f"SELECT {series_}, register, max(rank) AS rank FROM (SELECT {series_}, {register}, {rank} FROM ({inner})) GROUP BY ALL"
    empty = f"(({count} - count(*)) / {count})"
    powers = f"list_sum(list_transform(range(1, 40), lambda k: pow({empty}, pow(2, k)) * pow(2, k - 1)))"
    harmonic = f"(sum(pow(2, -rank::DOUBLE)) + {count} * ({empty} + {powers}))"
    estimate = (
        f"SELECT {series_}, round({count * count / 1.3862943611198906!r} / {harmonic})::BIGINT AS estimate FROM ({registers}) GROUP BY ALL"
    )
    names = ["i", *(f"g{index}" for index in range(len(cut.columns)))]
    same = " AND ".join(f"x.{name} IS NOT DISTINCT FROM y.{name}" for name in names)
    columns = ", ".join(f"x.{name}" for name in names)
    return (
        f"SELECT {columns}, CASE WHEN rough THEN estimate ELSE exact END AS a{number} FROM ({exact}) x LEFT JOIN ({estimate}) y ON {same}"
    )


def exact_distinct_values(cut: Slice, steps: Steps, number: int, aggregate: Aggregate) -> str:
    """As `distinct_values`, where no bucket of the range has been rolled up."""
    table = spread(cut.grouping, partial_of(aggregate)).name
    inner = rows(table, cut, steps, aggregate.over_us, "key")
    return f"SELECT i{cut.grouped}, count(DISTINCT key) AS a{number} FROM ({inner}) GROUP BY ALL"


def grid(cut: Slice, last_event_us: int, numbers: Sequence[int], summed: Sequence[int] = ()) -> str:
    """A row for each step and slice from the slice's first event to the source's last, with 0 for these aggregates.

    An empty bucket counts 0 there, and a level is carried on; for those that are `summed` a column ``z…`` says that it is there.
    There is no row while what is asked is complete only from after the last event on: of what a step holds nothing has been counted yet.
    """
    first = f"SELECT min(first) AS first{cut.selected} FROM {quote(series(cut.grouping))} WHERE {cut.where} GROUP BY ALL"
    since, last = f"make_timestamp({cut.since_us})", f"make_timestamp({last_event_us})"
    within = f"hi > first AND hi > {since} AND start <= {last} AND {since} <= {last}"
    return f"SELECT i{cut.grouped}{_zeros(numbers, summed)} FROM ({first}), {STEPS} WHERE {within}"


def whole_grid(
    cut: Slice, steps: Steps, first_us: int | None, last_event_us: int, numbers: Sequence[int], summed: Sequence[int] = ()
) -> str:
    """As `grid` where there are no slices: no table need be asked, as the bucket of the grouping's first event is known."""
    none = len(steps)
    begin = none if first_us is None or cut.since_us > last_event_us else bisect_right(steps.ends, max(first_us, cut.since_us))
    return f"SELECT i{_zeros(numbers, summed)} FROM range({begin}, {bisect_right(steps.starts, last_event_us)}) numbers(i)"


def _zeros(numbers: Sequence[int], summed: Sequence[int]) -> str:
    return "".join([*(f", 0 AS a{number}" for number in numbers), *(f", true AS z{number}" for number in summed)])
