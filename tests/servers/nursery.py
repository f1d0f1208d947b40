"""livekpi in lives that begin where its imports end: of a start's time these are nine tenths, and they are the same each time.

A life is a process of its own, which is killed, stopped and waited for as any; only what it has imported it has from its
parent. What starts the installed command is `Installed`.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tests.servers.process import Process, Running

_FORKING = Path(__file__).with_name("forking.py")
_POLL_S = 0.005
_PATIENCE_S = 60

Arguments = Sequence[str | Path]


class Livekpi(Protocol):
    """How livekpi is started."""

    def start(self, arguments: Arguments, log: Path) -> Running:
        """Begins ``livekpi ARGUMENTS…``, whose output is added to `log`."""

    def run(self, arguments: Arguments, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """What it printed until it ended. Raises subprocess.TimeoutExpired."""


class Installed:
    """The command as the wheel puts it beside this Python, or another that stands for it."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or installed_command())

    def start(self, arguments: Arguments, log: Path) -> Running:
        return Process([*self._command, *arguments], log)

    def run(self, arguments: Arguments, timeout_s: float) -> subprocess.CompletedProcess[str]:
        command = [*self._command, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def installed_command() -> list[str]:
    """Where only the source is on the path, the same function."""
    command = Path(sys.executable).with_name("livekpi")
    return [str(command)] if command.exists() else [sys.executable, "-c", "from livekpi.cli import main; main()"]


class Nursery:
    """A process that has imported livekpi, and its lives, which end with it; their environment is that of this moment."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._asking = threading.Lock()
        with log.open("ab") as errors:
            pipe = subprocess.PIPE
            self._parent = subprocess.Popen(
                [sys.executable, "-P", str(_FORKING)], stdin=pipe, stdout=pipe, stderr=errors, text=True, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._parent.pid

    def start(self, arguments: Arguments, log: Path) -> Running:
        return Running(self._begin(arguments, log, log), log)

    def run(self, arguments: Arguments, timeout_s: float) -> subprocess.CompletedProcess[str]:
        with TemporaryDirectory() as scratch:
            output, errors = (Path(scratch, name) for name in ("output", "errors"))
            with Running(self._begin(arguments, output, errors), errors) as life:
                code = life.wait(timeout_s)
            return subprocess.CompletedProcess(list(arguments), code, output.read_text(), errors.read_text())

    def close(self) -> None:
        """Ends it, and at once all that lives."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it is gone already
            self._parent.stdin.close()
        self._parent.wait(_PATIENCE_S)
        self._parent.stdout.close()

    def ask(self, request: dict[str, Any]) -> Any:
        """What the parent answers. Raises RuntimeError where it is gone."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        answer = ""
        with self._asking, contextlib.suppress(BrokenPipeError):
            self._parent.stdin.write(f"{json.dumps(request)}\n")
            self._parent.stdin.flush()
            answer = self._parent.stdout.readline()
        if not answer:
            raise RuntimeError(f"livekpi could not be imported, or a life not be begun:\n{self._log.read_text()}")
        return json.loads(answer)

    def _begin(self, arguments: Arguments, output: Path, errors: Path) -> "_Life":
        for log in (output, errors):
            log.touch()  # whoever reads it may be sooner there than the life
        request = {"arguments": [*map(str, arguments)], "output": str(output), "errors": str(errors)}
        return _Life(self.ask(request)["pid"], self)


class _Life:
    """See Child. Its parent buries it when it is first found dead: until then its process id is its own."""

    def __init__(self, pid: int, nursery: Nursery) -> None:
        self.pid = pid
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._nursery.ask({"pid": self.pid})["code"]
        return self._code

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("livekpi", timeout)
            time.sleep(_POLL_S)  # it is another's child: nothing to wait on
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)
