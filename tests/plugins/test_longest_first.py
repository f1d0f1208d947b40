"""The order in which several workers take the tests."""

import pytest

from tests.house.tree import ROOT
from tests.plugins.longest_first import LONGEST, TOGETHER, order, unit


def test_what_is_named_is_there() -> None:
    assert [name for name in (*LONGEST, *TOGETHER) if not (ROOT / name).exists()] == []


def test_the_first_that_names_a_path_gives_its_place_and_the_rest_stay_as_they_are() -> None:
    paths = ["tests/a.py", "tests/faults/test_a.py", "tests/faults/test_http_kills.py", "tests/b.py", "tests/conformance/test_z.py"]
    assert [paths[place] for place in order(paths)] == [paths[place] for place in (4, 2, 1, 0, 3)]


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/conformance/test_flink.py::test_a[x::y]", "tests/conformance"),
        ("tests/conformance_too/test_flink.py::test_a", "tests/conformance_too/test_flink.py"),
        ("tests/faults/test_a.py::test_a[tests/conformance/x]", "tests/faults/test_a.py"),
    ],
)
def test_a_unit_is_a_module_or_the_folder_that_shares(nodeid: str, expected: str) -> None:
    assert unit(nodeid) == expected


MODULE = """\
import os, pathlib, pytest
@pytest.mark.parametrize('n', range(6))
def test_it(n):
    with pathlib.Path({directory!r}, os.environ['PYTEST_XDIST_WORKER']).open('a') as file:
        print({name!r}, file=file)
"""


def test_workers_begin_with_the_longest_and_share_no_module(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers write down what they run."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    names = ("tests/faults/test_b.py", "tests/conformance/test_c.py", "tests/conformance/test_d.py", "tests/test_a.py")
    for path in map(pytester.path.joinpath, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MODULE.format(directory=str(pytester.path), name=str(path.relative_to(pytester.path))))
    pytester.runpytest_subprocess("-p", "tests.plugins.longest_first", "--numprocesses=2", "--dist=loadfile").assert_outcomes(passed=24)
    first, second = sorted(list(dict.fromkeys((pytester.path / worker).read_text().splitlines())) for worker in ("gw0", "gw1"))
    assert first[:2] == ["tests/conformance/test_c.py", "tests/conformance/test_d.py"]
    assert second[0] == "tests/faults/test_b.py"
    assert sorted(first + second) == sorted(names)
