import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.servers.process import Process

pytestmark = pytest.mark.timeout(60)
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
ECHO = [sys.executable, "-c", "import sys; print(sys.stdin.read() or 'nothing on stdin'); print('bad', file=sys.stderr); sys.exit(3)"]


def wait_for_log(process: Process, text: str) -> None:
    while text not in process.tail():
        assert process.running(), process.tail()


def wait_until_gone(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:  # a container may have nobody who buries an orphan
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(0.1)


def test_output_and_exit_code(tmp_path: Path) -> None:
    with Process(ECHO, tmp_path / "log") as process:
        assert process.wait(60) == 3
    assert sorted(process.tail().split("\n")) == ["", "bad", "nothing on stdin"]
    assert process.tail(4) in {"bad\n", "din\n"}


def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    with Process([tmp_path / "nothing"], tmp_path / "log") as process:
        assert process.wait(60) != 0
    assert "No such file" in process.tail()


def test_kill(tmp_path: Path) -> None:
    with Process(SLEEP, tmp_path / "log") as process:
        wait_for_log(process, "up")
        process.kill()
        assert not process.running()
        assert process.wait(0) == -signal.SIGKILL


def test_suspend_and_resume(tmp_path: Path) -> None:
    with Process(SLEEP, tmp_path / "log") as process:
        wait_for_log(process, "up")
        process.suspend()
        assert os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT) is not None
        process.resume()
        process.terminate()
        assert process.wait(60) == -signal.SIGTERM


def test_closing_ends_one_that_is_suspended(tmp_path: Path) -> None:
    with Process(SLEEP, tmp_path / "log") as process:
        wait_for_log(process, "up")
        process.suspend()
    assert not process.running()


def test_the_leash_ends_with_the_command(tmp_path: Path) -> None:
    with Process(SLEEP, tmp_path / "log") as process:
        wait_for_log(process, "up")
        [leash] = psutil.Process(process.pid).children()
    wait_until_gone(leash)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_runs_on_when_the_starter_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    starter = f"""
import sys, time
from pathlib import Path
from tests.servers.process import Process
process = Process({SLEEP!r}, Path({str(tmp_path / "log")!r}))
print(process.pid, flush=True)
time.sleep(600)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", starter], cwd=root, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        command = psutil.Process(int(killed.stdout.readline()))
        killed.send_signal(how)
    wait_until_gone(command)
