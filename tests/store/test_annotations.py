"""Annotations in the store: found by time and KPI, gone when deleted, and in an older store once it is opened."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.clock import ManualClock
from livekpi.store import annotations, schema
from livekpi.store.annotations import Annotation, Note
from livekpi.store.database import FILE_NAME, Store

CLOCK = ManualClock(7)


def note(at_us: int, end_us: int | None = None, *kpis: str) -> Note:
    return Note(at_us, end_us, "it's <b>out</b>", "deploy", kpis, "Ann", None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path, CLOCK)
    yield store
    store.close()


def written(store: Store, *notes: Note) -> list[Annotation]:
    with store.beside() as cursor:
        return [annotations.add(cursor, each) for each in notes]


def test_what_is_written_is_found_by_time_also_after_a_start(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    second, first = written(store, note(20, 30, "orders", "users"), Note(10, None, "x", "note", (), "", "https://example.com/?a=1"))
    store.close()
    store = Store.open(tmp_path, CLOCK)
    with store.beside() as cursor:
        assert annotations.find(cursor) == [first, second]
        assert annotations.count(cursor) == 2
        third = annotations.add(cursor, note(5))
    assert len({each.number for each in (first, second, third)}) == 3
    store.close()


NOTES = st.builds(
    lambda at_us, span, kpis: note(at_us, at_us + span if span else None, *kpis),
    st.integers(0, 20),
    st.integers(0, 5),
    st.lists(st.sampled_from("ab"), unique=True),
)
BOUNDS = st.none() | st.integers(0, 25)


def test_a_range_has_those_about_any_time_in_it(store: Store) -> None:
    @given(st.lists(NOTES, max_size=8), BOUNDS, BOUNDS, st.none() | st.sampled_from("ab"))
    def check(notes: list[Note], from_us: int | None, to_us: int | None, kpi: str | None) -> None:
        with store.beside() as cursor:
            cursor.execute("DELETE FROM annotations")
            for each in notes:
                annotations.add(cursor, each)
            found = annotations.find(cursor, from_us=from_us, to_us=to_us, kpi=kpi)
        asked = range(0 if from_us is None else from_us, 100 if to_us is None else to_us)
        expected = [
            each
            for each in notes
            if any(moment in asked for moment in range(each.at_us, each.end_us or each.at_us + 1))
            and (kpi is None or not each.kpis or kpi in each.kpis)
        ]
        assert [each.note for each in found] == sorted(expected, key=lambda each: each.at_us)

    check()


def test_an_end_is_not_included(store: Store) -> None:
    (made,) = written(store, note(1, 3))
    with store.beside() as cursor:
        assert [annotations.find(cursor, from_us=from_us) for from_us in (2, 3)] == [[made], []]


def test_one_is_deleted_once(store: Store) -> None:
    first, second = written(store, note(1), note(2))
    with store.beside() as cursor:
        assert annotations.remove(cursor, first.number) == first
    with store.beside() as cursor:
        assert annotations.remove(cursor, first.number) is None
        assert annotations.find(cursor) == [second]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def write_and_fail() -> None:
        with store.beside() as cursor:
            annotations.add(cursor, note(1))
            cursor.execute("no SQL")

    with pytest.raises(duckdb.ParserException):
        write_and_fail()
    with store.beside() as cursor:
        assert annotations.count(cursor) == 0


def test_a_store_of_version_2_gets_its_table_and_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(schema, "SCHEMA_VERSION", 2)
        Store.open(tmp_path, CLOCK).close()
    with duckdb.connect(str(tmp_path / FILE_NAME)) as connection:
        connection.execute("UPDATE engine SET alive_us = 5")
        assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'annotations'").fetchone() == (0,)
    store = Store.open(tmp_path, CLOCK)
    (made,) = written(store, note(1))
    with store.beside() as cursor:
        assert cursor.execute("SELECT alive_us FROM engine").fetchall() == [(5,)]
        assert annotations.find(cursor) == [made]
    store.close()
