"""Definitions with the places of their mistakes marked in the text."""

from collections.abc import Mapping
from pathlib import Path

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError, Problem

MARK = "§"
FILE = Path("shop.yaml")

SOURCE = """\
sources:
  shop:
    http: {}
    time: ts
    fields: { ts: timestamp, event: string, user: string, country: optional string, ok: boolean, amount: decimal(18, 2), cart: json }
"""
KPIS = "kpis:\n  orders: { value: count(*), every: 10s, by: [country] }\n"


def parsed(text: str, environ: Mapping[str, str] | None = None) -> Definition:
    """The definition in a text."""
    return parse_definition(text.encode(), FILE, environ or {})


def problems(text: str, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with a text, warnings included."""
    try:
        return list(parsed(text, environ).warnings)
    except DefinitionError as error:
        return list(error.problems)


def assert_problems(marked: str, *messages: str, environ: Mapping[str, str] | None = None) -> None:
    """The text has a problem at each mark and nowhere else, and they say `messages` (or begin so), in order."""
    lines = marked.split("\n")
    places = []
    for number, line in enumerate(lines, start=1):
        pieces = line.split(MARK)
        places += [(number, sum(map(len, pieces[:count])) + 1) for count in range(1, len(pieces))]
    found = problems(marked.replace(MARK, ""), environ)
    assert [(problem.line, problem.column) for problem in found] == places, "\n".join(map(str, found))
    assert all(problem.file == str(FILE) for problem in found)
    assert len(found) == len(messages)
    for problem, message in zip(found, messages, strict=True):
        assert problem.message.startswith(message), problem.message
