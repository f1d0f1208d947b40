"""What a driver is told: a JSON file, so that it can be printed, kept and given to spark-submit."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.shape.model import Spark
from livekpi.engine.spark.meaning import meaning_of

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
    meaning: str | None = None
    """By which it is known later what the driver computes, see `meaning_of`; none where nobody asks."""

    @property
    def name(self) -> str:
        """What Spark shows it as."""
        return f"livekpi {self.topics}"

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @property
    def unwatched(self) -> Self:
        """The same for a driver that nobody asks how it is, on whatever machine."""
        return replace(self, status=None, meaning=None)

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
    """The job of a definition. Its paths are good in any directory."""
    return Description(
        path=str(definition.path.absolute()),
        definition=definition.text,
        master=spec.master,
        checkpoint=spec.checkpoint.rstrip("/"),
        topics=definition.topics,
        settings=spec.settings,
        once=once,
        status=None if status is None else str(status.absolute()),
        meaning=meaning_of(definition, spec, once=once),
    )
