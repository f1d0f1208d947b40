"""What the plan's SQL makes of events: values that must not spoil others, names that must not clash, limits."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from livekpi.definition.problems import DefinitionError
from tests.rehearsed import definition, rehearsed, send, values

LONGEST = 2**63 - 1


def number_of(directory: Path, value: str, *events: dict[str, Any], fields: str = "a: optional integer, x: optional number") -> Any:
    """The one value that a KPI has after these events; None where it has none."""
    with rehearsed(directory, definition(fields, {"kpi": f"value: {json.dumps(value)}"})) as server:
        send(server, *events)
        found = values(server, "kpi")
    assert len(found) <= 1
    return next(iter(found.values()), None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sum(a * a)", 9),
        ("max(a * a)", 9),
        ("count(a * a)", 1),
        ("count(distinct a * a)", 1),
        ("last(a * a)", 9),
        ("quantile(a * a, 1)", pytest.approx(9, rel=0.01)),
        ("count(*) filter (where a * a > 5)", 1),
        ("sum(a * a) + count(*) filter (where a * a > 5)", 10),
        ("last(a * a) + count(*) filter (where (a * a) is null)", 10),
        ("sum(coalesce(a * a, 1))", 10),
        ("sum(case when a * a > 5 then 2 else 3 end)", 5),
        ("count(*) filter (where not (a * a > 5) or a = 3)", 1),
        ("sum(a * a + a * a - a * a)", 9),
    ],
)
def test_an_expression_that_overflows_is_null_and_costs_no_other_event(tmp_path: Path, value: str, expected: object) -> None:
    assert number_of(tmp_path, value, {"a": LONGEST}, {"a": 3}) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sum(x * x)", 4.0),
        ("avg(x * x)", 4.0),
        ("count(x * x)", 1),
        ("count(distinct x * x)", 1),
        ("max(x * x)", 4.0),
        ("last(x * x)", 4.0),
        ("count(*) filter (where (x * x) is null)", 0),  # a condition asks of the number itself
        ("avg(ln(x - x))", None),
        ("sum(sqrt(-x))", None),
        ("avg(exp(x))", pytest.approx(7.38905609893)),
        ("sum(x / 0)", None),
        ("count(x / 0)", 0),
        ("sum(a % 0)", None),
    ],
)
def test_what_is_no_finite_number_is_null(tmp_path: Path, value: str, expected: object) -> None:
    assert number_of(tmp_path, value, {"x": 2.0, "a": 1}, {"x": 1e200, "a": 1}) == expected


@pytest.mark.parametrize("value", ["sum(d)", "avg(d)"])
def test_a_sum_without_room_to_grow_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(DefinitionError, match=r"leaves it no room to grow.*cast\(d as decimal\(28, 2\)\)"):
        number_of(tmp_path, value, fields="d: decimal(38, 2)")


def test_huge_sums_are_exact_and_never_overflow(tmp_path: Path) -> None:
    large = "9" * 28
    fields = "d: decimal(28, 0), p: decimal(19, 0), e: decimal(28, 5), a: integer"
    kpis = {"d": "value: sum(d)", "product": "value: sum(p * a)", "fine": "value: sum(e * 1.00001)", "a": "value: sum(a)"}
    record = f'{{"ts": "2026-03-01T12:00:00Z", "d": {large}, "p": {10**18}, "e": 1.00001, "a": {LONGEST}}}'.encode()
    with rehearsed(tmp_path, definition(fields, kpis)) as server:
        for _ in range(3):
            send(server, *[record] * 300)
        assert values(server, "d") == {"12:00:00": Decimal(int(large) * 900)}
        assert values(server, "product") == {}  # of 37 digits, so null
        assert values(server, "fine") == {"12:00:00": Decimal("1.0000200001") * 900}
        assert values(server, "a") == {"12:00:00": LONGEST * 900}


def test_sums_of_floats_that_run_over_give_no_point_and_spoil_no_other(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("x: number", {"x": "value: sum(x)"})) as server:
        send(server, *[{"ts": "2026-03-01T12:00:00Z", "x": 1e308}] * 2)
        send(server, {"ts": "2026-03-01T12:01:00Z", "x": 1.5})
        assert values(server, "x") == {"12:01:00": 1.5}


def test_minus_zero_is_zero(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("x: number", {"x": "value: count(distinct x)", "y": "value: count(distinct x / 2)"})) as server:
        for text in ("0.0", "-0.0"):
            send(server, f'{{"ts": "2026-03-01T12:00:00Z", "x": {text}}}'.encode())
        assert values(server, "x") == values(server, "y") == {"12:00:00": 1}


@pytest.mark.parametrize("name", ["bucket", "Bucket", "d0", "d1", "n", "v", "key", "h", "hit", "od0", "events", "i", "g0", "a0", "source"])
def test_a_field_may_be_called_as_a_column_of_ours(tmp_path: Path, name: str) -> None:
    kpis = {
        "total": f"value: 'sum({name})', by: [c]",
        "middle": f"value: 'quantile({name} + 100, 0.5)'",
        "different": f"value: 'count(distinct {name})', by: [{name}, c]",
        "last": f"value: 'last({name})'",
    }
    with rehearsed(tmp_path, definition(f"{name}: integer, c: string", kpis, rest="limits: { series: 2 }")) as server:
        send(server, *({name: value, "c": "x"} for value in (5, 7, 8)))
        assert values(server, "total", by=("c",)) == {("12:00:00", "x"): 20}
        assert values(server, "middle") == {"12:00:00": pytest.approx(107, rel=0.01)}
        assert values(server, "different", by=(name,)) == {("12:00:00", 5): 1, ("12:00:00", 7): 1, ("12:00:00", "__other__"): 1}
        assert values(server, "last") == {"12:00:00": 8}


def test_a_field_may_not_be_called_as_a_bucket_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="'_bucket_60000000' is a name livekpi keeps for itself"):
        number_of(tmp_path, "count(*)", fields="_bucket_60000000: integer")
