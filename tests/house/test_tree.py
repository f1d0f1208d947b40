"""What the tree must not contain, and how large its pieces may be."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SRC, modules, parse, tracked

MACHINE_PATH = re.compile(r"(^|[^a-zA-Z0-9_.])/(work|root|farm)/[a-z.]")
ADDRESS = re.compile(
    r"files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org|repo1?\.maven\.|proxy\.golang\.org|index\.crates\.io"
    r"|\"resolved\": *\"|--(extra-)?index-url|^registry *=",
    re.IGNORECASE,
)
LONGEST_MODULE = 600
LONGEST_FUNCTION = 70


def lines_with(pattern: re.Pattern[str], files: Iterable[Path]) -> list[str]:
    """file:line of each line that has the pattern; files that are no text have none."""
    found = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file}:{number}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    return found


def test_no_path_of_a_machine() -> None:
    assert lines_with(MACHINE_PATH, tracked()) == []


def test_no_address_of_a_registry() -> None:
    assert lines_with(ADDRESS, tracked()) == []


@pytest.mark.parametrize("line", [f"cd /{'work'}/main", f'"/{"root"}/.cache"', f"(/{'farm'}/x)"])
def test_a_path_of_a_machine_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "file").write_text(f"first\n{line}\n", encoding="utf-8")
    assert lines_with(MACHINE_PATH, [tmp_path / "file"]) == [f"{tmp_path / 'file'}:2"]


@pytest.mark.parametrize(
    "line", ["https://pypi.org" + "/simple", "  --extra-index-" + "url x", '"resolved"' + ': "https://example.com/a.tgz"']
)
def test_an_address_of_a_registry_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "file").write_text(line, encoding="utf-8")
    assert lines_with(ADDRESS, [tmp_path / "file"]) != []


def test_locks_pin_every_package_with_a_hash() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = re.sub(r"\\\n", "", lock.read_text(encoding="utf-8"))
        packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert packages
        assert [line for line in packages if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_no_module_is_too_long() -> None:
    lengths = {str(module): len(module.read_text(encoding="utf-8").splitlines()) for module in modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_too_long() -> None:
    functions = [
        (f"{module}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
        for module in modules()
        for node in ast.walk(parse(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]
    assert [function for function in functions if function[1] > LONGEST_FUNCTION] == []


def test_every_module_says_what_it_is() -> None:
    silent = [str(module) for module in modules() if module.read_text(encoding="utf-8").strip() and not ast.get_docstring(parse(module))]
    assert silent == []


def test_every_package_of_tests_has_its_counterpart_in_the_source() -> None:
    """Tests mirror the source; what belongs to no one part of it is named here."""
    others = {
        "browser",
        "clusters",
        "conformance",
        "docs",
        "examples",
        "faults",
        "golden",
        "house",
        "oracle",
        "plugins",
        "properties",
        "servers",
    }
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("*.py"))}
    rooms = {path.name for path in (SRC / "livekpi").iterdir() if path.is_dir()}
    assert folders <= rooms | others
