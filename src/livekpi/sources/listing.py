"""What is in a directory now: the files that a path or glob names."""

import errno
import glob
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import structlog

from livekpi.sources.base import SourceError

_log = structlog.get_logger(__name__)

_ROTATED = re.compile(r"(?P<name>.*)\.(?P<number>[0-9]{1,3})(?:\.gz|\.zst)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a look at the directory found it."""

    file: Path
    path: str
    """The path as it is shown, relative to where the pattern is."""
    key: tuple[int, int]
    """Device and inode: names a file as long as it exists."""
    size: int
    mtime_ns: int

    @property
    def state(self) -> tuple[int, int]:
        """Changes when the file does."""
        return self.size, self.mtime_ns


class Listing:
    """Looks for the files of a pattern; what is linked twice is found once."""

    def __init__(self, pattern: str, base: Path) -> None:
        self._pattern, self._base = pattern, base
        self._loops: set[str] = set()

    def look(self) -> list[Seen]:
        """The regular files that are there now, in the order of their names, `log.2` before `log.1` before `log`.

        Raises SourceError where the path is no file.
        """
        found: dict[tuple[int, int], Seen] = {}
        for path in self._paths():
            file = self._base / path
            try:
                status = file.stat()
            except FileNotFoundError:  # gone since, or a link to nothing
                continue
            except OSError as error:
                if error.errno == errno.ELOOP and path != self._pattern:
                    self._skip_loop(path)
                    continue
                raise SourceError(f"{file} can't be looked at: {error.strerror}") from error
            if stat.S_ISREG(status.st_mode):
                shown = os.fsencode(path).decode("utf-8", "backslashreplace")
                seen = Seen(file, shown, (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)
                found.setdefault(seen.key, seen)
            elif path == self._pattern:
                what = (
                    "is a directory; to read the files in it, end `path` with /*" if stat.S_ISDIR(status.st_mode) else "is no regular file"
                )
                raise SourceError(f"{file} {what}")
        return list(found.values())

    def _skip_loop(self, path: str) -> None:
        """A link that leads back to itself is no file, as one that leads nowhere is none; says so once."""
        if path not in self._loops:
            self._loops.add(path)
            _log.warning("a link that leads back to itself is skipped", file=str(self._base / path))

    def _paths(self) -> list[str]:
        if not glob.has_magic(self._pattern) or (self._base / self._pattern).exists():
            return [self._pattern]
        return sorted(glob.glob(self._pattern, root_dir=self._base, recursive=True), key=_oldest_first)  # noqa: PTH207 - the pattern may be absolute


def _oldest_first(path: str) -> tuple[str, int, str]:
    """Rotation counts up with age; a date at the end of a name has more digits."""
    rotated = _ROTATED.fullmatch(path)
    return (path, 0, path) if rotated is None else (rotated["name"], -int(rotated["number"]), path)
