"""`livekpi query`: asks, and prints the answer."""

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from rich.table import Table

from livekpi.ask import ask, ask_pace
from livekpi.clock import SystemClock
from livekpi.query.output import csv_text, encode, json_lines, shown, table
from livekpi.terminal import print_table

_TIMES = ("time", "from", "to")
_PACE_KEYS = (*_TIMES, "target", "so_far", "projected", "low", "high", "ratio")


def show(asked: Mapping[str, str], data: Path, form: str, out: TextIO) -> None:
    """Writes the points asked for as a table, JSON lines or CSV."""
    found = ask(data, asked, SystemClock().now_us())
    if form == "json":
        out.writelines(f"{line}\n" for line in json_lines(found))
    elif form == "csv":
        out.write(csv_text(found))
    else:
        print_table(table(found, asked.get("timezone", "UTC")), out)


def show_pace(asked: Mapping[str, str], data: Path, form: str, out: TextIO) -> None:
    """Writes the paces asked for, likewise."""
    found = ask_pace(data, asked, SystemClock().now_us())
    if form == "json":
        out.writelines(f"{encode(each).decode()}\n" for each in found)
    elif form == "csv":
        writer = csv.DictWriter(out, _PACE_KEYS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    else:
        print_table(_pace_table(found, asked.get("timezone", "UTC")), out)


def _pace_table(found: Sequence[Mapping[str, Any]], timezone: str) -> Table:
    made, zone = Table(box=None, header_style="bold", pad_edge=False), ZoneInfo(timezone)
    for key in _PACE_KEYS:
        made.add_column(f"{key} ({timezone})" if key == "time" else key.replace("_", " "), justify="left" if key in _TIMES else "right")
    for each in found:
        times = (f"{datetime.fromisoformat(each[key]).astimezone(zone):%Y-%m-%d %H:%M:%S}" for key in _TIMES)
        made.add_row(*times, *(shown(each[key]) for key in _PACE_KEYS if key not in _TIMES))
    return made
