"""One writer a data directory: the second is told who the first is, and the kernel frees it when its holder dies."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

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
