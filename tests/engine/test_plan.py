"""What is kept for a definition: equal pieces once, unlike meanings apart."""

import math
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from livekpi.definition.definition import Definition
from livekpi.engine.plan import BIN_OFFSET, GAMMA, bin_tree, grouping_of, make_plan, partial_of
from tests.rehearsed import definition

FIELDS = 'country: optional string, amount: "decimal(18, 2)", ms: number, event: string'


def keys(made: Definition) -> dict[str, set[str]]:
    """The names of the pieces of each KPI, with their groupings."""
    plan = make_plan(made)
    return {
        name: {f"{grouping_of(plan, aggregate).key}/{partial_of(aggregate).key}" for aggregate in kpi.value.aggregates}
        for name, kpi in made.kpis.items()
    }


def test_equal_pieces_are_kept_once() -> None:
    kpis = {
        "mean": "value: avg(amount)",
        "total": "value: SUM( amount )",
        "median": "value: median(ms)",
        "tail": "value: 'quantile(ms, 0.95)'",
        "events": "value: count(*)",
    }
    made = definition(FIELDS, kpis, composed={"double": "2 * total"})
    plan = make_plan(made)
    (grouping,) = plan.groupings["s"]
    assert [partial.kind for partial in grouping.partials] == ["sum", "count", "bins", "count"]
    found = keys(made)
    assert found["total"] == found["double"] < found["mean"]
    assert found["median"] == found["tail"]


def test_pieces_share_a_grouping_by_bucket_and_dimensions() -> None:
    kpis = {
        "a": "value: count(*), by: [country]",
        "b": "value: sum(amount), by: [country]",
        "c": "value: count(*), by: [country], over: 5m",
        "d": "value: count(*), by: [event, country]",
        "e": "value: count(*), by: [country, event]",
        "f": "value: count(*), by: [country], every: 10s",
    }
    made = definition(FIELDS, kpis)
    assert [(grouping.every_us // 1_000_000, grouping.by) for grouping in make_plan(made).groupings["s"]] == [
        (60, ("country",)),
        (60, ("event", "country")),
        (60, ("country", "event")),
        (10, ("country",)),
    ]
    assert keys(made)["a"] == keys(made)["c"]


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("value: sum(amount) filter (where event = 'sale')", ""),
        ("value: sum(amount + 0)", ""),
        ("value: max(amount)", ""),
        ("value: sum(ms)", ""),
        ("value: sum(amount), by: [country]", ""),
        ("value: sum(amount), every: 10s", ""),
        ("value: sum(amount)", "id: event,"),
    ],
)
def test_another_meaning_has_another_name(value: str, source: str) -> None:
    plain = keys(definition(FIELDS, {"k": "value: sum(amount)"}))["k"]
    assert keys(definition(FIELDS, {"k": value}, source=source))["k"] != plain


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("value: sum( amount ), unit: EUR, title: x", ""),
        ("value: Sum(amount), over: 5m", ""),
        ("value: 2 * sum(amount)", ""),
        ("value: sum(amount)", "late: 5h,"),
    ],
)
def test_the_same_meaning_has_the_same_name(value: str, source: str) -> None:
    plain = keys(definition(FIELDS, {"k": "value: sum(amount)"}))["k"]
    assert keys(definition(FIELDS, {"k": value}, source=source))["k"] == plain


def test_a_name_outlives_a_release() -> None:
    """Were it to change, all numbers would begin anew: then say so in the changelog, and change it here."""
    made = definition(FIELDS, {"k": "value: sum(amount) filter (where event = 'sale'), by: [country]"})
    assert keys(made)["k"] == {"s_18b1d2555857/sum_0550c2c71b0d"}


def test_only_fields_that_are_needed() -> None:
    made = definition(FIELDS, {"k": "value: count(*) filter (where ms > 5), by: [country]"}, source="id: event,")
    assert make_plan(made).fields("s", made) == {"ms", "country", "event"}


def test_a_kpi_of_a_source_not_in_the_plan() -> None:
    made, other = definition(FIELDS, {"k": "value: count(*)"}), definition(FIELDS, {"k": "value: count(*), every: 5m"})
    with pytest.raises(LookupError):
        grouping_of(make_plan(made), other.kpis["k"].value.aggregates[0])


def binned(values: str, parameters: dict[str, list[float]]) -> list[tuple[Any, Any]]:
    """Values with their bins."""
    sql = f"SELECT v, {bin_tree(exp.column('v')).sql('duckdb')} FROM (SELECT {values} AS v)"
    return duckdb.connect().execute(sql, parameters or None).fetchall()


@given(
    st.lists(
        st.one_of(st.floats(1e-300, 1e300), st.floats(-1e300, -1e-300), st.sampled_from([0.0, -0.0, 1.0, -1.0, GAMMA, 1e-300])), min_size=1
    )
)
def test_a_bin_holds_what_is_within_a_percent_of_its_middle(values: list[float]) -> None:
    for value, key in binned("unnest($values)", {"values": values}):
        middle = math.copysign(2 * GAMMA ** (abs(key) - BIN_OFFSET) / (GAMMA + 1), key) if key else 0.0
        assert abs(middle - value) <= 0.010001 * abs(value)
        assert (key > 0) == (value > 0)
        assert (key == 0) == (value == 0)


def test_a_null_has_no_bin() -> None:
    assert binned("NULL::DOUBLE", {}) == [(None, None)]
