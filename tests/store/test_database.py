"""The store's file: opened by one, migrated forwards only, all or nothing."""

import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from livekpi.clock import ManualClock
from livekpi.store import schema
from livekpi.store.database import FILE_NAME, Store
from livekpi.store.lock import LockedError, holder
from livekpi.store.schema import SCHEMA_VERSION, StoreError

CLOCK = ManualClock(7)


def version(directory: Path) -> str:
    with duckdb.connect(str(directory / FILE_NAME)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    assert row is not None
    return str(row[0])


def set_version(directory: Path, number: int) -> None:
    with duckdb.connect(str(directory / FILE_NAME)) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", [str(number)])


def test_a_directory_is_made_with_the_newest_schema(tmp_path: Path) -> None:
    Store.open(tmp_path / "a" / "b", CLOCK).close()
    assert version(tmp_path / "a" / "b") == str(SCHEMA_VERSION)


def test_a_new_directory_is_for_its_user_alone_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o750)
    for directory, mode in ((tmp_path / "new", 0o700), (there, 0o750)):
        Store.open(directory, ManualClock(0)).close()
        assert stat.S_IMODE(directory.stat().st_mode) == mode


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path, CLOCK).close()
    set_version(tmp_path, SCHEMA_VERSION + 1)
    with pytest.raises(StoreError, match=f"schema version {SCHEMA_VERSION + 1}, this livekpi knows {SCHEMA_VERSION}; use a newer livekpi"):
        Store.open(tmp_path, CLOCK)
    with pytest.raises(StoreError, match=f"schema version {SCHEMA_VERSION + 1}, .*; use a newer livekpi"):
        Store.open_for_reading(tmp_path)
    assert version(tmp_path) == str(SCHEMA_VERSION + 1)


def test_an_older_schema_is_brought_forwards_a_version_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(tmp_path, CLOCK).close()
    steps = {SCHEMA_VERSION: ("CREATE TABLE one (n INTEGER)",), SCHEMA_VERSION + 1: ("INSERT INTO one VALUES (5)",)}
    monkeypatch.setattr(schema, "_MIGRATIONS", steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 2)
    store = Store.open(tmp_path, CLOCK)
    with store.transaction() as cursor:
        assert cursor.execute("SELECT n FROM one").fetchall() == [(5,)]
    store.close()
    assert version(tmp_path) == str(SCHEMA_VERSION + 2)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(tmp_path, CLOCK).close()
    monkeypatch.setattr(schema, "_MIGRATIONS", {SCHEMA_VERSION: ("CREATE TABLE one (n INTEGER)", "INSERT INTO nowhere VALUES (5)")})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(duckdb.CatalogException):
        Store.open(tmp_path, CLOCK)
    assert version(tmp_path) == str(SCHEMA_VERSION)
    monkeypatch.setattr(schema, "_MIGRATIONS", {SCHEMA_VERSION: ("CREATE TABLE one (n INTEGER)",)})
    Store.open(tmp_path, CLOCK).close()
    assert version(tmp_path) == str(SCHEMA_VERSION + 1)


def test_a_directory_that_can_not_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "lock").mkdir(parents=True)
    for directory, why in ((tmp_path / "file" / "data", "Not a directory"), (tmp_path / "taken", "Is a directory")):
        with pytest.raises(StoreError, match=f"{directory} can't be used as a data directory: {why}; give another with --data"):
            Store.open(directory, CLOCK)
    for ask in (Store.open_for_reading, holder):
        with pytest.raises(StoreError, match="can't be used as a data directory: File name too long"):
            ask(tmp_path / ("x" * 300))


