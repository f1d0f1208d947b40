"""The arrows between the rooms inside a large room: who may import whom."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.house.tree import SRC, imports, modules, parse


class House(NamedTuple):
    """A room of livekpi that has rooms of its own."""

    shared: set[str]
    """Small things without a room: they import no room, and every room may import them."""
    arrows: Mapping[str, set[str]]
    """A room, or a module of its own, and those above it here that it may look into."""


HOUSES = {
    "definition": House(
        shared={"durations", "holiday_dates", "problems", "tiers", "types"},
        arrows={
            "file": set(),
            "report": {"file"},
            "sql": set(),
            "shape": {"file"},
            "rules": {"sql", "shape"},
            "renewal": {"shape"},
            "dashboards": {"shape"},
            "definition": {"sql", "shape", "rules", "dashboards"},
            "kpi_meaning": {"definition", "sql"},
            "resolve": {"file", "report", "sql", "shape", "rules", "dashboards", "definition", "kpi_meaning"},
            "load": {"file", "report", "shape", "definition", "resolve"},
            "samples": {"file", "sql", "resolve"},
        },
    ),
    "web": House(
        shared={"answers", "bodies", "parameters", "paths", "problems", "questions", "times"},
        arrows={
            "objects": set(),
            "backend": {"objects"},
            "access": set(),
            "door": set(),
            "api": {"objects", "backend", "access"},
            "stream": {"objects", "backend", "access"},
            "page": {"backend"},
            "openapi": {"objects", "access"},
            "running": {"objects", "backend"},
            "accepting": set(),
            "connection": set(),
            "stopping": set(),
            "server": {"accepting", "connection"},
            "app": {"backend", "access", "door", "api", "stream", "stopping", "page", "openapi"},
        },
    ),
}


def house_of(name: str) -> str:
    return name.split(".")[1]


def room(name: str) -> str:
    """The room of a dotted name: ``livekpi.web.access.tokens.Token`` is in access."""
    return name.split(".")[2]


def dotted(module: Path) -> str:
    return ".".join(module.relative_to(SRC).with_suffix("").parts)


def trespasses(importer: str, tree: ast.AST) -> list[str]:
    """Each import of the same house that no arrow allows."""
    house, inside = HOUSES[house_of(importer)], room(importer)
    allowed = house.shared | house.arrows.get(inside, set()) | {inside}
    found = [(line, name) for line, name in imports(tree) if name.startswith(f"livekpi.{house_of(importer)}.")]
    return [f"{importer}:{line} imports {name}" for line, name in found if room(name) not in allowed]


def modules_of(house: str) -> list[Path]:
    inside = SRC / "livekpi" / house
    return [module for module in modules() if module.is_relative_to(inside) and module != inside / "__init__.py"]


@pytest.mark.parametrize("house", HOUSES)
def test_imports_follow_the_arrows(house: str) -> None:
    assert [each for module in modules_of(house) for each in trespasses(dotted(module), parse(module))] == []


@pytest.mark.parametrize("house", HOUSES)
def test_every_room_is_in_the_table(house: str) -> None:
    assert {room(dotted(module)) for module in modules_of(house)} == HOUSES[house].shared | HOUSES[house].arrows.keys()


@pytest.mark.parametrize("house", HOUSES)
def test_there_is_no_way_round_in_a_circle(house: str) -> None:
    """Each room's arrows lead to rooms that come before it in the table."""
    before: set[str] = set()
    for name, arrows in HOUSES[house].arrows.items():
        assert arrows <= before, name
        before.add(name)


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("livekpi.definition.sql.scalars", "from livekpi.definition.shape.model import Kpi"),
        ("livekpi.definition.types", "import livekpi.definition.load"),
        ("livekpi.definition.rules.rules", "from livekpi.definition.definition import Definition"),
        ("livekpi.web.access.guard", "from livekpi.web.page.page import Page"),
        ("livekpi.web.openapi.session", "import livekpi.web.api.session"),
        ("livekpi.web.problems", "from livekpi.web.app import App"),
        ("livekpi.web.api.kpis", "def f():\n    from livekpi.web.stream import hub"),
    ],
)
def test_a_wrong_import_is_found(importer: str, statement: str) -> None:
    assert trespasses(importer, ast.parse(statement)) != []


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("livekpi.definition.resolve.kpis", "from livekpi.definition.sql.expressions import Value"),
        ("livekpi.web.api.kpis", "from livekpi.web.objects.alerts import alert_object"),
    ],
)
def test_a_right_import_is_not(importer: str, statement: str) -> None:
    assert trespasses(importer, ast.parse(statement)) == []
