"""A life of livekpi that was forked is a process as any other."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers.nursery import Installed, Nursery
from tests.servers.ports import free_ports
from tests.servers.process import Running
from tests.servers.test_process import wait_until_gone

pytestmark = pytest.mark.timeout(120)
FILE = "sources: { a: { http: {}, time: ts, fields: { ts: timestamp } } }\nkpis: { k: { value: count(*), every: 1m } }\n"


@pytest.fixture
def serving(nursery: Nursery, tmp_path: Path) -> Iterator[Running]:
    """A server that runs."""
    file = tmp_path / "definition.yaml"
    file.write_text(FILE)
    [port] = free_ports(1)
    with nursery.start(["run", file, "--listen", f"127.0.0.1:{port}"], tmp_path / "log") as life:
        while "listening" not in life.tail():
            assert life.running(), life.tail()
        yield life


@pytest.mark.parametrize(
    "arguments", [["check", "definition.yaml"], ["check", "nothing.yaml"], ["query", "k", "--data", "nowhere"], ["what"]]
)
def test_it_prints_and_ends_as_the_installed_command(nursery: Nursery, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "definition.yaml").write_text(FILE)
    given = [str(tmp_path / each) if each.endswith((".yaml", "where")) else each for each in arguments]
    forked, installed = (livekpi.run(given, 60) for livekpi in (nursery, Installed()))
    assert (forked.returncode, forked.stdout, forked.stderr) == (installed.returncode, installed.stdout, installed.stderr)
    assert forked.stdout + forked.stderr


def test_kill(serving: Running) -> None:
    serving.kill()
    assert not serving.running()
    assert serving.wait(0) == -signal.SIGKILL
    with pytest.raises(psutil.NoSuchProcess):
        psutil.Process(serving.pid)


def test_terminate(serving: Running) -> None:
    serving.terminate()
    assert serving.wait(60) == 0


def test_suspend_and_resume(serving: Running) -> None:
    process = psutil.Process(serving.pid)
    serving.suspend()
    while process.status() != psutil.STATUS_STOPPED:
        assert serving.running()
    with pytest.raises(subprocess.TimeoutExpired):
        serving.wait(0.01)
    serving.close()  # wakes it
    assert serving.wait(0) == 0


@pytest.mark.parametrize("how", ["exits", "is killed"])
def test_lives_end_with_whoever_asked_for_them(tmp_path: Path, how: str) -> None:
    (tmp_path / "definition.yaml").write_text(FILE)
    [port] = free_ports(1)
    ending = "import os; os.kill(os.getpid(), 9)" if how == "is killed" else ""
    program = f"""
from pathlib import Path
from tests.servers.nursery import Nursery
here = Path({str(tmp_path)!r})
nursery = Nursery(here / "nursery.log")
life = nursery.start(["run", here / "definition.yaml", "--listen", "127.0.0.1:{port}"], here / "log")
while "listening" not in life.tail():
    assert life.running(), life.tail()
print(life.pid, flush=True)
{ending}
"""
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", program], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        life = psutil.Process(int(starter.stdout.readline()))
    wait_until_gone(life)


def test_a_parent_that_is_gone_is_named(tmp_path: Path) -> None:
    nursery = Nursery(tmp_path / "log")
    psutil.Process(nursery.pid).kill()
    with pytest.raises(RuntimeError, match="could not be imported"):
        nursery.start(["--help"], tmp_path / "life")
    nursery.close()
