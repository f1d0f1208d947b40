"""What an older store becomes: its numbers stay."""

from contextlib import closing

import duckdb
import pytest

from livekpi.store import schema
from livekpi.store.layout import MARKS
from livekpi.store.schema import migrate


def test_rows_of_cells_get_room_for_marks_and_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(duckdb.connect()) as connection:
        with monkeypatch.context() as before:
            before.setattr(schema, "SCHEMA_VERSION", 5)
            migrate(connection)
        # "series_cells_x" is the table of series of a source that is called so
        for name in ("cells_a_1", 'cells_b"c_2', "series_cells_x", "ids_cells_x"):
            quoted = name.replace('"', '""')
            connection.execute(f'CREATE TABLE "{quoted}" AS SELECT make_timestamp(0) AS bucket, 7 AS n')
        migrate(connection)
        for name in ("cells_a_1", 'cells_b"c_2'):
            table = connection.table(f'"{name.replace(chr(34), chr(34) * 2)}"')
            assert table.columns == ["bucket", "n", *(mark.name for mark in MARKS)]
            assert [row[1:] for row in table.fetchall()] == [(7, None, None)]
        for name in ("series_cells_x", "ids_cells_x"):
            assert connection.table(name).columns == ["bucket", "n"]
