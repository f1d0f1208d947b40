"""Positions: the last commit's count, whatever came before, and pruning changes none; and up to when they make a source complete."""

from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.store import positions
from livekpi.store.positions import Position, watermark_us
from livekpi.store.schema import migrate

SOURCES = (("shop", "topic"), ("shop", "other"), ("web", "topic"))
US = st.integers(0, 2**62)
ROWS = st.builds(Position, st.sampled_from("abc"), US, st.none() | US, US)
NOW_US, IDLE_US = 1_000_000_000, 60_000_000


@pytest.fixture(scope="module")
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """Of a store without positions; who writes some takes them back."""
    with closing(duckdb.connect()) as connection:
        migrate(connection)
        yield connection


@given(st.lists(st.dictionaries(st.sampled_from(SOURCES), st.lists(ROWS, unique_by=lambda row: row.partition)), max_size=6))
def test_the_last_position_of_each_partition_counts(
    cursor: duckdb.DuckDBPyConnection, commits: list[dict[tuple[str, str], list[Position]]]
) -> None:
    expected: dict[tuple[str, str], dict[str, Position]] = {source: {} for source in SOURCES}
    cursor.execute("BEGIN TRANSACTION")
    try:
        for number, saved in enumerate(commits, 1):
            positions.save(cursor, number, saved)
            for source, rows in saved.items():
                expected[source].update((row.partition, row) for row in rows)
        written = [number for number, saved in enumerate(commits, 1) if any(saved.values())]
        for _ in ("as written", "pruned"):
            assert {source: positions.load(cursor, *source) for source in SOURCES} == expected
            assert positions.last_commit(cursor) == max(written, default=0)
            assert positions.load_all(cursor) == (max(written, default=0), {source: each for source, each in expected.items() if each})
            positions.prune(cursor)
        assert cursor.execute("SELECT count(*) FROM positions").fetchall() == [(sum(map(len, expected.values())),)]
    finally:
        cursor.execute("ROLLBACK")


def test_nothing_is_known_before_the_first_commit(cursor: duckdb.DuckDBPyConnection) -> None:
    assert positions.load(cursor, "shop", "topic") == {}
    assert positions.last_commit(cursor) == 0


def row(partition: str, latest_us: int | None, quiet_us: int = 0) -> Position:
    return Position(partition, 1, latest_us, NOW_US - quiet_us)


def test_the_slowest_partition_decides_unless_it_is_idle() -> None:
    fast, slow = row("0", NOW_US - 5), row("1", NOW_US - 900)
    assert watermark_us([fast, slow], NOW_US, IDLE_US) == NOW_US - 900
    assert watermark_us([fast, row("1", NOW_US - 900, IDLE_US + 1)], NOW_US, IDLE_US) == NOW_US - 5


def test_all_idle_waits_for_nothing_more() -> None:
    assert watermark_us([row("0", NOW_US - 900, IDLE_US + 1)], NOW_US, IDLE_US) == NOW_US
    assert watermark_us([row("0", None)], NOW_US, IDLE_US) is None


def test_a_sender_whose_clock_is_fast_completes_nothing_that_has_not_ended() -> None:
    assert watermark_us([row("0", NOW_US + 240_000_000)], NOW_US, IDLE_US) == NOW_US
