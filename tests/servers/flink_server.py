"""Apache Flink as tests need it: a JobManager, a TaskManager and a SQL Gateway on free ports, each a process that can be killed."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from livekpi.engine.flink.jar import build_jar
from livekpi.engine.flink.jobmanager import JobManager
from tests.servers.cache import UnavailableError, cache_directory, installed, program
from tests.servers.maven import copy_jars
from tests.servers.offering import ready
from tests.servers.ports import free_ports
from tests.servers.process import Process

VERSION = "2.3.0"
_CONNECTOR = "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"
_GATEWAY = f"org.apache.flink:flink-sql-gateway:{VERSION}"  # the distribution on PyPI leaves it out
_INSTALL_TIMEOUT_S = 600
_START_TIMEOUT_S = 90
_SLOTS = 4
_ENTRY_POINTS = {
    "jobmanager": "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
    "taskmanager": "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
    "gateway": "org.apache.flink.table.gateway.SqlGateway",
}
# The scripts that come with Flink work the TaskManager's memory out; without them each part of it must be said.
_CONFIG = """\
jobmanager: {{bind-host: 127.0.0.1, rpc: {{address: 127.0.0.1, port: {rpc}}}}}
blob: {{server: {{port: "{blob}"}}}}
rest: {{address: 127.0.0.1, bind-address: 127.0.0.1, port: {rest}}}
taskmanager:
  bind-host: 127.0.0.1
  host: 127.0.0.1
  numberOfTaskSlots: {slots}
  cpu: {{cores: 2.0}}
  memory:
    framework: {{heap: {{size: 128m}}, off-heap: {{size: 64m}}}}
    task: {{heap: {{size: 768m}}, off-heap: {{size: 0m}}}}
    network: {{min: 128m, max: 128m}}
    managed: {{size: 64m}}
    jvm-metaspace: {{size: 256m}}
    jvm-overhead: {{min: 128m, max: 128m}}
sql-gateway:
  endpoint: {{rest: {{address: 127.0.0.1, bind-address: 127.0.0.1, port: {gateway}}}}}
  session: {{idle-timeout: 10 min}}
