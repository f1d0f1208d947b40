"""Arrow tables in statements."""

import duckdb
import pyarrow as pa
import pytest

from livekpi.store.arrow import insert, registered, select

TABLE = pa.table({"a": [1, 2]})


@pytest.fixture
def cursor() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE TABLE kept (a BIGINT)")
    return made


def test_they_are_read_by_their_names_and_then_forgotten(cursor: duckdb.DuckDBPyConnection) -> None:
    assert select(cursor, "SELECT sum(one.a * two.a) AS found FROM one, two", {"one": TABLE, "two": TABLE}).to_pydict() == {"found": [9]}
    insert(cursor, "INSERT INTO kept FROM", TABLE)
    assert cursor.execute("FROM kept").fetchall() == [(1,), (2,)]
    for name in ("one", "two", "incoming"):
        with pytest.raises(duckdb.CatalogException):
            cursor.execute(f"FROM {name}")


def test_what_went_wrong_is_what_is_said(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.begin()
    with pytest.raises(duckdb.ConversionException), registered(cursor, {"given": TABLE}):
        cursor.execute("SELECT CAST('x' || a AS BIGINT) FROM given").fetchall()
    cursor.rollback()
    with pytest.raises(duckdb.CatalogException):
        cursor.execute("FROM given")
