"""A process that a test starts: its log in a file, signals by name, and never left running."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

_LEASH = Path(__file__).with_name("leash.py")


class Child(Protocol):
    """What is asked of a process, in the words of `subprocess.Popen`, which is one."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Running:
    """A process, and the log to which its output is added."""

    def __init__(self, child: Child, log: Path) -> None:
        self.log = log
        self._child = child

    @property
    def pid(self) -> int:
        return self._child.pid

    def running(self) -> bool:
        return self._child.poll() is None

    def kill(self) -> None:
        """Ends it at once, as a power cut would, and waits until it is gone."""
        self._child.send_signal(signal.SIGKILL)
        self.wait(timeout_s=30)

    def suspend(self) -> None:
        """Stops it where it stands: its connections stay open and silent."""
        self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Asks it to end."""
        self._child.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float) -> int:
        """Waits for the end; returns the exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        return self._child.wait(timeout_s)

    def close(self, patience_s: float = 10) -> None:
        """Ends it, politely at first; does nothing where it has ended."""
        if self.running():
            self.resume()
            self.terminate()
        try:
            self.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self, size: int = 8_000) -> str:
        """The last `size` bytes of the log."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - size))
            return log.read().decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Process(Running):
    """Runs `command` until it ends, is stopped, or the test run is gone."""

    def __init__(self, command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None) -> None:
        leashed = [sys.executable, "-I", "-S", str(_LEASH), *map(str, command)]
        with log.open("ab") as output:
            child = subprocess.Popen(leashed, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environ, start_new_session=True)
        super().__init__(child, log)
        self._leash = child.stdin

    def wait(self, timeout_s: float) -> int:
        """See Running."""
        code = super().wait(timeout_s)
        self._release()
        return code

    def _release(self) -> None:
        """Lets the leash go; its process id may be someone else's from now on."""
        pipe = self._leash
        assert pipe is not None
        if not pipe.closed:
            try:
                pipe.write(b".")
                pipe.close()
            except BrokenPipeError:  # the leash is gone already
                pass
