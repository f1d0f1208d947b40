"""The wheel: all of the package and its licence, nothing else; and it is the wheel that is tested."""

import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import livekpi
from tests.house.tree import ROOT, SRC, tracked


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What is in a wheel built from the tree."""
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = directory.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_it_has_the_licence_and_says_that_it_is_typed(names: set[str]) -> None:
    assert "livekpi/py.typed" in names
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_it_has_every_file_of_the_package(names: set[str]) -> None:
    assert {str(path.relative_to(SRC)) for path in tracked() if path.is_relative_to(SRC)} <= names


def test_it_has_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"livekpi"}


@pytest.mark.skipif(os.environ.get("CI") != "true" and SRC in Path(livekpi.__file__).parents, reason="run by hand against the tree")
def test_what_is_tested_is_installed() -> None:
    assert SRC not in Path(livekpi.__file__).parents


def test_no_extra_is_needed_to_begin() -> None:
    """The command's modules load with every optional package out of reach: a connector is imported when a file asks for it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    distributions = {requirement.split(">")[0].split("[")[0] for requirements in extras.values() for requirement in requirements}
    optional = {package for package, owners in packages_distributions().items() if distributions & set(owners)}
    assert optional
    block = f"import sys; sys.modules |= dict.fromkeys({sorted(optional)!r}); import livekpi.cli"
    subprocess.run([sys.executable, "-c", block], check=True, timeout=60)
