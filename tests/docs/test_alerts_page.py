"""The page on alert rules: each of its conditions and rules is one, and it leaves nothing out."""

import re
from pathlib import Path

import pytest

from livekpi.definition.definition import Definition
from livekpi.definition.load import load, parse_definition
from livekpi.definition.problems import ExpressionError
from livekpi.definition.rules.conditions import FUNCTIONS, parse_condition
from livekpi.definition.rules.summaries import RULE_NAMES
from livekpi.definition.shape.alerting import AlertSpec, CalendarSpec
from livekpi.definition.shape.parts import Model
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "shop" / "shop.yaml"
ENVIRON = {"PAGERDUTY_KEY": "key"}


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


CONDITIONS = re.findall(r"^\| `([^`]+)` \|", section("The condition"), re.MULTILINE)
RULES = re.findall(r"^```yaml\n(alerts:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shop() -> Definition:
    return load(EXAMPLE, ENVIRON)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_is_one(condition: str, shop: Definition) -> None:
    assert parse_condition(condition, shop.kpis).oddities == ()


@pytest.mark.parametrize("rules", RULES)
def test_each_rule_is_one(rules: str) -> None:
    before, _, after = EXAMPLE.read_text(encoding="utf-8").partition("alerts:\n")
    notify = after[after.index("notify:\n") :]
    text = f"{before}{rules}  all: {{ when: orders < 1, notify: [oncall, am] }}\n{notify}"
    definition = parse_definition(text.encode(), Path("page.yaml"), ENVIRON)
    assert definition.warnings == ()
    assert len(definition.rules) > 1


def test_a_wrong_condition_would_be_found(shop: Definition) -> None:
    with pytest.raises(ExpressionError):
        parse_condition("error_rates > 0.05", shop.kpis)
    assert len(CONDITIONS) == 8
    assert len(RULES) == 4


@pytest.mark.parametrize(("heading", "model"), [("The rule", AlertSpec), ("Calendars", CalendarSpec)])
def test_every_key_is_on_the_page(heading: str, model: type[Model]) -> None:
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section(heading), re.MULTILINE)) == sorted(keys)


def test_every_function_and_name_is_on_the_page() -> None:
    assert [name for name in FUNCTIONS if f"{name}(" not in section("The condition")] == []
    assert [name for name in RULE_NAMES if f"`{{{name}}}`" not in section("Summaries")] == []
