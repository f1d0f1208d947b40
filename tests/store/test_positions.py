"""Positions: the last commit's count, whatever came before, and pruning changes none of them."""

from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.store import positions
from livekpi.store.positions import Position
from livekpi.store.schema import migrate

SOURCES = (("shop", "topic"), ("shop", "other"), ("web", "topic"))
US = st.integers(0, 2**62)
ROWS = st.builds(Position, st.sampled_from("abc"), US, st.none() | US, US)


@pytest.fixture
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect()) as connection:
        migrate(connection)
        yield connection


@given(st.lists(st.dictionaries(st.sampled_from(SOURCES), st.lists(ROWS, unique_by=lambda row: row.partition)), max_size=6))
def test_the_last_position_of_each_partition_counts(commits: list[dict[tuple[str, str], list[Position]]]) -> None:
    expected: dict[tuple[str, str], dict[str, Position]] = {source: {} for source in SOURCES}
    with closing(duckdb.connect()) as cursor:
        migrate(cursor)
        for number, saved in enumerate(commits, 1):
            positions.save(cursor, number, saved)
            for source, rows in saved.items():
                expected[source].update((row.partition, row) for row in rows)
        written = [number for number, saved in enumerate(commits, 1) if any(saved.values())]
        for _ in ("as written", "pruned"):
            assert {source: positions.load(cursor, *source) for source in SOURCES} == expected
            assert positions.last_commit(cursor) == max(written, default=0)
            positions.prune(cursor)
        assert cursor.execute("SELECT count(*) FROM positions").fetchone() == (sum(map(len, expected.values())),)


def test_nothing_is_known_before_the_first_commit(cursor: duckdb.DuckDBPyConnection) -> None:
    assert positions.load(cursor, "shop", "topic") == {}
    assert positions.last_commit(cursor) == 0
