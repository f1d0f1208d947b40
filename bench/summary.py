"""Writes bench/RESULTS.md from what the benchmarks have kept under bench/results/."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

from bench.common import RESULTS, Figure, Report, machine, shown

ORDER = ("kafka", "freshness", "kpis", "http_door", "query", "week")
PACKAGES = ("livekpi", "duckdb", "pyarrow", "msgspec", "confluent-kafka", "orjson", "starlette", "uvicorn")


def write() -> None:
    """All results, newest run of each benchmark, with the missed targets first."""
    reports = sorted(map(_read, RESULTS.glob("*.json")), key=lambda report: (*ORDER, report.name).index(report.name))
    missed = [(report, figure) for report in reports for figure in report.figures if figure.missed]
    lines = ["# Results", "", f"Made by `make bench` on {machine()}; Python {python_version()}, "]
    lines[-1] += ", ".join(f"{package} {_version(package)}" for package in PACKAGES) + "."
    lines += ["CPU seconds are of all of a process's threads; ratios compare medians of runs that took turns. Raw output: `results/`.", ""]
    lines += ["## Targets missed", ""]
    lines += [f"- {report.name}: {figure.what}: {shown(figure.value)} {figure.unit}, target {figure.target}" for report, figure in missed]
    lines += [] if missed else ["None."]
    for report in reports:
        lines += ["", *_section(report)]
    (Path(__file__).parent / "RESULTS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


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
