"""One writer a data directory: the second is told who the first is, and the kernel frees it when its holder dies."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event, Thread

import pytest

from livekpi.store.lock import Holder, Lock, LockedError, holder

HOLD = """
import sys, pathlib
from livekpi.store.lock import Lock
lock = Lock(pathlib.Path(sys.argv[1]), 7)
lock.announce("127.0.0.1:8321")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    with Lock(tmp_path, 7):
        with pytest.raises(
            LockedError, match=f"{tmp_path} is in use by process {os.getpid()} on {socket.gethostname()}; stop it, or give another"
        ):
            Lock(tmp_path, 8)
        assert holder(tmp_path) == Holder(os.getpid(), socket.gethostname(), 7)
    assert holder(tmp_path) is None
    Lock(tmp_path, 9).close()


def test_it_says_where_its_holder_listens(tmp_path: Path) -> None:
    with Lock(tmp_path, 7) as lock:
        lock.announce("127.0.0.1:1")
        lock.announce("[::1]:8321")
        found = holder(tmp_path)
        assert found is not None
        assert found.address == "[::1]:8321"


def test_nobody_holds_a_directory_without_a_lock(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_is_free_when_its_holder_dies(tmp_path: Path, how: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            found = holder(tmp_path)
            assert found is not None
            assert (found.pid, found.address) == (process.pid, "127.0.0.1:8321")
            with pytest.raises(LockedError, match=f"process {process.pid}"):
                Lock(tmp_path, 8)
        finally:
            process.send_signal(how)
            process.wait(timeout=30)
    assert holder(tmp_path) is None
    Lock(tmp_path, 9).close()


@contextmanager
def locked_by(directory: Path, how: int, text: str, then: str | None = None) -> Iterator[None]:
    """Another has the lock for a moment, with this in its file; after half of it perhaps something else."""

    def hold() -> None:
        path = directory / "lock"
        path.write_text(text)
        with path.open("r+") as file:
            fcntl.flock(file, how)
            begun.set()
            ended.wait(0.05)
            if then is not None:
                path.write_text(then)
            ended.wait(30 if then else 0.05)

    begun, ended = Event(), Event()
    thread = Thread(target=hold, daemon=True)
    thread.start()
    assert begun.wait(30)
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


OTHER = Holder(1, "elsewhere", 7)
NAMED = json.dumps(asdict(OTHER))


@pytest.mark.parametrize("text", ["", NAMED])
def test_who_only_looks_keeps_nobody_out(tmp_path: Path, text: str) -> None:
    """Not even where the last holder was killed, so that its name is still there."""
    with locked_by(tmp_path, fcntl.LOCK_SH, text), Lock(tmp_path, 8):
        found = holder(tmp_path)
        assert found is not None
        assert found.since_us == 8


def test_a_holder_that_is_about_to_write_its_name_is_waited_for(tmp_path: Path) -> None:
    with locked_by(tmp_path, fcntl.LOCK_EX, "", NAMED):
        assert holder(tmp_path) == OTHER
    with locked_by(tmp_path, fcntl.LOCK_EX, "", NAMED), pytest.raises(LockedError, match="in use by process 1 on elsewhere"):
        Lock(tmp_path, 8)


def test_a_holder_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    with locked_by(tmp_path, fcntl.LOCK_EX, ""):
        assert holder(tmp_path) is None
    with locked_by(tmp_path, fcntl.LOCK_EX, ""):
        Lock(tmp_path, 8).close()


def test_a_holder_without_a_name_is_one_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="in use by another process"):
            Lock(tmp_path, 8)
