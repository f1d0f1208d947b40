"""Conditions that can never be true, or are always."""

import pytest

from livekpi.definition.rules.conditions import parse_condition
from tests.rehearsed import definition

KPIS = definition(
    "n: integer, shop: string",
    {
        "orders": "value: count(*)",
        "error_rate": "value: count(*) filter (where n = 1) / count(*)",
        "odds": "value: count(*) filter (where n = 1) / count(*) filter (where n = 2)",
        "users": "value: count(distinct n)",
        "revenue": "value: sum(n), target: { 1d: 5 }",
    },
).kpis
COUNT, SHARE = "a count is 0 or more, and whole", "a share of a count is from 0 to 1"
ALL = "no number is all that is asked of it"
NEVER, ALWAYS = "can never be true: ", "is always true where it is known: "
ITSELF = ", for it compares a number with itself"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("§orders > null", "can never be true, for nothing compares with null; ask `is null`, or `is not null`"),
        ("orders > 5 and §users <> null", "can never be true, for nothing compares with null; ask `is null`, or `is not null`"),
        ("orders > 5 and §orders < 3", NEVER + ALL),
        ("(orders > 5) and ago(users, 1w) > 3 and (§orders < 5)", NEVER + ALL),
        ("revenue > 9 or revenue = 5 and §revenue = 6", NEVER + ALL),
        ("orders > 5 and §5 >= orders", NEVER + ALL),
        ("orders > 4 and §orders < 5", NEVER + ALL),
        ("§revenue between 5 and 1", NEVER + ALL),
        ("§orders < 0", NEVER + COUNT),
        ("revenue > 5 or §users <= -1", NEVER + COUNT),
        ("§ago(orders, 10m) < 0", NEVER + COUNT),
        ("§orders = 0.5", NEVER + COUNT),
        ("§error_rate > 1", NEVER + SHARE),
        ("§error_rate >= 5", NEVER + SHARE),
        ("§error_rate <= 1", ALWAYS + SHARE),
        ("§coalesce(orders, 0) >= 0", ALWAYS + COUNT),
        ("§orders > orders", "can never be true" + ITSELF),
        ("§orders >= (orders)", "is always true" + ITSELF),
        ("§pace(revenue) < 90", "a pace is a share of the target, so that 90 is 90 times as much; 0.9 is 90 %"),
        ("§orders / 0 > 5", "is never known, for nothing can be divided by 0"),
        ("§falling(orders, 150, 10m)", f"can never be true, for nothing falls by more than 100 % that can't be below 0: {COUNT}"),
    ],
)
def test_what_can_not_be(condition: str, message: str) -> None:
    (oddity,) = parse_condition(condition.replace("§", ""), KPIS).oddities
    assert oddity.message == message
    assert oddity.offset == condition.index("§")


@pytest.mark.parametrize(
    "condition",
    [
        "orders > 5",
        "orders > 5 or orders < 3",
        "orders > 4 and orders < 6",
        "revenue > 4 and revenue < 5",
        "orders > 5 and users < 3",
        "orders > 5 and ago(orders, 10m) < 3",
        "orders <= 0",
        "orders = 0",
        "orders > orders + 1 and 1 < 2",
        "revenue < 0",
        "pace(revenue) > 2",
        "revenue between 1 and 1",
        "error_rate >= 1",
        "odds > 5",
        "orders is null",
        "coalesce(orders, -1) < 0",
        "falling(orders, 100, 10m)",
        "falling(revenue, 150, 10m)",
        "rising(orders, 150, 10m)",
        "orders < 5 and not (orders = 3)",
    ],
)
def test_what_can_be(condition: str) -> None:
    assert parse_condition(condition, KPIS).oddities == ()
