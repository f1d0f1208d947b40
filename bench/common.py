"""What all benchmarks share: measuring processes, figures with their targets, and writing them down."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
LIVEKPI = (sys.executable, "-c", "from livekpi.cli import main; main()")
"""The command, in this Python: what `livekpi` on PATH is may be another."""

STAGES = ("consume", "decode", "aggregate", "commit", "compact")
"""Of the way from Kafka to the store; see bench.stages."""

T = TypeVar("T")


@dataclass(frozen=True)
class Ran:
    """What a process took, its own children included."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str


def run(command: Sequence[str | Path], environ: Mapping[str, str] | None = None) -> Ran:
    """Runs a command from the project's root to its end; raises RuntimeError with what it said where it failed.

    The peak is of resident memory. Linux counts in it what the starter held when it started the process, so a benchmark that
    measures memory leaves heavy work to other processes.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        # without PYTHONDONTWRITEBYTECODE, by which each run would compile all anew
        own = {name: value for name, value in (environ or os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
        child = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=own)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            said = errors.read().decode(errors="replace")[-4_000:]
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{said}")
        output.seek(0)
        text = output.read().decode()
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Ran(wall_s, usage.ru_utime + usage.ru_stime, peak_bytes / 2**20, text)


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of this folder as a process of its own."""
    return [sys.executable, "-m", f"bench.{name}", *map(str, arguments)]


def interleaved(repetitions: int, **works: Callable[[], T]) -> dict[str, list[T]]:
    """Does each work in turn, again and again: a machine that is slow for a while is slow for all of them."""
    found: dict[str, list[T]] = {name: [] for name in works}
    for _ in range(repetitions):
        for name, work in works.items():
            found[name].append(work())
    return found


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


@dataclass(frozen=True)
class Figure:
    """One number, and the target it has, if any."""

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"≤ {shown(self.at_most)}"
        return f"≥ {shown(self.at_least)}" if self.at_least is not None else ""

    @property
    def missed(self) -> bool:
        return (self.at_most is not None and self.value > self.at_most) or (self.at_least is not None and self.value < self.at_least)


@dataclass
class Report:
    """What a benchmark found: figures, remarks, and the raw output behind them."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    measured: str = ""
    load: float = 0.0
    """What else the machine was doing when it began: processes that wanted to run, on average over a minute."""

    def figure(self, what: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None) -> None:
        self.figures.append(Figure(what, value, unit, at_most, at_least))
        self.log(f"{what}: {shown(value)} {unit}")

    def remark(self, text: str) -> None:
        """A sentence that stands beside the figures."""
        self.remarks.append(text)
        self.log(text)

    def log(self, line: str) -> None:
        """A line of raw output; shown at once, so that a long run can be watched."""
        self.raw.append(line)
        print(line, flush=True)

    def save(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.txt").write_text("\n".join([f"{self.title}, {self.measured}", *self.raw, ""]), encoding="utf-8")
        kept = asdict(self)
        del kept["raw"]
        (RESULTS / f"{self.name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(name: str, title: str, measure: Callable[[Report, argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Runs a benchmark, and keeps what it found under bench/results/ and in RESULTS.md; with --dry only prints it."""
    from bench.summary import write  # noqa: PLC0415  it reads what is kept here

    parser.add_argument("--dry", action="store_true", help="print the figures and keep nothing")
    options = parser.parse_args()
    report = Report(name, title, measured=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", load=os.getloadavg()[0])
    measure(report, options)
    if not options.dry:
        report.save()
        write()


def arguments(text: str | None) -> argparse.ArgumentParser:
    """A parser that says what the script is for."""
    return argparse.ArgumentParser(description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter)


def shown(value: float | None) -> str:
    """Three significant places, thousands apart."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def machine() -> str:
    """The processor, its cores, memory and system."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()} {'.'.join(platform.release().split('.')[:2])}"
