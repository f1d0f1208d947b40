"""A checkpoint's slots outlive a kill at any moment, and what can't be read is said."""

import io
from typing import Any

import pytest

from livekpi.engine.spark.slots import Slots, SlotsError, assign, keeping
from livekpi.engine.spark.slots_file import HadoopFiles, settle
from tests.engine.spark.test_slots import groupings

PLACE = "file:///checkpoint/shop.slots.json"
FIRST, SECOND = groupings("sum(a)"), groupings("sum(b)", "sum(a)")


class KilledError(Exception):
    """The process has ended here."""


class FakeFiles:
    """Files that are killed before their so manieth step: to empty a file, to fill it, to delete, to rename."""

    def __init__(self, held: dict[str, bytes], steps: int = 100) -> None:
        self.held, self._steps = held, steps

    def read(self, place: str) -> bytes | None:
        return self.held.get(place)

    def write(self, place: str, content: bytes) -> None:
        for end in (0, len(content) // 2, len(content)):
            self._step()
            self.held[place] = content[:end]

    def move(self, place: str, to: str) -> bool:
        self._step()
        self.held.pop(to, None)
        self._step()
        self.held[to] = self.held.pop(place)
        return True

    def _step(self) -> None:
        if self._steps == 0:
            raise KilledError
        self._steps -= 1


def test_slots_are_kept() -> None:
    files = FakeFiles({})
    first = settle(files, PLACE, FIRST, {"cells": 7})
    assert first == keeping(assign(FIRST), {"cells": 7})
    assert settle(files, PLACE, SECOND, {"cells": 8}) == keeping(assign(SECOND, first), {"cells": 7})
    assert files.held.keys() == {PLACE}
    settle(FakeFiles(files.held, steps=0), PLACE, SECOND, {})  # nothing new, and nothing written


@pytest.mark.parametrize("steps", range(5))
def test_a_kill_costs_no_slot(steps: int) -> None:
    held: dict[str, bytes] = {}
    first = settle(FakeFiles(held), PLACE, FIRST, {})
    with pytest.raises(KilledError):
        settle(FakeFiles(held, steps), PLACE, SECOND, {})
    assert settle(FakeFiles(held), PLACE, SECOND, {}) == assign(SECOND, first)
    assert held.keys() == {PLACE}


@pytest.mark.parametrize("second", range(6))
@pytest.mark.parametrize("first", range(5))
def test_a_kill_at_the_start_after_a_kill_costs_none_either(first: int, second: int) -> None:
    held: dict[str, bytes] = {}
    before = settle(FakeFiles(held), PLACE, FIRST, {})
    for steps in (first, second):
        try:
            settle(FakeFiles(held, steps), PLACE, SECOND, {})
        except KilledError:
            continue
    assert settle(FakeFiles(held), PLACE, SECOND, {}) == assign(SECOND, before)


@pytest.mark.parametrize("steps", range(5))
def test_a_kill_at_the_very_first_start_is_made_good_by_the_next(steps: int) -> None:
    held: dict[str, bytes] = {}
    with pytest.raises(KilledError):
        settle(FakeFiles(held, steps), PLACE, FIRST, {})
    assert settle(FakeFiles(held), PLACE, FIRST, {}) == assign(FIRST)


@pytest.mark.parametrize("content", [b"", b'{"places": {"cells', b"\xff", b"[]", b"null", b"{}", b'{"another": 1}', b'{"counts": 3}'])
def test_what_can_not_be_read_is_said(content: bytes) -> None:
    with pytest.raises(SlotsError, match=r"shop\.slots\.json can't be read: .* give another `checkpoint`"):
        settle(FakeFiles({PLACE: content}), PLACE, FIRST, {})
    whole = assign(SECOND).text().encode()
    held = {PLACE: content, f"{PLACE}.new": whole}
    assert settle(FakeFiles(held), PLACE, FIRST, {}) == assign(FIRST, assign(SECOND))
    assert settle(FakeFiles({PLACE: whole, f"{PLACE}.new": content}), PLACE, FIRST, {}) == assign(FIRST, assign(SECOND))


def test_slots_of_before_tables_had_a_time_are_read() -> None:
    slots = Slots.read('{"places": {}, "counts": {"sum_number": 4, "sum_double": 2, "min_text": 0, "max_text": 0}}')
    assert slots.kept == {}


class _Stream(io.BytesIO):
    """A stream of Java's, of a file that has what was written."""

    def __init__(self, java: "_Java", place: str, content: bytes) -> None:
        super().__init__(content)
        self._java, self._place = java, place

    def readAllBytes(self) -> bytes:  # noqa: N802 - Java's
        return self.read()

    def write(self, content: Any) -> int:
        self._java.held[self._place] += content
        return len(content)


class _Path:
    def __init__(self, java: "_Java", place: str) -> None:
        self.java, self.place = java, place

    def getFileSystem(self, configuration: object) -> "_Java":  # noqa: N802 - Hadoop's
        assert configuration == "configuration"
        return self.java


class _Java:
    """Java's side as far as it is called: a file system of Hadoop's that moves no file onto another."""

    def __init__(self, *, moves: bool = True) -> None:
        self.held: dict[str, bytes] = {}
        self._moves = moves

    org = apache = hadoop = fs = property(lambda self: self)

    def Path(self, place: str) -> _Path:  # noqa: N802 - Hadoop's
        return _Path(self, place)

    def exists(self, path: _Path) -> bool:
        return path.place in self.held

    def open(self, path: _Path) -> _Stream:
        return _Stream(self, path.place, self.held[path.place])

    def create(self, path: _Path, overwrite: bool) -> _Stream:
        assert overwrite
        self.held[path.place] = b""
        return _Stream(self, path.place, b"")

    def delete(self, path: _Path, recursive: bool) -> bool:
        assert not recursive
        return self.held.pop(path.place, None) is not None

    def rename(self, path: _Path, to: _Path) -> bool:
        if not self._moves or to.place in self.held:
            return False
        self.held[to.place] = self.held.pop(path.place)
        return True


def test_hadoop_keeps_them() -> None:
    java = _Java()
    first = settle(HadoopFiles(java, "configuration"), PLACE, FIRST, {})
    second = settle(HadoopFiles(java, "configuration"), PLACE, SECOND, {})
    assert second == assign(SECOND, first)
    assert java.held == {PLACE: second.text().encode()}


def test_a_file_that_can_not_be_moved_is_said() -> None:
    with pytest.raises(SlotsError, match=r"shop\.slots\.json\.new can't be moved to .*: see that the driver may delete and rename"):
        settle(HadoopFiles(_Java(moves=False), "configuration"), PLACE, FIRST, {})
