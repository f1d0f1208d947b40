"""Where a definition's data is, unless somebody says otherwise."""

from pathlib import Path

DEFAULT = Path(".livekpi")
"""Beside the definition file."""


def data_directory(file: Path, data: Path | None) -> Path:
    """Where a definition's data is: as given, or `.livekpi` beside the file."""
    return data if data is not None else file.parent / DEFAULT
