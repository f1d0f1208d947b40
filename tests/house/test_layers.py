"""The arrows between the rooms: who may import whom. ARCHITECTURE.md draws the same picture."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import SRC, imports, modules, parse

# Small things without a room: they import no room, and every room may import them.
SHARED = {"clock", "commit", "delays", "disk", "events", "metrics", "moments", "reading"}
# A room, and the rooms to its left that it may look into. engine/plan.py is a room of its own: what is kept, not how.
ARROWS: dict[str, set[str]] = {
    "definition": set(),
    "plan": {"definition"},
    "sources": {"definition"},
    "store": {"definition", "plan"},
    "engine": {"definition", "plan", "sources", "store"},
    "query": {"definition", "plan", "store"},
    "insight": set(),
    "alerts": {"definition", "plan", "store", "query", "insight"},
    "web": {"definition", "plan", "sources", "store", "engine", "query", "alerts"},
    "scripts": {"definition", "plan", "sources", "store", "engine", "query", "alerts"},
    "client": {"store"},
    "top": {"client", "definition"},
}
# The commands put the rooms together: they see all of them, and no room sees one. They are the modules beside cli.py, and:
COMMANDS = {"demo"}


def room(name: str) -> str:
    """The room of a dotted name: ``livekpi.store.lock.Lock`` is in store."""
    parts = name.split(".")
    return "plan" if parts[1:3] == ["engine", "plan"] else parts[1] if len(parts) > 1 else ""


def dotted(module: Path) -> str:
    return ".".join(module.relative_to(SRC).with_suffix("").parts)


def trespasses(importer: str, tree: ast.AST) -> list[str]:
    """Each import that no arrow allows."""
    inside = room(importer)
    allowed = SHARED | ARROWS.get(inside, set()) | {inside}
    found = [(line, name) for line, name in imports(tree) if name.split(".")[0] == "livekpi"]
    return [f"{importer}:{line} imports {name}" for line, name in found if room(name) not in allowed]


def test_imports_follow_the_arrows() -> None:
    inside = [module for module in modules() if room(dotted(module)) in SHARED | ARROWS.keys()]
    assert [each for module in inside for each in trespasses(dotted(module), parse(module))] == []


def test_every_room_is_in_the_table() -> None:
    inside = {module.relative_to(SRC).parts[1] for module in modules() if len(module.relative_to(SRC).parts) > 2}
    assert inside <= ARROWS.keys() | COMMANDS


def test_there_is_no_way_round_in_a_circle() -> None:
    """Each room's arrows lead to rooms that come before it in the table."""
    before: set[str] = set()
    for name, arrows in ARROWS.items():
        assert arrows <= before, name
        before.add(name)


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("livekpi.definition.load", "from livekpi.store import layout"),
        ("livekpi.query.points", "import livekpi.web.app"),
        ("livekpi.store.layout", "from livekpi.engine.engine import Engine"),
        ("livekpi.clock", "from livekpi.definition.shape.model import Model"),
        ("livekpi.web.app", "from livekpi import cli"),
        ("livekpi.engine.engine", "def f():\n    from livekpi.query import points"),
    ],
)
def test_a_wrong_import_is_found(importer: str, statement: str) -> None:
    assert trespasses(importer, ast.parse(statement)) != []


def test_a_right_import_is_not() -> None:
    assert trespasses("livekpi.store.layout", ast.parse("from livekpi.engine.plan import Grouping")) == []
