"""The arrows between the rooms of web/: who may import whom."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import SRC, imports, modules, parse

WEB = SRC / "livekpi" / "web"
# Small things without a room: they import no room, and every room may import them.
SHARED = {"answers", "bodies", "parameters", "paths", "problems", "times"}
# A room, or a module of its own, and those above it here that it may look into.
ARROWS: dict[str, set[str]] = {
    "objects": set(),
    "backend": {"objects"},
    "access": set(),
    "door": set(),
    "api": {"objects", "backend", "access"},
    "stream": {"objects", "backend", "access"},
    "page": {"backend"},
    "openapi": {"objects", "access"},
    "running": {"objects", "backend"},
    "server": set(),
    "app": {"backend", "access", "door", "api", "stream", "page", "openapi"},
}


def room(name: str) -> str:
    """The room of a dotted name: ``livekpi.web.access.tokens.Token`` is in access."""
    return name.split(".")[2]


def dotted(module: Path) -> str:
    return ".".join(module.relative_to(SRC).with_suffix("").parts)


def trespasses(importer: str, tree: ast.AST) -> list[str]:
    """Each import that no arrow allows."""
    inside = room(importer)
    allowed = SHARED | ARROWS.get(inside, set()) | {inside}
    found = [(line, name) for line, name in imports(tree) if name.startswith("livekpi.web.")]
    return [f"{importer}:{line} imports {name}" for line, name in found if room(name) not in allowed]


def of_web() -> list[Path]:
    return [module for module in modules() if module.is_relative_to(WEB) and module != WEB / "__init__.py"]


def test_imports_follow_the_arrows() -> None:
    assert [each for module in of_web() for each in trespasses(dotted(module), parse(module))] == []


def test_every_room_is_in_the_table() -> None:
    assert {room(dotted(module)) for module in of_web()} == SHARED | ARROWS.keys()


def test_there_is_no_way_round_in_a_circle() -> None:
    """Each room's arrows lead to rooms that come before it in the table."""
    before: set[str] = set()
    for name, arrows in ARROWS.items():
        assert arrows <= before, name
        before.add(name)


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("livekpi.web.access.guard", "from livekpi.web.page.page import Page"),
        ("livekpi.web.openapi.session", "import livekpi.web.api.session"),
        ("livekpi.web.problems", "from livekpi.web.app import App"),
        ("livekpi.web.api.kpis", "def f():\n    from livekpi.web.stream import hub"),
    ],
)
def test_a_wrong_import_is_found(importer: str, statement: str) -> None:
    assert trespasses(importer, ast.parse(statement)) != []


def test_a_right_import_is_not() -> None:
    assert trespasses("livekpi.web.api.kpis", ast.parse("from livekpi.web.objects.alerts import alert_object")) == []
