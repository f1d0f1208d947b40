"""The page on test scripts: its example comes as it says, and it names every step and option."""

import re
from pathlib import Path

import pytest

from livekpi.scripts import run
from livekpi.scripts.parser import _OPTIONS, _STEPS
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "test-scripts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_its_examples_come_as_expected(example: str, tmp_path: Path) -> None:
    path = tmp_path / "example.test"
    path.write_text(example, encoding="utf-8")
    assert run([path], kill_everywhere=False) == 0


def test_it_has_examples() -> None:
    assert len(EXAMPLES) == 2


def test_it_names_every_step_and_option() -> None:
    assert [name for name in (*_STEPS, *(f"--{option}" for option in _OPTIONS)) if f"`{name}" not in PAGE] == []
