"""`livekpi test`: runs scripts, and says what came otherwise than expected."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from livekpi.scripts.parser import parse_script
from livekpi.scripts.stage import Failure, Stage
from livekpi.scripts.words import ScriptError


def run(paths: Sequence[Path], kill_everywhere: bool) -> int:
    """Runs scripts and reports on stdout; 0 where all came as expected, else 1.

    With `kill_everywhere` the server is killed before each commit, and killed and restarted after it: no number may change.
    """
    failed = 0
    for path in paths:
        failures = run_script(path, kill_everywhere=kill_everywhere)
        failed += bool(failures)
        click.echo(f"{'FAILED' if failures else 'ok'}  {path}")
        for failure in failures:
            click.echo(f"{path}:{failure.line}: {failure.message}")
            for detail in failure.details:
                click.echo(f"    {detail}")
    if len(paths) > 1 or failed:
        click.echo(f"{len(paths) - failed} of {len(paths)} scripts as expected")
    return 1 if failed else 0


def run_script(path: Path, *, kill_everywhere: bool = False) -> list[Failure]:
    """Runs one script: what failed, in its order. A mistake in the script itself ends it."""
    failures: list[Failure] = []
    with tempfile.TemporaryDirectory(prefix="livekpi-test-") as directory:
        stage = Stage(Path(directory), kill_everywhere=kill_everywhere)
        try:
            for step in parse_script(path, _text(path)).steps:
                failure = stage.do(step)
                failures += [] if failure is None else [failure]
        except ScriptError as error:
            failures.append(Failure(error.line, error.message, error.details))
        finally:
            stage.close()
    return failures


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScriptError(1, f"can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScriptError(1, f"expected UTF-8: {error}") from error
