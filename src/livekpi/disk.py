"""The disk as an argument: the calls that make bytes durable, so that a test can make them fail or watch their order."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_BUFFERS_A_WRITE = 1024  # POSIX lets one call take no more


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415 - only there

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync leaves the bytes in the drive's cache there
    else:
        os.fdatasync(descriptor)


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory durable: a new file is only there after a power cut once this has returned."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Makes a file hold a text: who reads it, even after a power cut, finds what it held before or all of the new. Raises OSError."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _sync(file.fileno())
    draft.replace(path)


@dataclass(frozen=True, slots=True)
class Disk:
    """The calls; each raises OSError as its original does."""

    write: Callable[[int, Sequence[bytes | memoryview], int], int] = os.pwritev
    """Writes buffers at an offset of a descriptor; answers how many bytes it wrote, which may be fewer than given."""
    sync: Callable[[int], None] = _sync
    """Returns once what was written to a descriptor, and the file's length, would outlive a power cut."""
    sync_directory: Callable[[Path], None] = sync_directory

    def write_all(self, descriptor: int, buffers: Sequence[bytes], offset: int) -> None:
        """Writes buffers one after another from an offset on, however many calls that takes."""
        for begin in range(0, len(buffers), _BUFFERS_A_WRITE):
            left: list[bytes | memoryview] = list(buffers[begin : begin + _BUFFERS_A_WRITE])
            while left:
                written = self.write(descriptor, left, offset)
                offset += written
                left = _rest(left, written)


def _rest(buffers: list[bytes | memoryview], written: int) -> list[bytes | memoryview]:
    """What is left of buffers once their first `written` bytes are on the disk."""
    for index, buffer in enumerate(buffers):
        if written < len(buffer):
            return [memoryview(buffer)[written:], *buffers[index + 1 :]]
        written -= len(buffer)
    return []