def test_one_writes_and_the_other_is_told_who(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    with pytest.raises(LockedError, match="is in use by process"):
        Store.open(tmp_path, CLOCK)
    store.close()
    Store.open(tmp_path, CLOCK).close()


def alive_us(store: Store) -> int:
    cursor = store.cursor()
    row = cursor.execute("SELECT alive_us FROM engine").fetchone()
    cursor.close()
    assert row is not None
    return int(row[0])


def write(store: Store, number: int, then: str = "SELECT 1") -> None:
    with store.transaction() as cursor:
        cursor.execute("UPDATE engine SET alive_us = ?", [number])
        cursor.execute(then)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    with pytest.raises(duckdb.ConstraintException):
        write(store, 6, "INSERT INTO meta VALUES ('schema_version', 'again')")
    with pytest.raises(duckdb.ParserException):
        write(store, 7, "no SQL")
    assert alive_us(store) == 0
    write(store, 8)
    store.close()
    reader = Store.open_for_reading(tmp_path)
    assert alive_us(reader) == 8
    reader.close()


def test_a_reader_sees_what_is_committed(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    reader = store.cursor()
    with store.transaction() as cursor:
        cursor.execute("UPDATE engine SET alive_us = 5")
        assert reader.execute("SELECT alive_us FROM engine").fetchall() == [(0,)]
    assert reader.execute("SELECT alive_us FROM engine").fetchall() == [(5,)]
    reader.close()
    store.close()


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    Store.open(tmp_path, CLOCK).close()
    store = Store.open_for_reading(tmp_path)
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        write(store, 5)
    store.close()


def test_what_is_on_the_disk_when_it_is_killed_is_there_afterwards(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "first", CLOCK)
    with store.transaction() as cursor:
        cursor.execute("UPDATE engine SET alive_us = 5")
    (tmp_path / "second").mkdir()
    with store.transaction() as cursor:
        cursor.execute("UPDATE engine SET alive_us = 6")
        for path in (tmp_path / "first").glob(f"{FILE_NAME}*"):
            shutil.copyfile(path, tmp_path / "second" / path.name)
    store.close()
    after = Store.open(tmp_path / "second", CLOCK)
    assert alive_us(after) == 5
    after.close()


def memory_limit(store: Store) -> str:
    cursor = store.cursor()
    row = cursor.execute("SELECT current_setting('memory_limit')").fetchone()
    cursor.close()
    assert row is not None
    return str(row[0])


def test_it_is_reopened_at_its_last_commit(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK, memory_mib=300)
    write(store, 5)
    before = memory_limit(store)
    store.reopen()
    assert (alive_us(store), memory_limit(store)) == (5, before)
    assert store.size_bytes() > 0
    store.close()


def test_reopened_after_an_error_that_closed_it_it_has_as_much_memory(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK, memory_mib=300)
    before = memory_limit(store)
    store._connection.close()
    store.reopen()
    assert memory_limit(store) == before
    store.close()


def test_a_file_that_goes_while_sizes_are_added_up_has_none(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    before = store.size_bytes()
    (tmp_path / "livekpi.duckdb.wal2").symlink_to(tmp_path / "gone")
    assert store.size_bytes() == before
    store.close()


def test_a_directory_without_a_store_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"there is no livekpi data in {tmp_path}"):
        Store.open_for_reading(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"no database", b"\0" * 20_000])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreError, match=FILE_NAME):
        Store.open(tmp_path, CLOCK)
    with pytest.raises(StoreError, match=FILE_NAME):
        Store.open_for_reading(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_path_may_have_a_quote(tmp_path: Path) -> None:
    Store.open(tmp_path / "it's; DROP", CLOCK).close()
    assert (tmp_path / "it's; DROP" / FILE_NAME).is_file()
    Store.open_for_reading(tmp_path / "it's; DROP").close()


def test_the_engine_reads_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    store = Store.open(tmp_path, CLOCK)
    for statement in (f"SELECT * FROM '{tmp_path}/secret.csv'", f"SELECT * FROM read_text('{tmp_path}/secret.csv')", "INSTALL httpfs"):
        with pytest.raises(duckdb.PermissionException):
            write(store, 1, statement)
    store.close()


@contextmanager
def asking(store: Store) -> Iterator[list[BaseException]]:
    """Somebody asks the store for much longer than a test takes; what that ends by."""
    errors: list[BaseException] = []
    cursor, begun = store.cursor(), threading.Event()

    def ask() -> None:
        begun.set()
        try:
            cursor.execute("SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 3").fetchall()
        except duckdb.Error as error:
            errors.append(error)
        finally:
            cursor.close()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert begun.wait(30)
    time.sleep(0.5)  # nothing says that a statement is going on
    yield errors
    thread.join(30)
    assert not thread.is_alive()


def test_it_is_closed_though_somebody_asks(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    with asking(store) as errors:
        store.close()
    assert [type(error) for error in errors] == [duckdb.InterruptException]
    assert holder(tmp_path) is None
    Store.open(tmp_path, CLOCK).close()


def test_it_is_opened_anew_though_somebody_asks(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CLOCK)
    with asking(store) as errors:
        store.reopen()
    assert [type(error) for error in errors] == [duckdb.InterruptException]
    with store.transaction() as cursor:
        assert cursor.execute("SELECT 1").fetchone() == (1,)
    store.close()
