"""The disk as an argument: the calls that make bytes durable, so that a test can make them fail or watch their order."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


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


@dataclass(frozen=True, slots=True)
class Disk:
    """The calls; each raises OSError as its original does."""

    write: Callable[[int, Sequence[bytes | memoryview], int], int] = os.pwritev
    """Writes buffers at an offset of a descriptor; answers how many bytes it wrote, which may be fewer than given."""
    sync: Callable[[int], None] = _sync
    """Returns once what was written to a descriptor, and the file's length, would outlive a power cut."""
    sync_directory: Callable[[Path], None] = sync_directory
