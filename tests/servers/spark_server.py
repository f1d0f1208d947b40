"""Apache Spark as tests need it: a standalone master and a worker, on free ports of the loopback."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.servers.cache import UnavailableError, cache_directory, installed, program
from tests.servers.maven import copy_jars
from tests.servers.offering import ready
from tests.servers.ports import free_ports
from tests.servers.process import Process

VERSION = "4.2.0"
_JARS = (  # one by one: what they say they need, some mirrors don't have in full
    f"org.apache.spark:spark-sql-kafka-0-10_2.13:{VERSION}",
    "org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.0.0",
    "org.apache.kafka:kafka-clients:3.9.2",
    "org.apache.commons:commons-pool2:2.13.1",
)
_INSTALL_TIMEOUT_S = 300
_START_TIMEOUT_S = 60
_ASK_EVERY_S = 0.1


class SparkServer:
    """A master and one worker of two cores, with what they write in `directory`."""

    def __init__(self, home: Path, directory: Path, environ: Mapping[str, str]) -> None:
        self._home = home
        self.jars = ",".join(str(jar) for jar in sorted((home / "jars").glob("*.jar")))
        """For ``spark.jars``."""
        self.environ = {
            **environ,
            "SPARK_HOME": str(home / "python" / "pyspark"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(directory / "local"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_NO_DAEMONIZE": "true",
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(home / "python")]),
        }
        """For a driver: it finds pyspark, and everything that this process finds."""
        self._directory = directory
        self._port, self._web, self._worker_port, self._worker_web = free_ports(4)
        self.master = f"spark://127.0.0.1:{self._port}"
        self.process = self._begin("master.Master", "--port", str(self._port), "--webui-port", str(self._web))
        self.worker = self._begin_worker()

    def wait_ready(self) -> None:
        """Waits until the master answers and has its worker. Raises TimeoutError, or RuntimeError where one ended."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not any(worker["state"] == "ALIVE" for worker in self._status().get("workers", ())):
            for process in (self.process, self.worker):
                if not process.running():
                    raise RuntimeError(f"Spark ended while starting:\n{process.tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Spark did not answer within {_START_TIMEOUT_S} s:\n{self.process.tail()}\n{self.worker.tail()}")
            time.sleep(_ASK_EVERY_S)

    def restart_worker(self) -> None:
        """Kills the worker, with what it runs, and starts another."""
        self.worker.kill()
        self.worker = self._begin_worker()
        self.wait_ready()

    def close(self) -> None:
        """Ends both; executors end when their worker is gone."""
        for process in (self.worker, self.process):
            process.close()

    def _status(self) -> dict[str, Any]:
        try:
            with urlopen(f"http://127.0.0.1:{self._web}/json/", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):  # nobody listens yet, or it does and has no page yet
            return {}

    def _begin_worker(self) -> Process:
        work = str(self._directory / "work")
        ports = ("--port", str(self._worker_port), "--webui-port", str(self._worker_web))
        return self._begin("worker.Worker", *ports, "--cores", "2", "--memory", "2g", "--work-dir", work, self.master)

    def _begin(self, name: str, *arguments: str) -> Process:
        starter = self._home / "python" / "pyspark" / "bin" / "spark-class"
        return Process(
            [starter, f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", *arguments], self._directory / f"{name}.log", self.environ
        )


def spark_home(environ: Mapping[str, str] = os.environ) -> Path:
    """A directory with pyspark (`python`) and the jars of its Kafka source (`jars`), from the cache or else made.

    Raises UnavailableError.
    """

    def install(directory: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", f"--target={directory / 'python'}"]
        done = subprocess.run(
            [*pip, f"pyspark=={VERSION}", "pandas<3"], capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False, env=environ
        )
        if done.returncode != 0:
            raise UnavailableError(f"pip could not bring pyspark:\n{done.stderr.strip()}")
        copy_jars(_JARS, directory / "jars", environ, transitive=False)

    return installed(cache_directory(environ), f"spark-{VERSION}-with-pandas", install)


def start_spark(directory: Path, environ: Mapping[str, str] = os.environ) -> SparkServer:
    """A running cluster; the caller closes it. Raises UnavailableError where it can't be had."""
    program("java", "Spark", environ)
    return ready(SparkServer(spark_home(environ), directory, environ))
