"""The tutorial does what it says: its files are written, its commands run in one shell, and what they print is compared."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from tests.house.tree import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.md"
DEFAULT_ADDRESS = "127.0.0.1:8321"
_FENCE = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
# What was just posted is counted a moment later: a reader who is as quick as a test asks again.
_ASKS = re.compile(r"livekpi (query|dead-letters|top)|curl .*/v1/kpis")
COMMITTED_S = 20
_MARK = "--- end of command"
ANY = "…"


@dataclass
class Command:
    """A line to type, and what the page says it prints."""

    line: str
    expected: list[str] = field(default_factory=list)


@dataclass
class WrittenFile:
    name: str
    text: str


def steps(page: str) -> Iterator[Command | WrittenFile]:
    """What a reader does, in order: a block with a file's name is that file, `$` begins a command."""
    for block in _FENCE.finditer(page):
        if block["file"]:
            yield WrittenFile(block["file"], block["body"])
        elif block["language"] == "console":
            yield from commands(block["body"])


def commands(body: str) -> list[Command]:
    found: list[Command] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        else:
            found[-1].expected.append(line)
    return found


def as_expected(expected: list[str], printed: list[str]) -> bool:
    """Whether each line is as expected; … in a line is any text, … alone any lines."""
    pattern = ""
    for line in expected:
        pattern += r"(?:.*\n)*" if line == ANY else ".*".join(map(re.escape, line.split(ANY))) + r" *\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


class Shell:
    """One bash for the whole page, as a reader has."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, line: str) -> tuple[int, list[str]]:
        """Runs a line; its exit code and what it printed."""
        stdin, stdout = self._pipes()
        stdin.write(f'{line}\nprintf "\\n{_MARK} %d\\n" $?\n')
        stdin.flush()
        printed: list[str] = []
        for text in stdout:
            if text.startswith(_MARK):
                # The mark begins a line of its own, so there is an empty one before it.
                return int(text.removeprefix(_MARK)), printed[:-1] if printed[-1] == "" else printed
            printed.append(text.rstrip("\n"))
        raise AssertionError(f"the shell ended at {line!r}: {printed}")

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


@contextmanager
def shell(directory: Path) -> Iterator[Shell]:
    """A shell in a directory, with the installed livekpi first on its path; whatever it started ends with it."""
    (directory / "bin").mkdir()
    command = directory / "bin" / "livekpi"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m livekpi.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (directory / "work").mkdir()
    environment = {**os.environ, "PATH": f"{directory / 'bin'}:{os.environ['PATH']}", "HOME": str(directory), "COLUMNS": "80"}
    environment.pop("LIVEKPI_TOKEN", None)
    arguments = ["bash", "--noprofile", "--norc"]
    pipe, out = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(arguments, cwd=directory / "work", env=environment, stdin=pipe, stdout=pipe, stderr=out, text=True) as process:
        found = Shell(process)
        try:
            yield found
        finally:
            found.run("kill -9 $(jobs -p) 2> /dev/null; wait")
            process.communicate("exit\n", timeout=30)


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.timeout(180)
def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    address = free_address()
    page = TUTORIAL.read_text(encoding="utf-8").replace(DEFAULT_ADDRESS, address)
    page = re.sub(r"^(\$ livekpi run \S+)(?=\s)(?! --once)", rf"\1 --listen {address}", page, flags=re.MULTILINE)
    with shell(tmp_path) as typed:
        for step in steps(page):
            if isinstance(step, WrittenFile):
                (tmp_path / "work" / step.name).write_text(step.text, encoding="utf-8")
                continue
            code, printed = typed.run(step.line)
            deadline = time.monotonic() + COMMITTED_S
            while _ASKS.match(step.line) and not as_expected(step.expected, printed) and time.monotonic() < deadline:
                code, printed = typed.run(step.line)
            assert code == 0, f"{step.line}: exit code {code}, printed {printed}"
            if step.expected:
                assert as_expected(step.expected, printed), f"{step.line}\nexpected {step.expected}\nprinted  {printed}"


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a"], False),
        (["a"], ["a", "b"], False),
        (["a…d"], ["abcd  "], True),
        (["a…d"], ["abc"], False),
        (["…", "c"], ["a", "b", "c"], True),
        (["a", "…"], ["a"], True),
        (["a.c"], ["abc"], False),
    ],
)
def test_what_is_printed_is_compared(expected: list[str], printed: list[str], same: bool) -> None:
    assert as_expected(expected, printed) is same


def test_the_page_has_files_and_commands() -> None:
    found = list(steps(TUTORIAL.read_text(encoding="utf-8")))
    assert sum(isinstance(step, WrittenFile) for step in found) == 3
    assert sum(isinstance(step, Command) for step in found) > 15
