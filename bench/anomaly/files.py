"""The benchmark's files, where they lie beside the project."""

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.common import ROOT

DATA = ROOT.parent / "shared" / "data" / "nab"


@dataclass(frozen=True)
class File:
    """One series, and its labelled windows as first and last row."""

    name: str
    times_us: list[int]
    values: list[float]
    windows: list[tuple[int, int]]

    @property
    def every_us(self) -> int:
        """The usual time between rows."""
        return round(float(np.median(np.diff(self.times_us))))


def read(data: Path = DATA) -> list[File]:
    """All labelled files, by name; raises ValueError where a window begins or ends at no row."""
    labels: dict[str, list[list[str]]] = json.loads((data / "labels" / "combined_windows.json").read_text(encoding="utf-8"))
    return [_file(data, name, labels[name]) for name in sorted(labels)]


def _file(data: Path, name: str, labels: list[list[str]]) -> File:
    with (data / "data" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    times_us = [_us(row["timestamp"]) for row in rows]
    missing = [time for label in labels for time in label if _us(time) not in times_us]
    if missing:
        raise ValueError(f"{name}: no row at {', '.join(missing)}, where a window begins or ends")
    windows = [(times_us.index(_us(begin)), times_us.index(_us(end))) for begin, end in labels]
    return File(name, times_us, [float(row["value"]) for row in rows], windows)


def _us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000
