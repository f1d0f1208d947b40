"""The website example gives what plain Python finds in the same log, and nothing more."""

import json
import math
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.nursery import installed_command

EXAMPLE = Path("examples/website")
REQUEST = re.compile(r'(?P<client>\S+) \S+ \S+ \[(?P<time>[^]]+)\] "(?:[^"\\]|\\.)*" (?P<status>\d{3}) (?P<bytes>\d+|-)')
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = {"1h": HOUR, "1d": DAY}


@dataclass(frozen=True)
class Request:
    client: str
    time: datetime
    status: int
    bytes: int | None

    def bucket(self, step: timedelta) -> datetime:
        day = self.time.replace(hour=0, minute=0, second=0)
        return day + (self.time - day) // step * step


@pytest.fixture(scope="module")
def requests(pytestconfig: pytest.Config) -> list[Request]:
    """Each line of the log, read without livekpi."""
    found = []
    for line in (pytestconfig.rootpath / EXAMPLE / "access.log").read_text().splitlines():
        match = REQUEST.match(line)
        assert match, line
        time = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
        size = None if match["bytes"] == "-" else int(match["bytes"])
        found.append(Request(match["client"], time, int(match["status"]), size))
    assert len(found) == 10_000
    return found


@pytest.fixture(scope="module")
def data(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `livekpi run website.yaml --once` makes of a copy of the example."""
    copy = tmp_path_factory.mktemp("website") / "website"
    shutil.copytree(pytestconfig.rootpath / EXAMPLE, copy, ignore=shutil.ignore_patterns(".livekpi"))
    done = livekpi("run", copy / "website.yaml", "--once")
    assert done == []
    return copy / ".livekpi"


def livekpi(*arguments: str | Path) -> list[Any]:
    """The objects that a command prints."""
    done = subprocess.run([*installed_command(), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def sliced(requests: Iterable[Request], step: timedelta) -> dict[datetime, list[Request]]:
    buckets: dict[datetime, list[Request]] = defaultdict(list)
    for request in requests:
        buckets[request.bucket(step)].append(request)
    return dict(sorted(buckets.items()))


def values(data: Path, kpi: str, step: str) -> dict[datetime, Any]:
    """The points of a KPI; each must be final, and there once."""
    points = livekpi("query", kpi, "--data", data, "--step", step, "--format", "json")
    assert all(point.keys() == {"time", "value", "final"} and point["final"] for point in points)
    found = {datetime.fromisoformat(point["time"]): point["value"] for point in points}
    assert len(found) == len(points)
    return found


def visitors(requests: list[Request]) -> int:
    return len({request.client for request in requests})


def traffic(requests: list[Request]) -> int:
    return sum(request.bytes or 0 for request in requests)


def errors(requests: list[Request]) -> float:
    return sum(request.status >= 400 for request in requests) / len(requests)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("kpi", "value"), [("requests", len), ("visitors", visitors), ("traffic", traffic), ("errors", errors)])
def test_exact(kpi: str, value: Callable[[list[Request]], float], step: str, data: Path, requests: list[Request]) -> None:
    assert values(data, kpi, step) == {time: value(part) for time, part in sliced(requests, STEPS[step]).items()}


@pytest.mark.parametrize("step", STEPS)
def test_p95_of_size_within_one_percent(step: str, data: Path, requests: list[Request]) -> None:
    found = values(data, "size_p95", step)
    buckets = sliced(requests, STEPS[step])
    assert found.keys() == buckets.keys()
    for time, part in buckets.items():
        sizes = sorted(request.bytes for request in part if request.bytes is not None)
        exact = sizes[math.floor(0.95 * (len(sizes) - 1))]
        assert abs(found[time] - exact) <= 0.01 * exact, time


@pytest.mark.parametrize("step", STEPS)
def test_requests_by_status(step: str, data: Path, requests: list[Request]) -> None:
    wanted = Counter((request.bucket(STEPS[step]), request.status) for request in requests)
    points = livekpi("query", "requests", "--by", "status", "--data", data, "--step", step, "--format", "json")
    assert all(point["final"] for point in points)
    found = {(datetime.fromisoformat(point["time"]), point["status"]): point["value"] for point in points}
    assert len(found) == len(points)
    # where a status has been seen before, an hour without it counts 0
    assert {key: count for key, count in found.items() if count} == wanted


def test_every_line_was_read(data: Path) -> None:
    assert livekpi("dead-letters", "--data", data) == []
