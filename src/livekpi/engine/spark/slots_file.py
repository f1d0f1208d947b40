"""Where the slots of a checkpoint are kept: a file beside it, on any file system that Spark can write to.

Not all of them can replace a file at once. So the new text is whole beside the file before the file goes, and what finds the one torn or
gone goes on with the other.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from livekpi.engine.plan import Grouping
from livekpi.engine.spark.slots import Slots, SlotsError, assign, keeping


class Files(Protocol):
    """The calls to a file system."""

    def read(self, place: str) -> bytes | None:
        """A file's content; None where there is none."""

    def write(self, place: str, content: bytes) -> None:
        """Makes or overwrites a file; one that is killed meanwhile leaves it torn."""

    def move(self, place: str, to: str) -> bool:
        """Moves a file to where another may be, which goes first; whether it is there now."""


class HadoopFiles:
    """See Files: those of Hadoop, by Spark's Java process."""

    def __init__(self, jvm: Any, configuration: Any) -> None:
        self._jvm, self._configuration = jvm, configuration

    def read(self, place: str) -> bytes | None:
        path, files = self._at(place)
        if not files.exists(path):
            return None
        stream = files.open(path)
        try:
            return bytes(stream.readAllBytes())
        finally:
            stream.close()

    def write(self, place: str, content: bytes) -> None:
        path, files = self._at(place)
        stream = files.create(path, True)
        try:
            stream.write(content)
        finally:
            stream.close()

    def move(self, place: str, to: str) -> bool:
        path, files = self._at(place)
        target, _ = self._at(to)
        files.delete(target, False)  # some refuse to move a file onto another
        return bool(files.rename(path, target))

    def _at(self, place: str) -> tuple[Any, Any]:
        path = self._jvm.org.apache.hadoop.fs.Path(place)
        return path, path.getFileSystem(self._configuration)


def settle(files: Files, place: str, groupings: Iterable[Grouping], wanted_us: Mapping[str, int]) -> Slots:
    """The slots of a checkpoint, with those that are new; kept in the file `place` before they are used. Raises SlotsError."""
    earlier = _kept(files, place)
    slots = keeping(assign(groupings, earlier), wanted_us)
    if slots != earlier:
        files.write(_draft(place), slots.text().encode())
        _replace(files, place)
    return slots


def _kept(files: Files, place: str) -> Slots | None:
    """What was settled; None where nothing was yet. Raises SlotsError."""
    content = files.read(place)
    kept = _slots(content)
    if kept is not None:
        return kept
    # a draft is whole before its file goes: one that is torn, and no file, was the first
    draft = _slots(files.read(_draft(place)))
    if draft is not None:
        _replace(files, place)
        return draft
    if content is not None:
        raise SlotsError(
            f"{place} can't be read: it says where each number stands in the job's state; restore it, "
            "or give another `checkpoint`, and the job computes all again from what the topic holds"
        )
    return None


def _slots(content: bytes | None) -> Slots | None:
    """What a file's content says; None where there is none, or it is torn."""
    try:
        return None if content is None else Slots.read(content.decode())
    except ValueError:
        return None


def _replace(files: Files, place: str) -> None:
    """Has the draft take the file's place. Raises SlotsError."""
    draft = _draft(place)
    if not files.move(draft, place):
        raise SlotsError(f"{draft} can't be moved to {place}: see that the driver may delete and rename files there")


def _draft(place: str) -> str:
    return f"{place}.new"
