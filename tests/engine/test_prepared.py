"""Statements over batches: each sees the batch at hand, whatever came before, and is planned once."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from livekpi.engine.prepared import Batches

SUM = 'SELECT sum(a), max(b) FROM "events s"'
KEEP = 'INSERT INTO kept SELECT a FROM "events s" RETURNING a'


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("CREATE TABLE kept (a BIGINT)")
        yield opened


def batch(*rows: tuple[int, str]) -> pa.Table:
    return pa.table({"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.string())})


def done(batches: Batches, connection: duckdb.DuckDBPyConnection, events: pa.Table, sql: str = SUM) -> list[tuple[object, ...]]:
    with batches.at_hand(connection, events):
        return batches.execute(connection, sql).fetchall()


def planned(connection: duckdb.DuckDBPyConnection) -> int:
    found = connection.execute("SELECT count(*) FROM duckdb_prepared_statements()").fetchone()
    assert found is not None
    return int(found[0])


def test_each_batch_is_seen_in_its_turn_by_statements_planned_once(connection: duckdb.DuckDBPyConnection) -> None:
    batches = Batches("events s")
    assert done(batches, connection, batch((1, "x"), (2, "y"))) == [(3, "y")]
    assert done(batches, connection, batch((5, "a"))) == [(5, "a")]
    assert done(batches, connection, batch((7, "a")), KEEP) == [(7,)]
    assert done(batches, connection, batch((8, "a")), KEEP) == [(8,)]
    assert done(batches, connection, batch()) == [(None, None)]
    assert planned(connection) == 2


def test_one_batch_goes_through_several_statements(connection: duckdb.DuckDBPyConnection) -> None:
    batches = Batches("events s")
    chunked = pa.concat_tables([batch((1, "x")), batch((2, "y"), (3, "z"))])
    with batches.at_hand(connection, chunked):
        assert batches.execute(connection, KEEP).fetchall() == [(1,), (2,), (3,)]
        assert batches.execute(connection, SUM).fetchall() == [(6, "z")]
        assert connection.execute(f"SELECT count(*) FROM {batches.view}").fetchone() == (3,)


def test_the_batches_of_two_sources_are_apart(connection: duckdb.DuckDBPyConnection) -> None:
    one, other = Batches("one"), Batches("other")
    with one.at_hand(connection, batch((1, "x"))), other.at_hand(connection, batch((2, "y"))):
        assert one.execute(connection, "SELECT a FROM one").fetchall() == [(1,)]
        assert other.execute(connection, "SELECT a FROM other").fetchall() == [(2,)]


def test_columns_may_change_from_batch_to_batch(connection: duckdb.DuckDBPyConnection) -> None:
    batches = Batches("events s")
    assert done(batches, connection, batch((1, "x"))) == [(1, "x")]
    turned = pa.table({"b": ["y"], "c": [9.5], "a": pa.array([2], pa.int64())})
    assert done(batches, connection, turned) == [(2, "y")]
    assert done(batches, connection, batch((3, "z"))) == [(3, "z")]
    assert planned(connection) == 1


def test_a_transaction_that_fails_takes_no_statement_with_it(connection: duckdb.DuckDBPyConnection) -> None:
    batches = Batches("events s")
    connection.execute("BEGIN")
    assert done(batches, connection, batch((1, "x")), KEEP) == [(1,)]
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    assert done(batches, connection, batch((2, "x")), KEEP) == [(2,)]
    connection.execute("COMMIT")
    assert connection.execute("SELECT a FROM kept").fetchall() == [(2,)]


def test_a_statement_sees_that_its_table_has_changed(connection: duckdb.DuckDBPyConnection) -> None:
    batches = Batches("events s")
    done(batches, connection, batch((1, "x")), KEEP)
    connection.execute("ALTER TABLE kept ADD COLUMN more BIGINT DEFAULT 4")
    done(batches, connection, batch((2, "x")), 'INSERT INTO kept BY NAME SELECT a FROM "events s"')
    connection.execute("DROP TABLE kept")
    connection.execute("CREATE TABLE kept (a VARCHAR)")
    done(batches, connection, batch((3, "x")), KEEP)
    assert connection.execute("SELECT a FROM kept").fetchall() == [("3",)]


def test_another_connection_is_told_of_the_view_once_the_first_is_forgotten(tmp_path: Path) -> None:
    batches = Batches("events s")
    for number in range(2):
        with duckdb.connect(str(tmp_path / "db")) as connection:
            batches.forget()
            assert done(batches, connection, batch((number, "x"))) == [(number, "x")]
            assert planned(connection) == 1


def test_what_fails_leaves_the_next_batch_whole(connection: duckdb.DuckDBPyConnection) -> None:
    batches = Batches("events s")
    with pytest.raises(duckdb.BinderException):
        done(batches, connection, batch((1, "x")), 'SELECT nowhere FROM "events s"')
    with pytest.raises(duckdb.ConversionException):
        done(batches, connection, batch((1, "x")), 'SELECT b::BIGINT FROM "events s"')
    assert done(batches, connection, batch((2, "5")), 'SELECT b::BIGINT FROM "events s"') == [(5,)]
