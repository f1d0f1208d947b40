"""Where servers are installed: a directory that outlives the run and is shared by runs at the same time."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path


class UnavailableError(Exception):
    """A server can't be had on this machine: says which and why."""


def cache_directory(environ: Mapping[str, str]) -> Path:
    """``LIVEKPI_TEST_CACHE``, else ``~/.cache/livekpi-tests``."""
    given = environ.get("LIVEKPI_TEST_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "livekpi-tests"


def installed(cache: Path, name: str, install: Callable[[Path], None]) -> Path:
    """The directory `name` in the cache; where there is none, `install` fills a new one, which then takes the name.

    A directory with the name is complete: two runs may both install, one of them wins, and both get the winner's.
    """
    home = cache / name
    if home.exists():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{name}.", suffix=".partial", dir=cache))
    try:
        install(scratch)
        try:
            scratch.rename(home)
        except OSError:
            if not home.exists():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return home


def program(name: str, server: str, environ: Mapping[str, str] = os.environ) -> str:
    """The path of a program that `server` needs. Raises UnavailableError where it is not installed."""
    found = shutil.which(name, path=environ.get("PATH"))
    if found is None:
        raise UnavailableError(f"{server} needs `{name}`, which is not on PATH")
    return found
