"""Roll-up and retention of partials: sums stay, distinct values become registers that are off by less than 2 %."""

import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.engine.plan import Grouping
from livekpi.query.leaves import Slice, distinct_values
from livekpi.query.steps import Steps
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store.layout import cells, quote, series, spread
from livekpi.store.maintenance import EXACT_VALUES, REGISTER_BITS, compact, drop_before, rank_sql, register_sql, roll_up
from tests.rehearsed import HOUR_US, MINUTE_US, NOON_US, definition, rehearsed, send, values

KPIS = {"users": "value: count(distinct user), by: [c]"}
FIELDS = "c: optional string, user: string"
LEVELS = ((1 << 64) - 1, (1 << 48) - 1)


def register_and_rank(hash_: int) -> tuple[int, int]:
    """The textbook's: the first bits choose the register; the rank is the place of the first 1 among the rest, from below."""
    bits = f"{hash_:064b}"
    rest = bits[REGISTER_BITS:][::-1]
    return int(bits[:REGISTER_BITS], 2), rest.index("1") + 1 if "1" in rest else len(rest) + 1


@given(
    st.lists(st.one_of(st.integers(0, LEVELS[0]), st.integers(0, 63).map(lambda bit: 1 << bit), st.sampled_from([0, *LEVELS])), min_size=1)
)
def test_registers_and_ranks_are_the_textbooks(hashes: list[int]) -> None:
    sql = f"SELECT {register_sql('h')}, {rank_sql('h')} FROM (SELECT unnest($hashes::UBIGINT[]) h)"
    assert duckdb.connect().execute(sql, {"hashes": hashes}).fetchall() == [register_and_rank(hash_) for hash_ in hashes]


def users(server: Rehearsal) -> tuple[Grouping, str]:
    (grouping,) = server.engine.plan.groupings["s"]
    return grouping, quote(spread(grouping, grouping.spreads[0]).name)


def fill(server: Rehearsal, bucket_us: int, first: int, last: int, c: str = "x") -> None:
    """Puts users into a bucket, named by numbers, as the engine would hash them."""
    _, name = users(server)
    with server.store.transaction() as cursor:
        cursor.execute(
            f"INSERT INTO {name} SELECT make_timestamp({bucket_us}), ?, md5_number_lower(i::VARCHAR), NULL FROM range(?, ?) t(i)",
            [c, first, last],
        )


