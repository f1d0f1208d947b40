"""A livekpi server as a benchmark needs it: a process of its own, ready for requests, whose CPU time and memory can be read."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.common import LIVEKPI
from tests.servers.ports import free_ports
from tests.servers.process import Process

_START_S = 60.0


class Serving:
    """A server that runs."""

    def __init__(self, process: Process, port: int, data: Path) -> None:
        self.port, self.data = port, data
        self._process = process
        self._seen = psutil.Process(process.pid)

    def connect(self, timeout_s: float = 30.0) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def cpu_s(self) -> float:
        """CPU seconds taken so far."""
        taken = self._seen.cpu_times()
        return float(taken.user + taken.system)

    def resident_mib(self) -> float:
        return float(self._seen.memory_info().rss) / 2**20

    def wait_ready(self) -> None:
        """Raises RuntimeError with its log where it ends, or does not answer in time."""
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if not self._process.running() or time.monotonic() > deadline:
                raise RuntimeError(f"livekpi did not start:\n{self._process.tail()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        connection = self.connect(1.0)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def serving(file: Path, data: Path) -> Iterator[Serving]:
    """Runs `livekpi run` until the block ends."""
    (port,) = free_ports(1)
    with Process([*LIVEKPI, "run", file, "--data", data, "--listen", f"127.0.0.1:{port}"], data.with_suffix(".log")) as process:
        server = Serving(process, port, data)
        server.wait_ready()
        yield server
