"""The page on expressions: each of its examples is one, and it leaves nothing out."""

import re

import pytest

from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.definition.problems import ExpressionError
from livekpi.definition.sql.expressions import _AGGREGATE_NAMES, Frame, parse_value
from livekpi.definition.sql.scalars import FUNCTIONS
from livekpi.definition.types import parse_field
from livekpi.demo.demo import DEFINITION
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "expressions.md").read_text(encoding="utf-8")
EXAMPLES = [example.replace("\\|", "|") for example in re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)]
ORDER = {name: parse_field(name, "timestamp") for name in ("ordered_at", "delivered_at")}
"""What an event of an order would have beside what the shop's events have."""


@pytest.fixture(scope="module")
def shop() -> Definition:
    return load(DEFINITION, {})


def parse(text: str, shop: Definition) -> None:
    fields = {**shop.sources["shop"].fields, **ORDER}
    frame = Frame("shop", fields, 10_000_000, 10_000_000, ())
    parse_value(text, frame, shop.kpis)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_an_expression(example: str, shop: Definition) -> None:
    parse(example, shop)


def test_a_wrong_example_would_be_found(shop: Definition) -> None:
    with pytest.raises(ExpressionError):
        parse("counts(*)", shop)
    assert len(EXAMPLES) > 20


def test_every_function_is_on_the_page() -> None:
    words = set(re.findall(r"[a-z_]+", PAGE))
    assert [name for name in (*FUNCTIONS, *_AGGREGATE_NAMES) if name not in words] == []
