"""Definitions that are sent: a file's text, with the variables that it needs to say the same here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from livekpi.definition.definition import Definition
from livekpi.definition.file.substitute import Unset
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError
from livekpi.query.steps import QueryError


def read_definition(text: str, variables: Mapping[str, str], name: str, running: Definition) -> Definition:
    """A definition that was sent; a variable that was not is what it is to the one that runs.

    Raises QueryError with all that is wrong with it.
    """
    try:
        found = parse_definition(text.encode(), Path(name), Unset({**running.variables, **variables}))
    except DefinitionError as error:
        raise QueryError("; ".join(map(str, error.problems))) from error
    return replace(found, path=running.path)
