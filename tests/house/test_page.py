"""The page's source: small pieces that say what they are, in which text goes in as text only."""

import json
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT

PAGE = ROOT / "ui"
LONGEST = 350
# Each is a way for text to become markup, code or style that the page's policy (CSP) forbids.
UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|unsafeSVG|unsafeStatic"
    r"|document\.write|\beval\(|new Function|<script|\sstyle="
)


def sources() -> list[Path]:
    return sorted(file for file in (PAGE / "src").rglob("*.ts") if not file.name.endswith(".d.ts"))


def test_there_are_sources() -> None:
    assert len(sources()) > 20


def test_no_text_becomes_markup() -> None:
    lines = ((file, number, line) for file in sources() for number, line in enumerate(file.read_text().splitlines(), 1))
    assert [f"{file}:{number}" for file, number, line in lines if UNSAFE.search(line)] == []


@pytest.mark.parametrize("line", ["x.innerHTML = name", 'html`<p style="color: red">`', "unsafeHTML(text)"])
def test_what_is_unsafe_is_found(line: str) -> None:
    assert UNSAFE.search(line)


def test_no_file_is_too_long() -> None:
    lengths = {str(file): len(file.read_text().splitlines()) for file in sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_every_module_says_what_it_is() -> None:
    entries = {PAGE / "src" / name for name in ("index.ts", "embed.ts")}
    assert [str(file) for file in sources() if file not in entries and not file.read_text().startswith("/**")] == []


def test_what_the_build_needs_is_pinned_by_hash() -> None:
    packages = json.loads((PAGE / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    wanted = json.loads((PAGE / "package.json").read_text())
    assert [name for name, version in wanted["dependencies"].items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