parallelism: {{default: 1}}
heartbeat: {{interval: 500, timeout: 15000}}
restart-strategy: {{type: fixed-delay, fixed-delay: {{attempts: 1000, delay: 500ms}}}}
execution: {{checkpointing: {{dir: "file://{data}/checkpoints", savepoint-dir: "file://{data}/savepoints", num-retained: 1000}}}}
"""
_LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %-60c %x - %m%n
logger.kafka.name = org.apache.kafka
logger.kafka.level = WARN
logger.pekko.name = org.apache.pekko
logger.pekko.level = ERROR
"""
_OPEN = (
    *("java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.text", "java.time", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks"),
)
QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of Java for jobs that are small; one whose cost is measured wants the whole compiler."""
_HEAPS = {"jobmanager": "-Xmx512m", "taskmanager": "-Xmx896m", "gateway": "-Xmx512m"}


class FlinkServer:
    """A cluster with its files in `directory`, from what `flink_home` installed."""

    def __init__(self, java: str, home: Path, directory: Path, functions: Path, java_options: Sequence[str]) -> None:
        names = ("rest", "rpc", "blob", "gateway")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.rest, self.gateway = (f"http://127.0.0.1:{ports[name]}" for name in ("rest", "gateway"))
        self.directory = directory
        self._ports = ports
        self._conf = directory / "conf"
        self._conf.mkdir()
        (self._conf / "config.yaml").write_text(_CONFIG.format(**ports, data=directory, slots=_SLOTS))
        (self._conf / "log4j.properties").write_text(_LOGGING)
        opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPEN]
        self._java = [java, *opens, *java_options, f"-Dlog4j.configurationFile={self._conf}/log4j.properties"]
        self._classpath = f"{home}/pyflink/lib/*:{home}/jars/*:{functions}"
        self.jobmanager, self.taskmanager, self.gateway_process = (self._begin(part) for part in _ENTRY_POINTS)

    @property
    def processes(self) -> tuple[Process, ...]:
        return self.jobmanager, self.taskmanager, self.gateway_process

    @property
    def process(self) -> Process:
        """The one whose log tells most of a job."""
        return self.taskmanager

    def wait_ready(self) -> None:
        """Waits until all parts answer. Raises TimeoutError, or RuntimeError when one ended instead, with its log's tail."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._ready():
            for process in self.processes:
                if not process.running():
                    raise RuntimeError(f"{process.log.stem} ended while starting:\n{process.tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Flink did not answer within {_START_TIMEOUT_S} s:\n{self.jobmanager.tail()}")
            time.sleep(0.1)  # between questions

    def restart_taskmanager(self) -> None:
        """Starts another TaskManager after the first was killed; returns when its slots are there."""
        self.taskmanager = self._begin("taskmanager")
        self.wait_ready()

    def restart_jobmanager(self) -> None:
        """Starts another JobManager after the first was killed, which knows of no job; returns when the TaskManager has found it."""
        self.jobmanager = self._begin("jobmanager")
        self.wait_ready()

    def mend(self) -> None:
        """Undoes what a test did: cancels its jobs, and gives back the TaskManager."""
        if not self.jobmanager.running():
            self.restart_jobmanager()
        if not self.taskmanager.running():
            self.restart_taskmanager()
        job_manager = JobManager(self.rest)
        for job in job_manager.jobs():
            if not job.ended:
                job_manager.cancel(job.job_id)

    def close(self) -> None:
        """Ends it at once: its files are thrown away with the test run."""
        for process in self.processes:
            process.kill()

    def ask(self, path: str) -> Any:
        """What the JobManager answers to GET."""
        return _get(self._ports["rest"], path)

    def _ready(self) -> bool:
        try:
            _get(self._ports["gateway"], "/v1/info")
            return bool(self.ask("/overview")["slots-total"])
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return False

    def _begin(self, part: str) -> Process:
        options = [_HEAPS[part], "-cp", self._classpath, _ENTRY_POINTS[part]]
        arguments = ["--configDir", str(self._conf)] if part != "gateway" else []
        environ = {**os.environ, "FLINK_CONF_DIR": str(self._conf)}
        return Process([*self._java, *options, *arguments], self.directory / f"{part}.log", environ)


def flink_home(environ: Mapping[str, str] = os.environ) -> Path:
    """A directory with Flink's distribution and the jars beside it, from the cache or else made. Raises UnavailableError."""

    def install(directory: Path) -> None:
        # only the distribution: what is for jobs in Python is three times as much
        _run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--target", str(directory)],
             f"apache-flink-libraries=={VERSION}", environ)  # fmt: skip
        copy_jars([_CONNECTOR, _GATEWAY], directory / "jars", environ, transitive=False)

    return installed(cache_directory(environ), f"flink-{VERSION}", install)


def flink_jars(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The jars that our own functions are compiled and run against."""
    return sorted((flink_home(environ) / "pyflink/lib").glob("*.jar"))


def functions_jar(into: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The jar of livekpi's functions, compiled from the tree. Raises UnavailableError where there is no JDK."""
    program("javac", "Flink", environ)
    return build_jar(into / "livekpi-flink.jar", flink_jars(environ))


def start_flink(directory: Path, environ: Mapping[str, str] = os.environ, java_options: Sequence[str] = QUICK_START) -> FlinkServer:
    """A running cluster; the caller closes it. Raises UnavailableError where it can't be had."""
    functions = functions_jar(directory, environ)
    return ready(FlinkServer(program("java", "Flink", environ), flink_home(environ), directory, functions, java_options))


def _run(command: Sequence[str], what: str, environ: Mapping[str, str]) -> None:
    try:
        done = subprocess.run([*command, what], capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False, env=environ)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"pip did not bring {what} within {_INSTALL_TIMEOUT_S} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise UnavailableError(f"pip could not bring {what}:\n{said}")


def _get(port: int, path: str) -> Any:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        content = response.read()
    if response.status != http.HTTPStatus.OK:
        raise http.client.HTTPException(f"{path}: {response.status} {content[:200]!r}")
    return json.loads(content)
