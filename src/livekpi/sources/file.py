"""The file source: lines of files, compressed or not, once through or followed as they grow.

A partition is a file, known by how it begins (identity.py); its positions are bytes of what it holds decompressed. Followed
files are looked at every POLL_S seconds. Renamed, they are read on to their end; truncated or overwritten, they are new files;
a copy that appears beside its original is not read until the original is gone, and then from where that was left.

Without `follow` a file's last line counts even where no newline ends it. With it, such a line waits for the rest of it, with `--once` until
the next run.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from livekpi.definition.shape.model import File
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.byte_streams import DamagedError, Head, read_head
from livekpi.sources.identity import HEAD_BYTES, Identity, Unclaimed
from livekpi.sources.likeness import begins_with, may_be_copy
from livekpi.sources.lines import HeaderError
from livekpi.sources.listing import Listing, Seen
from livekpi.sources.tail import RewrittenError, Tail, records_of

POLL_S = 0.1
GONE_S = 60.0
"""How long a file that was renamed out of sight is still read; some write on to it for a while."""
OPEN_FILES = 64
"""How many followed files at their end are kept open; others are opened again when they change."""
_ORDINALS = 2**15

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _File:
    """A file that is read, or has been."""

    seen: Seen
    head: Head
    identity: Identity
    position: int
    ordinal: int
    changed_s: float
    """When it was last seen to change."""
    file_position: int = 0
    """How many of the file's own bytes are read; for a compressed file."""
    tail: Tail | None = None
    drained: bool = False
    """Whether it was read to its end and has not changed since."""

    @property
    def unread_bytes(self) -> int:
        return max(0, self.seen.size - (self.file_position if self.head.compressed else self.position))

    def close(self) -> None:
        if self.tail is not None:
            self.tail.close()
            self.tail = None


