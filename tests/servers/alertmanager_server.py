"""Prometheus's Alertmanager as tests need it: one that can be killed and brought back on the same port."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from tests.servers.cache import UnavailableError, cache_directory, installed, program
from tests.servers.offering import ready
from tests.servers.ports import free_ports
from tests.servers.process import Process

VERSION = "v0.31.1"  # later ones want their page built first
_INSTALL_TIMEOUT_S = 600
_START_TIMEOUT_S = 30
_CONFIG = """\
route: {{receiver: test, group_by: [alertname], group_wait: 300ms, group_interval: 500ms, repeat_interval: 1h}}
receivers: [{{name: test, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""


class AlertmanagerServer:
    """One that tells all it knows to a webhook, by the rules' names, and is in no cluster."""

    def __init__(self, binary: Path, directory: Path, webhook: str) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        config = directory / "alertmanager.yml"
        config.write_text(_CONFIG.format(url=webhook))
        self._command: list[str | Path] = [
            *(binary, f"--config.file={config}", f"--storage.path={directory / 'data'}", f"--web.listen-address=127.0.0.1:{self.port}"),
            *("--cluster.listen-address=", "--log.level=debug"),
        ]
        self._log = directory / "alertmanager.log"
        self.process = self._begin()

    def restart(self) -> None:
        """Starts it again after `kill`, on the same port; returns when it answers. It keeps silences, and no alerts."""
        self.process = self._begin()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Waits until it answers. Raises TimeoutError, or RuntimeError when it ended instead, with its log's tail."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._ready():
            if not self.process.running():
                raise RuntimeError(f"Alertmanager ended while starting:\n{self.process.tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Alertmanager did not answer within {_START_TIMEOUT_S} s:\n{self.process.tail()}")
            time.sleep(0.05)  # between questions

    def alerts(self) -> list[Any]:
        """What fires there."""
        found: list[Any] = self._ask("/api/v2/alerts")
        return found

    def silence(self, name: str, value: str, until: str) -> None:
        """Silences what has a label."""
        matcher = {"name": name, "value": value, "isRegex": False, "isEqual": True}
        given = {"matchers": [matcher], "startsAt": "2000-01-01T00:00:00Z", "endsAt": until, "createdBy": "test", "comment": "test"}
        self._ask("/api/v2/silences", given)

    def close(self) -> None:
        """Ends it at once: its data is thrown away with the test run."""
        self.process.kill()

    def _ask(self, path: str, content: object = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        with urlopen(Request(self.url + path, body, {"Content-Type": "application/json"}), timeout=10) as answer:
            return json.load(answer)

    def _ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except (OSError, HTTPException):
            return False

    def _begin(self) -> Process:
        return Process(self._command, self._log)


def alertmanager_binary(environ: Mapping[str, str] = os.environ) -> Path:
    """The program: the one on PATH, by Prometheus's name or Debian's; else from the cache, or built by Go. Raises UnavailableError."""
    for name in ("alertmanager", "prometheus-alertmanager"):
        found = shutil.which(name, path=environ.get("PATH"))
        if found is not None:
            return Path(found)

    def install(directory: Path) -> None:
        go = program("go", "Alertmanager", environ)
        with TemporaryDirectory(dir=directory) as scratch:  # a gigabyte that nobody needs again
            own = {"GOMODCACHE": f"{scratch}/modules", "GOCACHE": f"{scratch}/build", "GOBIN": str(directory), "GOFLAGS": "-modcacherw"}
            _run([go, "install", f"github.com/prometheus/alertmanager/cmd/alertmanager@{VERSION}"], {**environ, **own, "CGO_ENABLED": "0"})

    return installed(cache_directory(environ), f"alertmanager-{VERSION}", install) / "alertmanager"


def start_alertmanager(directory: Path, webhook: str, environ: Mapping[str, str] = os.environ) -> AlertmanagerServer:
    """A running server; the caller closes it. Raises UnavailableError where it can't be had."""
    return ready(AlertmanagerServer(alertmanager_binary(environ), directory, webhook))


def _run(command: Sequence[str], environ: Mapping[str, str]) -> None:
    what = command[-1]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False, env=dict(environ))
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"Go did not build {what} within {_INSTALL_TIMEOUT_S} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise UnavailableError(f"Go could not build {what}:\n{said}")
