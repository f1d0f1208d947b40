"""livekpi as a user runs it, in a process that can be killed."""

import json
import random
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.faults.traffic import KPIS, SOURCES, Key, Traffic, differences, points
from tests.servers.nursery import Installed, Livekpi
from tests.servers.ports import free_ports
from tests.servers.process import Running

_ANSWER_S = 30
_POLL_S = 0.05


class LivekpiServer:
    """``livekpi run`` on one definition and one data directory, in one life after the other."""

    def __init__(self, directory: Path, definition: str, livekpi: Livekpi | None = None, data: Path | None = None) -> None:
        """The installed one, unless another is given. Its definition and log are in `directory`, its data too, unless `data` is given."""
        self.data = data or directory / "data"
        self.log = directory / "livekpi.log"
        [port] = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self._livekpi = livekpi or Installed()
        self._file = directory / "definition.yaml"
        self._file.write_text(definition)
        self._process: Running | None = None

    @property
    def process(self) -> Running:
        """Its present life, or the last."""
        assert self._process is not None, "started"
        return self._process

    def start(self) -> None:
        assert self._process is None or not self._process.running()
        self._process = self._livekpi.start(["run", self._file, "--data", self.data, "--listen", self.address], self.log)

    def wait_until_it_answers(self) -> None:
        self.until(lambda: self._ask("/healthz") is not None)

    def until(self, condition: Callable[[], bool], timeout_s: float = 120) -> None:
        """Waits until something is so; fails when it takes too long, or livekpi has ended."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self.process.running(), f"livekpi ended:\n{self.process.tail()}"
            assert time.monotonic() < deadline, f"waited in vain for {timeout_s} s:\n{self.process.tail()}"
            time.sleep(_POLL_S)  # nothing to wait on: it is another process

    def until_more_than(self, count: int) -> None:
        """Waits until more events are counted."""
        self.until(lambda: self.count() > count)

    def get(self, path: str) -> Any:
        """What a running server answers, as JSON."""
        answer = self.answer(path)
        assert answer is not None, f"no answer:\n{self.process.tail()}"
        return answer

    def answer(self, path: str) -> Any | None:
        """What a running server answers, as JSON; None where it can't now."""
        answer = self._ask(path)
        return None if answer is None else json.loads(answer, parse_float=Decimal)

    def text(self, path: str) -> str:
        """What a running server answers."""
        answer = self._ask(path)
        assert answer is not None, f"no answer:\n{self.process.tail()}"
        return answer.decode()

    def run_once(self) -> None:
        """Reads what is left and ends."""
        with self._livekpi.start(["run", self._file, "--data", self.data, "--once"], self.log) as process:
            code = process.wait(timeout_s=120)
        assert code == 0, f"ended with {code}:\n{process.tail()}"

    def query(self, *arguments: str, code: int = 0) -> list[str]:
        """The lines that a command on the data directory prints, before it ends with this code."""
        done = self._livekpi.run([*arguments, "--data", self.data], _ANSWER_S)
        assert done.returncode == code, done.stderr
        return done.stdout.splitlines()

    def ready(self) -> bool:
        """Whether it says that it is up to date, as far as it can tell."""
        return self._ask("/readyz") is not None

    def many_lives(self, rng: random.Random, lives: int) -> None:
        """Starts and is killed at random moments: some while starting, some on duty, some just after it counted something."""
        for _ in range(lives):
            self.start()
            far = rng.choice(("begun", "answers", "counts"))
            if far != "begun":
                self.wait_until_it_answers()
            if far == "counts":
                self.until_it_counts_more(self.count())
            time.sleep(rng.uniform(0, 0.7))
            self.process.kill()

    def until_it_counts_more(self, than: int) -> None:
        self.until(lambda: self.count() > than)

    def points(self, kpi: str) -> dict[Key, Any]:
        """All of a KPI's points, by its dimension."""
        return points(kpi, self.query("query", kpi, "--by", KPIS[kpi].dimension, "--format", "json"))

    def check(self, traffic: Traffic) -> None:
        """Compares every number and dead letter with what was sent."""
        wrong = [each for kpi in KPIS for each in differences(kpi, self.points(kpi), traffic.counted(kpi))]
        for source in SOURCES:
            letters = [json.loads(line) for line in self.query("dead-letters", "--source", source, "--limit", "10000")]
            places = {(letter["partition"], letter["position"]) for letter in letters}
            if not len(places) == len(letters) == len(traffic.dead):
                wrong.append(f"{source}: expected {len(traffic.dead)} dead letters, found {len(letters)} of {len(places)} records")
        nothing_wrong(wrong)

    def until_all_are_counted(self, traffic: Traffic) -> None:
        """Waits until both sources have counted what was sent."""
        self.until(lambda: self.count() >= len(traffic.all_events) and self.count("events") >= len(traffic.events))

    def count(self, kpi: str = "every_event") -> int:
        """How many events are counted now, as a running server says, or the command where none runs."""
        answer = self._ask(f"/v1/kpis/{kpi}?step=all")
        lines = self.query("query", kpi, "--step", "all", "--format", "json") if answer is None else []
        points = map(json.loads, lines) if answer is None else json.loads(answer)["points"]
        return sum(int(point["value"]) for point in points)

    def close(self) -> None:
        if self._process is not None:
            self._process.close()

    def _ask(self, path: str) -> bytes | None:
        connection = HTTPConnection(self.address, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
        return body if response.status == 200 else None


def nothing_wrong(wrong: Sequence[str]) -> None:
    """Fails with the first of what is wrong."""
    assert not wrong, "\n".join([f"{len(wrong)} numbers are wrong, such as", *wrong[:20]])
