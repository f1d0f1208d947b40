"""Writes bench/RESULTS.md from what the benchmarks have kept under bench/results/."""

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

from bench.common import RESULTS, Figure, Report, machine, shown

ORDER = ("kafka", "freshness", "kpis", "http_door", "stream_clients", "query", "week", "alerts", "backtest", "anomaly", "page", "engines")
PACKAGES = ("livekpi", "duckdb", "pyarrow", "msgspec", "confluent-kafka", "orjson", "starlette", "uvicorn")


def write() -> None:
    """Puts all results together, of each benchmark those of its newest run."""
    reports = sorted(map(_read, RESULTS.glob("*.json")), key=lambda report: (*ORDER, report.name).index(report.name))
    printed = [path for path in sorted(RESULTS.glob("*.txt")) if not path.with_suffix(".json").exists()]
    sections = [f"\n## {path.stem.capitalize()}\n\n```\n{path.read_text(encoding='utf-8').rstrip()}\n```\n" for path in printed]
    (Path(__file__).parent / "RESULTS.md").write_text(text(reports) + "".join(sections), encoding="utf-8")


def text(reports: Sequence[Report]) -> str:
    """The results in Markdown, the missed targets first."""
    missed = [(report, figure) for report in reports for figure in report.figures if figure.missed]
    versions = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
    lines = ["# Results", "", f"Made by `make bench` on {machine()}; Python {python_version()}, {versions}."]
    lines += ["CPU seconds are of all of a process's threads; ratios compare medians of runs that took turns. Raw output: `results/`.", ""]
    lines += ["## Targets missed", ""]
    lines += [f"- {report.name}: {figure.what}: {shown(figure.value)} {figure.unit}, target {figure.target}" for report, figure in missed]
    lines += [] if missed else ["None."]
    for report in reports:
        lines += ["", *_section(report)]
    return "\n".join(lines) + "\n"


def _section(report: Report) -> list[str]:
    lines = [f"## {report.title}", "", f"`python -m bench.{report.name}`, {report.measured}, load before it {report.load:.1f}.", ""]
    lines += ["| what | measured | target |", "|---|---:|---|"]
    for figure in report.figures:
        target = f"{figure.target} {'**missed**' if figure.missed else 'met'}" if figure.target else ""
        lines.append(f"| {figure.what} | {shown(figure.value)} {figure.unit} | {target} |")
    return lines + ([""] if report.remarks else []) + [f"- {remark}" for remark in report.remarks]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _read(path: Path) -> Report:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Report(**{**kept, "figures": [Figure(**figure) for figure in kept["figures"]]})


if __name__ == "__main__":
    write()
