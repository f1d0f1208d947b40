"""`livekpi run` as a process of its own."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

FILE = """
sources:
  app: { http: {}, time: ts, fields: { ts: timestamp } }
kpis:
  visits: { value: count(*), every: 10s }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kpis.yaml"
    path.write_text(FILE)
    return path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "livekpi.cli", "run", *map(str, arguments)]


def test_an_error_is_all_that_it_says(file: Path) -> None:
    ended = subprocess.run(command(file, "--listen", "here"), capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "livekpi: --listen here: expected HOST:PORT, such as 127.0.0.1:8321 or [::1]:8321\n"


def test_it_may_have_many_connections(file: Path) -> None:
    limited = ["sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh", *command(file, "--listen", "127.0.0.1:0")]
    with subprocess.Popen(limited, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "listening" in process.stderr.readline()
            soft, hard = psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE)
            assert soft == min(hard, 65_536)
        finally:
            process.kill()


def test_a_hangup_does_not_end_a_server_without_a_terminal(file: Path) -> None:
    hangups = command(file, "--listen", "127.0.0.1:0")
    with subprocess.Popen(hangups, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "listening" in process.stderr.readline()
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.stderr.read() == ""
            assert process.wait(60) == 0
        finally:
            process.kill()


@pytest.fixture
def hangup() -> Iterator[None]:
    """SIGHUP is not ignored, as it would be in a run under nohup; processes begun meanwhile have that from here."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
def test_it_ends_in_order_when_its_terminal_is_closed(file: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(command(file, "--listen", "127.0.0.1:0"), stdin=theirs, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "listening" in process.stderr.readline()
            process.send_signal(signal.SIGHUP)
            assert process.stderr.read() == ""
            assert process.wait(60) == 0
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_without_a_word(file: Path, number: int) -> None:
    with subprocess.Popen(command(file, "--listen", "127.0.0.1:0"), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "listening" in process.stderr.readline()
            process.send_signal(number)
            assert process.stderr.read() == ""
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_once_says_what_became_of_the_records(tmp_path: Path) -> None:
    source = "{ file: { path: events.ndjson, follow: true }, time: ts, fields: { ts: timestamp } }"
    file = tmp_path / "kpis.yaml"
    file.write_text(FILE.replace("{ http: {}, time: ts, fields: { ts: timestamp } }", source))
    said = []
    for events in ('{"ts": 1}\n', '{"ts": "2026-03-01T12:00:00Z"}\n', ""):
        with (tmp_path / "events.ndjson").open("a") as out:
            out.write(events)
        ended = subprocess.run(command(file, "--once"), capture_output=True, text=True, timeout=60, check=True)
        (line,) = map(json.loads, ended.stderr.splitlines())
        said.append((line["level"], line["source"], line["events"], line["dead_letters"], line.get("hint")))
    hint = f"livekpi dead-letters --data {tmp_path / '.livekpi'} --source app"
    assert said == [("warning", "app", 0, 1, hint), ("info", "app", 1, 0, None), ("info", "app", 0, 0, None)]


def test_a_file_made_anew_with_the_same_beginning_is_read_from_its_beginning(tmp_path: Path) -> None:
    """Such as a table with so many columns that its first KiB, by which a file is known, is all header."""
    columns = ["ts", "v", *(f"column_{number}" for number in range(120))]
    (tmp_path / "kpis.yaml").write_text(
        "sources:\n  s: { file: { path: wide.csv, format: csv, follow: true }, time: ts, fields: { ts: timestamp, v: integer } }\n"
        "kpis:\n  rows: { value: count(*), every: 1h }\n  most: { value: max(v), every: 1h }\n"
    )
    for first, rows in ((0, 100), (1_000, 40)):
        lines = [",".join(columns), *(f"2026-03-01T12:00:00Z,{first + row}{',' * 120}" for row in range(rows))]
        (tmp_path / "wide.csv").write_text("\n".join(lines) + "\n")
        subprocess.run(command(tmp_path / "kpis.yaml", "--once"), capture_output=True, timeout=60, check=True)
    found = {}
    for kpi in ("rows", "most"):
        query = [sys.executable, "-m", "livekpi.cli", "query", kpi, "--data", str(tmp_path / ".livekpi"), "--format", "json"]
        found[kpi] = json.loads(subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout)["value"]
    assert found == {"rows": 140, "most": 1_039}
