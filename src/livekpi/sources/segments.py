"""The files of an ingest log, each named by the position of its first byte."""

import mmap
from dataclasses import dataclass
from pathlib import Path

from livekpi.sources import frames

_SUFFIX = ".log"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A file that holds the bytes of a log from position `first` on."""

    first: int
    path: Path

    @property
    def end(self) -> int:
        """The position after the file's last byte."""
        return self.first + self.path.stat().st_size


def segment(directory: Path, first: int) -> Segment:
    """The segment that begins at position `first`, whether its file is there or not."""
    return Segment(first, directory / f"{first:020d}{_SUFFIX}")


def segments(directory: Path) -> list[Segment]:
    """The segments in a directory, oldest first. Files with other names are left alone."""
    return sorted(Segment(int(path.stem), path) for path in directory.glob(f"*{_SUFFIX}") if path.stem.isdecimal())


def verify(last: Segment, begin: int) -> frames.Tail:
    """Reads a segment's frames from position `begin` to its end."""
    with last.path.open("rb") as file:
        if last.end <= begin:  # an empty file can't be mapped
            return frames.Tail(last.end)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return frames.verify(content, last.first, begin)
