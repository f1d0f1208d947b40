"""Every script here comes as expected: run plainly, and with the server killed in and after each step."""

from pathlib import Path

import pytest

from livekpi.scripts import run

SCRIPTS = sorted(Path(__file__).parent.rglob("*.test"))


@pytest.mark.parametrize("kill_everywhere", [False, True], ids=["plainly", "killed"])
@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_script(path: Path, kill_everywhere: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([path], kill_everywhere) == 0, capsys.readouterr().out


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 25
