"""The commands; each calls one function. Data goes to stdout, all else to stderr; docs/exit-codes.md lists the exit codes."""

import sys
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.group()
@click.version_option(package_name="livekpi")
def main() -> None:
    """Business KPIs, live: one YAML file in, right numbers out."""


@main.command()
@click.argument("file", type=FILE)
@click.option("--data", type=DIRECTORY, help="Where the numbers are kept.  [default: .livekpi beside FILE]")
@click.option("--once", is_flag=True, help="Read what is there now, commit it, and end.")
def run(file: Path, data: Path | None, once: bool) -> None:
    """Collect, compute, store and show the KPIs of FILE."""
    from livekpi.run import run_once

    run_once(file, data)


@main.command()
@click.argument("kpi")
@click.option("--data", type=DIRECTORY, required=True)
@click.option("--step")
@click.option("--by", default="")
@click.option("--format", "form", default="table")
def query(kpi: str, data: Path, step: str | None, by: str, form: str) -> None:
    from livekpi.ask import ask
    from livekpi.query.output import json_lines
    from livekpi.query.points import Request

    found = ask(data, Request(kpi, step=step, by=tuple(filter(None, by.split(",")))))
    for line in json_lines(found):
        click.echo(line)
