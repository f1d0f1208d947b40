"""`livekpi query`: asks, and prints the answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from rich.console import Console

from livekpi.ask import ask
from livekpi.clock import SystemClock
from livekpi.query.output import csv_text, json_lines, table


def show(asked: Mapping[str, str], data: Path, form: str, out: TextIO) -> None:
    """Writes the points asked for as a table, JSON lines or CSV."""
    found = ask(data, asked, SystemClock().now_us())
    if form == "json":
        out.writelines(f"{line}\n" for line in json_lines(found))
    elif form == "csv":
        out.write(csv_text(found))
    else:
        Console(file=out, soft_wrap=True).print(table(found, asked.get("timezone", "UTC")))
