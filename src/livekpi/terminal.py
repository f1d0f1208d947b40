"""What commands write: tables, JSON lines; and who asks."""

import getpass
import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDEST = 10_000


def user() -> str:
    """The user's name; empty for one without."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def write_lines(rows: Iterable[Mapping[str, Any]], out: TextIO) -> None:
    """Writes a JSON object a line."""
    out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def table(*columns: str) -> Table:
    """An empty table whose cells are folded where they are too long."""
    found = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        found.add_column(column, overflow="fold")
    return found


def print_table(found: Table, out: TextIO) -> None:
    """On a terminal as wide as it is, elsewhere as wide as the table, so that nothing is cut off."""
    Console(file=out, soft_wrap=True, width=None if out.isatty() else _WIDEST).print(found)


def plain(text: str) -> Text:
    """Text as it is, without anything that a terminal or the table would take for a command."""
    return Text("".join(character if character.isprintable() else " " for character in text))
