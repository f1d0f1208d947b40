"""Loads a definition file anew when it changes while its server runs."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.definition.problems import DefinitionError
from livekpi.definition.renewal import needs_restart

LOOK_S = 0.5
_Stamp = tuple[int, ...]
_logger = structlog.get_logger(__name__)


class Reloader:
    """Looks at the file now and then, on a thread of its own, from `start` to `close`.

    A file that has changed is loaded once it stands still between two looks, so that none is read half written.
    """

    def __init__(
        self,
        running: Definition,
        environ: Mapping[str, str],
        show: Callable[[Definition], None],
        outdated: Callable[[str], None],
        look_s: float = LOOK_S,
    ) -> None:
        """`show` is called with each definition that can take effect at once, `outdated` with why one can't."""
        self._running, self._path, self._environ = running, running.path, environ
        self._show, self._outdated = show, outdated
        self._look_s = look_s
        self._text: str | None = running.text  # of what is in effect; None where what the file says is not
        self._seen: _Stamp | None = None
        self._done: _Stamp | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)

    def start(self) -> None:
        """Begins to look, where the file can be looked at again: a pipe can't."""
        if self._path.is_file():
            self._thread.start()

    def close(self, timeout_s: float) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def look(self) -> None:
        """Looks once, and loads the file where it has changed and stands still."""
        stamp = _stamp(self._path)
        if stamp != self._seen:
            self._seen = stamp
        elif stamp != self._done:
            self._done = stamp
            self._load()

    def _run(self) -> None:
        while not self._stop.wait(self._look_s):
            try:
                self.look()
            except Exception as error:  # a mistake of ours at one change must not end all looking
                _logger.exception("the changed file could not be loaded", file=str(self._path))
                why = f"{self._path}: could not be loaded, for a fault of livekpi's: {type(error).__name__}: {error}"
                self._keep(why, why)

    def _load(self) -> None:
        try:
            found = load(self._path, self._environ)
        except DefinitionError as error:
            self._keep(_said(error), str(error))
            return
        if found.text == self._text:
            return
        changed = needs_restart(self._running.spec, found.spec)
        if changed:
            why = f"{self._path}: {' and '.join(f'`{key}`' for key in changed)} changed; restart to apply"
            self._keep(why, why)
            return
        for problem in found.warnings:
            _logger.warning(str(problem))
        self._text = found.text
        self._show(found)
        _logger.info("the file was loaded anew", file=str(self._path), dashboards=len(found.dashboards))

    def _keep(self, why: str, in_full: str) -> None:
        """What ran goes on; says why."""
        self._text = None
        _logger.warning("the file has changed, and what ran goes on", reason=in_full)
        self._outdated(why)


def _stamp(path: Path) -> _Stamp:
    """What changes when a file does, whether it is written over or replaced; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _said(error: DefinitionError) -> str:
    """The first mistake, and how many more there are."""
    first, *rest = [str(problem) for problem in error.problems if not problem.warning]
    return f"{first} (and {len(rest)} more); mend it to apply what changed" if rest else f"{first}; mend it to apply what changed"
