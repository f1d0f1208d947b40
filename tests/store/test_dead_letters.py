"""Records that are not counted, kept until they are mended."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from livekpi.clock import ManualClock
from livekpi.events import DeadLetter
from livekpi.store import dead_letters
from livekpi.store.database import Store

LETTERS = [
    DeadLetter("shop", "0", 7, "amount", 'expected a number, got "x"', b'{"amount": "x"}', 100, "wrong_type", ("amount", "")),
    DeadLetter("shop", "1", 7, None, "not JSON: \0\xff", b"\0\xff'\"", 200, "not_json"),
    DeadLetter("web", "a/b", 2**62, "ts", "expected a time", b"", 300, "bad_time"),
    DeadLetter("web", "a/b", 2**62 + 1, "é", "missing", "日本".encode(), 300, "missing"),
]


@pytest.fixture
def cursor(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    store = Store.open(tmp_path, ManualClock(0))
    with store.transaction() as cursor:
        dead_letters.save(cursor, LETTERS[:2])
        dead_letters.save(cursor, [])
        dead_letters.save(cursor, LETTERS[2:])
    with store.transaction() as cursor:
        yield cursor
    store.close()


def test_they_come_back_as_they_were(cursor: duckdb.DuckDBPyConnection) -> None:
    found = dead_letters.find(cursor)
    assert [
        DeadLetter(row.source, row.partition, row.position, row.field, row.reason, row.record, row.arrived_us, row.code, row.columns)
        for row in found
    ] == LETTERS
    assert [row.number for row in found] == sorted({row.number for row in found})


@pytest.mark.parametrize(("most", "left"), [(1, [3]), (3, [1, 2, 3]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3])])
def test_the_oldest_go(cursor: duckdb.DuckDBPyConnection, most: int, left: list[int]) -> None:
    assert dead_letters.drop_oldest(cursor, most) == len(LETTERS) - len(left)
    assert [row.record for row in dead_letters.find(cursor)] == [LETTERS[index].record for index in left]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"source": "shop"}, [0, 1]),
        ({"source": "sho"}, []),
        ({"reason": "missing"}, [3]),
        ({"reason": "expected a"}, [0, 2]),
        ({"reason": "%"}, []),
        ({"from_us": 200}, [1, 2, 3]),
        ({"to_us": 200}, [0]),
        ({"from_us": 200, "to_us": 300, "source": "shop"}, [1]),
        ({"limit": 3}, [0, 1, 2]),
        ({"limit": 3, "newest": True}, [3, 2, 1]),
        ({"source": "shop", "newest": True}, [1, 0]),
    ],
)
def test_some_of_them(cursor: duckdb.DuckDBPyConnection, asked: dict[str, int | str], expected: list[int]) -> None:
    found = dead_letters.find(cursor, **asked)  # type: ignore[arg-type] # as the parameters say
    assert [row.position for row in found] == [LETTERS[index].position for index in expected]


def test_what_has_been_replayed_is_dead_no_more(cursor: duckdb.DuckDBPyConnection) -> None:
    first, second, third, fourth = (row.number for row in dead_letters.find(cursor))
    dead_letters.mark_replayed(cursor, [first, third], 999)
    dead_letters.mark_replayed(cursor, [], 999)
    assert [row.number for row in dead_letters.find(cursor)] == [second, fourth]
    assert [row.number for row in dead_letters.numbered(cursor, [fourth, third, second, 12345])] == [second, fourth]
