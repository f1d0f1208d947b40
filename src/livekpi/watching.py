"""`livekpi top`: the server's own token, a console, and an end by Ctrl-C."""

from pathlib import Path

from rich.console import Console

from livekpi.clock import SystemClock
from livekpi.data_directory import data_directory
from livekpi.run import stopping
from livekpi.top import run
from livekpi.web.access.tokens import local_token


def watch(file: Path, data: Path | None) -> None:
    """Shows the KPIs of the server that runs a definition."""
    directory = data_directory(file, data)
    with stopping() as stop:
        run(directory, local_token(directory) if directory.is_dir() else None, Console(), SystemClock(), stop)