class FileSource:
    """Reads the files that a path or glob names."""

    problem = None
    """It reads or fails, and waits for nothing in between."""

    def __init__(self, spec: File, base: Path, *, once: bool = False, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Paths are relative to `base`. With `once` files are read as far as they go, and not followed."""
        self._spec = spec
        self._follow = spec.follow and not once
        self._listing = Listing(spec.path, base)
        self._place = base / spec.path
        self._monotonic = monotonic
        self._files: dict[tuple[int, int], _File] = {}

    def start(self, positions: Mapping[str, int]) -> None:
        self.close()
        self._unclaimed = Unclaimed(positions)
        self._quiet: dict[tuple[int, int], _File] = {}
        self._ready: list[Chunk] = []
        self._failures: list[str] = []
        self._said: set[str] = set()
        self._count = 0
        self._told_end = False
        seen = self._listing.look()
        if not seen and not self._follow:
            raise SourceError(f"there is no file {self._place}; put it there or mend `path` (with `follow: true` it is waited for)")
        # On the first start of all, files that begin alike are different files: there is no original to be a copy of.
        self._arrive(seen, copies=bool(positions))
        self._looked_s = self._monotonic()
        self._behind = set(self._files)

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        deadline_s = self._monotonic() + timeout_s
        while True:
            if self._follow and self._monotonic() >= self._looked_s + POLL_S:
                self._look()
            chunks = self._read_files(limit)
            left_s = deadline_s - self._monotonic()
            if chunks or self._ends() or left_s <= 0:
                return chunks
            time.sleep(min(POLL_S, left_s))  # there is nothing portable to be woken by

    def at_end(self) -> bool:
        return not self._behind

    def committed(self, positions: Mapping[str, int]) -> None:
        """Nothing to let go of: the files are not ours."""

    def lag(self) -> Mapping[str, int]:
        return {file.identity.partition: file.unread_bytes for file in list(self._files.values())}

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}

    def _ends(self) -> bool:
        """True the first time that all has been read and nothing more is waited for; SourceError where it can't all be read."""
        if self._follow or self._behind:
            return False
        if self._failures:
            raise SourceError("; ".join(self._failures))
        told, self._told_end = self._told_end, True
        return not told

    def _look(self) -> None:
        """Sees what came, changed, moved and went."""
        self._looked_s = self._monotonic()
        fresh: list[Seen] = []
        present: set[tuple[int, int]] = set()
        for seen in self._listing.look():
            present.add(seen.key)
            file = self._files.get(seen.key)
            if file is not None and seen.state != file.seen.state and not begins_with(seen, file.head):
                self._forget(file)
                file = None
            if file is None:
                fresh.append(seen)
            else:
                self._note(file, seen.state)
                file.seen = seen
        for key, file in list(self._files.items()):
            if key not in present:
                self._out_of_sight(file)
        self._arrive(fresh, copies=True)

    def _note(self, file: _File, state: tuple[int, int]) -> None:
        if state != file.seen.state:
            file.drained, file.changed_s = False, self._looked_s

    def _out_of_sight(self, file: _File) -> None:
        """Reads on what was renamed or deleted, until it is quiet for long or nobody else has it."""
        if file.tail is None:
            self._forget(file)
            return
        status = os.fstat(file.tail.descriptor)
        state = status.st_size, status.st_mtime_ns
        self._note(file, state)
        file.seen = Seen(file.seen.file, file.seen.path, file.seen.key, *state)
        if file.drained and (status.st_nlink == 0 or self._looked_s > file.changed_s + GONE_S):
            if (last := file.tail.read_last()) is not None:
                self._ready.append(last)
            self._forget(file)

    def _forget(self, file: _File) -> None:
        """Lets go of a file; what turns out to be the same goes on where this was left."""
        if file.tail is not None:
            if (rest := file.tail.read_waiting()) is not None:
                self._ready.append(rest)
            file.position = file.tail.position
        file.close()
        self._files.pop(file.seen.key)
        self._quiet.pop(file.seen.key, None)
        self._behind.discard(file.seen.key)
        self._unclaimed.give_back(file.identity, file.position)

    def _arrive(self, fresh: Sequence[Seen], *, copies: bool) -> None:
        """Takes on files not known yet, each from where it was left if it is one that was moved or copied."""
        heads = [(seen, head) for seen in fresh if (head := self._head(seen)) is not None]
        for at_its_path in (True, False):
            for seen, head in heads:
                claim = None if seen.key in self._files else self._unclaimed.claim(head.data, seen.path if at_its_path else None)
                if claim is not None:
                    self._add(seen, head, *claim)
        if copies:
            heads.sort(key=lambda found: len(found[0].path))  # a copy's name is its original's with something added
        for seen, head in heads:
            if seen.key not in self._files and not (self._follow and copies and self._is_copy(seen, head)):
                self._add(seen, head, Identity.of(seen.path, head.data), 0)

    def _add(self, seen: Seen, head: Head, identity: Identity, position: int) -> None:
        if position > seen.size and not head.compressed:
            position = 0  # what was read is gone, and this only begins like it
        self._files[seen.key] = _File(seen, head, identity, position, self._count % _ORDINALS, self._monotonic())
        self._count += 1

    def _head(self, seen: Seen) -> Head | None:
        """How a file begins; None as long as that does not tell it from others."""
        try:
            with seen.file.open("rb") as file:
                head = read_head(file.fileno(), HEAD_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, DamagedError) as error:
            self._fail(seen, error)
            return None
        records = head.data.lstrip().count(b"\n") - (self._spec.format == "csv")
        if head.data and (not self._follow or head.whole or len(head.data) == HEAD_BYTES or records > 0):
            return head
        if head.compressed and not head.whole and not self._follow:
            self._fail(seen, "is cut off")
        return None

    def _is_copy(self, seen: Seen, head: Head) -> bool:
        for file in self._files.values():
            # Where the other was renamed from here, this one is new, however it begins.
            renamed = seen.path in (file.seen.path, file.identity.path)
            if not renamed and may_be_copy(seen, head, file.seen, file.head):
                self._say("taken for a copy; read only once its original is gone", file=seen.path, original=file.seen.path)
                return True
        return False

    def _read_files(self, limit: int) -> list[Chunk]:
        chunks, self._ready = self._ready, []
        left = limit - sum(len(chunk.records) for chunk in chunks)
        for file in list(self._files.values()):
            while left > 0 and not file.drained:
                chunk = self._read_file(file, left)
                if chunk is None:
                    break
                chunks.append(chunk)
                left -= len(chunk.records)
        return chunks

    def _read_file(self, file: _File, limit: int) -> Chunk | None:
        """The next records of a file; None where there are none at present."""
        try:
            if file.tail is None:
                file.tail = Tail(file.seen.file, file.identity, file.head.data, file.position, file.ordinal, records_of(self._spec))
            chunk = file.tail.read(limit)
            if chunk is None and (file.head.compressed or not self._spec.follow) and not file.tail.cut_short:
                chunk = file.tail.read_last()
        except (RewrittenError, FileNotFoundError):
            self._rewritten(file)
            return None
        except (OSError, DamagedError, HeaderError) as error:
            self._fail(file.seen, error)
            self._drained(file)
            return None
        file.position, file.file_position = file.tail.position, file.tail.file_position
        if chunk is None:
            self._drained(file)
        return chunk

    def _drained(self, file: _File) -> None:
        """Closes a file at its end, or keeps it open in case it grows or is renamed."""
        file.drained = True
        self._behind.discard(file.seen.key)
        if self._follow and file.tail is not None and not file.head.compressed:
            self._quiet.pop(file.seen.key, None)
            self._quiet[file.seen.key] = file
            if len(self._quiet) > OPEN_FILES:
                self._quiet.pop(next(iter(self._quiet))).close()
            return
        if file.tail is not None and file.tail.cut_short and not self._follow:
            self._fail(file.seen, f"is cut off after its first {file.position} bytes")
        file.close()

    def _rewritten(self, file: _File) -> None:
        if self._follow:
            self._forget(file)  # the next look takes it for a new file
        else:
            self._fail(file.seen, "was truncated, overwritten or removed while it was read")
            self._drained(file)

    def _fail(self, seen: Seen, why: str | Exception) -> None:
        """Keeps for the end what could not be read, so that other files are; says it now where there is no end."""
        reason = f"can't be read: {why.strerror}" if isinstance(why, OSError) else str(why)
        if self._follow:
            self._say("the file can't be read any further", file=str(seen.file), reason=reason)
        else:
            self._failures.append(f"{seen.file} {reason}")

    def _say(self, what: str, **about: str) -> None:
        """Warns once."""
        if (said := f"{what} {about}") not in self._said:
            self._said.add(said)
            _log.warning(what, **about)
