"""The demo as a user starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from livekpi.definition.load import load
from livekpi.demo.demo import DEFINITION
from livekpi.run import DEFAULT_LISTEN

WAIT_S = 60


@contextmanager
def demo(tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command, with its temporary directories under tmp_path; killed where the test has not ended it."""
    command = [sys.executable, "-m", "livekpi.cli", "demo", *arguments]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def numbers(line: str) -> dict[str, str]:
    """A report's KPIs by title."""
    return dict(re.findall(r"(?:^|· )([A-Za-z][A-Za-z0-9 ]*?) (-?[\d,.]+)", line))


def test_its_definition_has_no_mistake_and_warns_only_that_nobody_is_told() -> None:
    assert [warning for warning in load(DEFINITION, {}).warnings if "nobody is told" not in warning.message] == []


@pytest.mark.timeout(120)
def test_the_numbers_move_until_ctrl_c_ends_it_and_the_data_stays_where_it_was_asked_for(tmp_path: Path) -> None:
    with demo(tmp_path, "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data")) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("A synthetic shop at http://127.0.0.1:")
        seen: set[str] = set()
        while len(seen) < 2:
            line = process.stdout.readline()
            assert line, process.communicate()
            if line.startswith("Revenue"):
                assert numbers(line).keys() >= {"Revenue", "Orders", "Visits", "Active users", "Error rate", "Latency p95", "Lowest stock"}
                seen.add(numbers(line)["Visits"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"lock", "ingest"}


@pytest.mark.timeout(120)
def test_it_ends_by_itself_leaves_nothing_behind_and_finds_an_address_where_its_own_is_taken(tmp_path: Path) -> None:
    host, port = DEFAULT_LISTEN.split(":")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, int(port)))
            taken.listen()
        except OSError:
            pass  # another process has it: as good
        with demo(tmp_path, "--for", "0s") as process:
            out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    assert re.search(r"http://127\.0\.0\.1:\d+", out)
    assert f"http://{DEFAULT_LISTEN}" not in out
    assert list(tmp_path.iterdir()) == []