class Listening:
    """A cursor that notes what is executed by it."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor, self.texts = cursor, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, text: str, *rest: Any) -> duckdb.DuckDBPyConnection:
        self.texts.append(text)
        return self._cursor.execute(text, *rest)


def longest_text(server: Rehearsal, buckets: int) -> int:
    """The longest statement by which so many buckets of each a user are merged and rolled up."""
    grouping, name = users(server)
    filled = [NOON_US - bucket * HOUR_US for bucket in range(1, 1 + buckets)]
    with server.store.transaction() as cursor:
        starts = ", ".join(f"(make_timestamp({bucket}))" for bucket in filled)
        for table, columns in ((name, "bucket, d0, 7, NULL"), (quote(cells(grouping).name), "bucket, d0, 1, NULL, NULL")):
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"INSERT INTO {table} SELECT {columns} FROM (VALUES {starts}) b(bucket), (SELECT 'x' AS d0)")
        listening = Listening(cursor)
        compact(listening, grouping, filled)  # type: ignore[arg-type]  # all that is done with one
        roll_up(listening, grouping, 24 * HOUR_US, NOON_US - 12 * HOUR_US)  # type: ignore[arg-type]
    return max(map(len, listening.texts))


def test_no_statement_grows_with_the_buckets(tmp_path: Path) -> None:
    """History has hundreds of thousands, and each that stood in a statement would cost it several KB of memory."""
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        assert longest_text(server, 2_000) == longest_text(server, 20)


def test_a_hash_is_the_lower_half_of_md5() -> None:
    """Stored for years, so it may not change: the last eight bytes of the digest, the least of them first."""
    row = duckdb.connect().execute("SELECT md5_number_lower('ada')").fetchone()
    assert row == (int.from_bytes(hashlib.md5(b"ada", usedforsecurity=False).digest()[8:], "little"),)


def rolled_up(server: Rehearsal) -> None:
    grouping, _ = users(server)
    with server.store.transaction() as cursor:
        roll_up(cursor, grouping, HOUR_US, NOON_US)


def counted(server: Rehearsal, first_us: int, last_us: int) -> dict[int, int]:
    """Distinct users by hour."""
    grouping, _ = users(server)
    starts = tuple(range(first_us, last_us, HOUR_US))
    steps = Steps(starts, tuple(start + HOUR_US for start in starts), HOUR_US)
    (aggregate,) = server.definition.kpis["users"].value.aggregates
    with server.cursor() as cursor:
        return dict(cursor.execute(distinct_values(Slice(grouping, (), "true", 0), steps, 0, aggregate)).fetchall())


@pytest.mark.parametrize("count", [EXACT_VALUES, EXACT_VALUES + 1, 10_000, 65_536, 300_000])
def test_distinct_values_stay_exact_while_few_and_within_two_percent_when_many(tmp_path: Path, count: int) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        hour = NOON_US - HOUR_US
        send(server, {"ts": "2026-03-01T11:00:00Z", "c": "x", "user": "0"})
        for part in range(4):  # in four buckets, which overlap
            fill(server, hour + part * MINUTE_US, part * count // 8, count - (3 - part) * count // 8)
        assert counted(server, hour, NOON_US) == {0: count}
        rolled_up(server)
        found = counted(server, hour, NOON_US)[0]
        assert found == count if count <= EXACT_VALUES else abs(found - count) <= 0.02 * count
        _, name = users(server)
        with server.cursor() as cursor:
            row = cursor.execute(f"SELECT count(*), count(rank) FROM {name}").fetchone()
        assert row is not None
        assert row[0] <= 1 << REGISTER_BITS
        assert (row[1] > 0) == (count > EXACT_VALUES)


def test_registers_merge_with_each_other_and_with_values_that_come_late(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        hour = NOON_US - 2 * HOUR_US
        send(server, {"ts": "2026-03-01T10:00:00Z", "c": "x", "user": "0"})
        fill(server, hour, 0, 20_000)
        fill(server, hour, 0, 20_000, c="y")
        fill(server, hour + HOUR_US, 10_000, 13_000)
        rolled_up(server)
        rolled_up(server)
        by_hour = counted(server, hour, NOON_US)
        assert by_hour[0] == pytest.approx(20_000, rel=0.02)
        assert by_hour[1] == 3_000
        fill(server, hour + MINUTE_US, 15_000, 25_000)
        assert counted(server, hour, NOON_US)[0] == pytest.approx(25_000, rel=0.02)
        rolled_up(server)
        assert counted(server, hour, NOON_US)[0] == pytest.approx(25_000, rel=0.02)
        fill(server, hour + MINUTE_US, 24_990, 25_000)  # few: they stay beside the registers
        rolled_up(server)
        assert counted(server, hour, NOON_US)[0] == pytest.approx(25_000, rel=0.02)


def test_sums_of_rolled_up_buckets_are_those_of_their_parts(tmp_path: Path) -> None:
    made = definition("n: integer", {"total": "value: sum(n)", "last": "value: last(n)", "middle": "value: median(n)"})
    with rehearsed(tmp_path, made) as server:
        send(server, *({"ts": f"2026-03-01T{10 + number % 2}:{number:02}:00Z", "n": number} for number in range(60)))
        before = {kpi: values(server, kpi, step="1h") for kpi in made.kpis}
        (grouping,) = server.engine.plan.groupings["s"]
        with server.store.transaction() as cursor:
            roll_up(cursor, grouping, 15 * MINUTE_US, NOON_US)
            roll_up(cursor, grouping, HOUR_US, NOON_US - HOUR_US)
        assert {kpi: values(server, kpi, step="1h") for kpi in made.kpis} == before
        with server.cursor() as cursor:
            assert cursor.execute(f'SELECT count(*) FROM "cells_{grouping.key}"').fetchone() == (5,)


def test_series_are_looked_through_only_where_something_was_dropped(tmp_path: Path) -> None:
    """That costs more than all else, and nothing is dropped in most minutes."""
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server, server.store.transaction() as cursor:
        grouping, _ = users(server)
        for bucket_us, c in ((NOON_US, "x"), (NOON_US + HOUR_US, "y")):
            cursor.execute(f"INSERT INTO {quote(cells(grouping).name)} SELECT make_timestamp({bucket_us}), '{c}', 1, NULL, NULL")
            cursor.execute(f"INSERT INTO {quote(series(grouping))} SELECT '{c}', make_timestamp({bucket_us})")
        for before_us, looks, gone, left in (
            (NOON_US, 0, False, ["x", "y"]),
            (NOON_US + HOUR_US, 1, True, ["y"]),
            (NOON_US + HOUR_US, 0, False, ["y"]),
        ):
            listening = Listening(cursor)
            assert drop_before(listening, grouping, before_us) == gone  # type: ignore[arg-type]
            assert sum("NOT EXISTS" in text for text in listening.texts) == looks
            found = cursor.execute(f"SELECT d0 FROM {quote(series(grouping))} ORDER BY 1").fetchall()
            assert [c for (c,) in found] == left
