"""What a driver is told: a JSON file, so that it can be printed, kept and given to spark-submit."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.shape.model import Spark

FINISHED, STOPPED = 0, 3
"""A driver's exit codes: all there was has been read (--once); it was asked to end. Any other is a failure."""


class DescriptionError(Exception):
    """A job's description can't be used."""


@dataclass(frozen=True)
class Description:
    """A definition's job. The definition's text has its variables still in it: they are filled in from the driver's environment."""

    path: str
    definition: str
    master: str
    checkpoint: str
    topics: str
    settings: Mapping[str, str | int | float | bool]
    once: bool = False
    status: str | None = None
    """A file of the driver's machine where it writes how it is; none where nobody asks."""

    @property
    def name(self) -> str:
        """What Spark shows it as."""
        return f"livekpi {self.topics}"

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, file: Path) -> Self:
        """What `text` wrote. Raises DescriptionError."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DescriptionError(f"{file}: no description of a job: {error}") from error

    def resolve(self, environ: Mapping[str, str]) -> Definition:
        """The definition. Raises DefinitionError."""
        return parse_definition(self.definition.encode(), Path(self.path), environ)


def describe(definition: Definition, spec: Spark, *, once: bool = False, status: Path | None = None) -> Description:
    """The job of a definition."""
    return Description(
        path=str(definition.path),
        definition=definition.text,
        master=spec.master,
        checkpoint=spec.checkpoint.rstrip("/"),
        topics=definition.topics,
        settings=spec.settings,
        once=once,
        status=None if status is None else str(status),
    )
