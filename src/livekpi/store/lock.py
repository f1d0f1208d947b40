"""One writer a data directory: a lock that the kernel frees when its holder dies, and that names the holder."""

import fcntl
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self, TextIO

from livekpi.store.schema import StoreError

_PATIENCE_S = 0.5
"""How long it is waited for who only looks at a lock, and for a holder's name."""
_PAUSE_S = 0.005


@dataclass(frozen=True)
class Holder:
    """Who has the data directory open for writing."""

    pid: int
    host: str
    since_us: int
    address: str | None = None
    """Where it listens, as host:port; None while it does not."""


class LockedError(Exception):
    """Another process has the data directory; says which."""


class Lock:
    """Held from construction to close; raises LockedError where another process holds it."""

    def __init__(self, directory: Path, now_us: int) -> None:
        self._file = (directory / "lock").open("a+", encoding="utf-8")
        deadline = monotonic() + _PATIENCE_S
        while not _locked(self._file, fcntl.LOCK_EX):
            # who only looks has it for a moment, and whoever holds it writes its name a moment after; what one that died left is no name
            held = not _locked(self._file, fcntl.LOCK_SH)
            holder = _read(directory) if held else None
            fcntl.flock(self._file, fcntl.LOCK_UN)
            if holder is not None or monotonic() >= deadline:
                self._file.close()
                who = f"process {holder.pid} on {holder.host}" if holder else "another process"
                raise LockedError(f"{directory} is in use by {who}; stop it, or give another directory with --data")
            sleep(_PAUSE_S)
        self._holder = Holder(os.getpid(), socket.gethostname(), now_us)
        self._write()

    def announce(self, address: str) -> None:
        """Says where the holder listens, for commands on the same machine."""
        self._holder = Holder(self._holder.pid, self._holder.host, self._holder.since_us, address)
        self._write()

    def _write(self) -> None:
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(self._holder)))
        self._file.flush()

    def close(self) -> None:
        self._file.truncate(0)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def holder(directory: Path) -> Holder | None:
    """Who holds the directory now; None where nobody does. Raises StoreError where that can't be seen."""
    try:
        file = (directory / "lock").open("r", encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unusable(directory, error) from error
    deadline = monotonic() + _PATIENCE_S
    with file:
        while not _locked(file, fcntl.LOCK_SH):
            found = _read(directory)
            if found is not None or monotonic() >= deadline:
                return found
            sleep(_PAUSE_S)  # it writes its name, or its last words
        return None


def _locked(file: TextIO, how: int) -> bool:
    """Locks a file, where that can be done at once."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unusable(directory: Path, error: OSError) -> StoreError:
    """What to raise where the system refuses a data directory."""
    return StoreError(f"{directory} can't be used as a data directory: {error.strerror}; give another with --data, or mend its permissions")


def _read(directory: Path) -> Holder | None:
    text = (directory / "lock").read_text(encoding="utf-8")
    return Holder(**json.loads(text)) if text else None
