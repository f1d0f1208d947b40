"""The page on test scripts: its example comes as it says, and it names every step and option."""

import re
from pathlib import Path

from livekpi.scripts import run
from livekpi.scripts.parser import _OPTIONS, _STEPS
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "test-scripts.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_its_example_comes_as_expected(tmp_path: Path) -> None:
    path = tmp_path / "late.test"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert run([path], kill_everywhere=False) == 0


def test_it_names_every_step_and_option() -> None:
    assert [name for name in (*_STEPS, *(f"--{option}" for option in _OPTIONS)) if f"`{name}" not in PAGE] == []
