import pytest

from livekpi.definition.sql.additive import adding_problem, lone
from livekpi.definition.sql.expressions import KpiValue
from tests.rehearsed import definition


def value(text: str, over: str = "") -> KpiValue:
    made = definition("a: decimal(9, 2), b: number, n: integer", {"k": f"value: '{text}'{over}"})
    return made.kpis["k"].value


@pytest.mark.parametrize(
    "text",
    [
        "count(*)",
        "sum(a)",
        "-(sum(n))",
        "sum(a) / 100",
        "2 * sum(b) * 3",
        "cast(sum(a) as double)",
        "coalesce(sum(a), 0) - coalesce(2 * sum(b), 0)",
        "count(*) - count(*) filter (where n > 1)",
    ],
)
def test_what_can_be_added_up(text: str) -> None:
    assert adding_problem(value(text)) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("avg(n)", "it is not a count or a sum"),
        ("count(*) / count(n)", "it is not a count or a sum"),
        ("1 / sum(a)", "it is not a count or a sum"),
        ("sum(a) * sum(b)", "it is not a count or a sum"),
        ("count(*) - 5", "it is not a count or a sum"),
        ("round(sum(a))", "it is not a count or a sum"),
        ("cast(sum(b) as bigint)", "it is not a count or a sum"),
        ("coalesce(sum(a), 7)", "it is not a count or a sum"),
        ("quantile(b, 0.9)", "the quantile of a day is not the sum of its hours'"),
        ("count(distinct n)", "the count of distinct values of a day"),
        ("last(b)", "the last value of a day"),
        ("max(b) + sum(b)", "the max of a day"),
        ("sum(a) - sum(b)", "write each part as coalesce(…, 0)"),
        ("count(*) - coalesce(sum(b), 0)", "write each part as coalesce(…, 0)"),
    ],
)
def test_what_can_not(text: str, why: str) -> None:
    assert why in (adding_problem(value(text)) or "")


def test_windows_that_overlap_can_not() -> None:
    assert "overlap" in (adding_problem(value("count(*)", ", over: 5m")) or "")
    assert lone(value("count(*)", ", over: 5m")) is None


@pytest.mark.parametrize(
    ("text", "kind"), [("count(*)", "count"), ("(sum(a))", "sum"), ("2 * sum(a)", None), ("avg(a)", None), ("count(distinct n)", None)]
)
def test_what_is_nothing_but_a_count_or_a_sum(text: str, kind: str | None) -> None:
    assert lone(value(text)) == kind
