"""Texts in a job's rows become what the embedded engine would have stored."""

import hashlib
from datetime import datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.engine.plan import make_plan
from livekpi.engine.row_columns import Convert, columns_of
from livekpi.store.layout import cells, column, spread
from tests.definition.places import parsed

DEFINITION = parsed(
    """\
sources:
  shop:
    kafka: { brokers: b, topic: t }
    time: ts
    fields: { ts: timestamp, c: string, n: integer, x: number, d: "decimal(18, 2)", b: boolean, u: string }
kpis:
  a: { value: sum(n), every: 10s, by: [c] }
  b: { value: sum(x), every: 10s, by: [c] }
  c: { value: sum(d), every: 10s, by: [c] }
  d: { value: max(ts), every: 10s, by: [c] }
  e: { value: last(u), every: 10s, by: [c] }
  f: { value: last(d), every: 10s, by: [c] }
  g: { value: first(ts), every: 10s, by: [c] }
  h: { value: last(b), every: 10s, by: [c] }
  i: { value: count(distinct u), every: 10s, by: [c] }
  j: { value: "quantile(x, 0.5)", every: 10s, by: [c] }
"""
)
[GROUPING] = make_plan(DEFINITION).groupings["shop"]
PLACE = f"{7_000_005:020d}{2**48 + 5:020d}"
TIME = datetime(1970, 1, 1, 0, 0, 7, 5)  # noqa: DTZ001 - the store's times have no zone


def convert(kind: str, field: str) -> Convert:
    """How a partial's column is made."""
    [partial] = [each for each in GROUPING.cells if (each.kind, each.argument and each.argument.name) == (kind, field)]
    return columns_of(GROUPING, cells(GROUPING))[column(partial).name]


def spread_of(kind: str) -> Convert:
    """How the column `key` of bins or distinct values is made."""
    [partial] = [each for each in GROUPING.spreads if each.kind == kind]
    return columns_of(GROUPING, spread(GROUPING, partial))["key"]


def at_place(value: object) -> dict[str, object]:
    return {"t": TIME, "p": 2**48 + 5, "v": value}


@pytest.mark.parametrize(
    ("kind", "field", "text", "value"),
    [
        ("sum", "n", "-36893488147419103232", Decimal(-(2**65))),
        ("sum", "n", None, None),
        ("sum", "x", "1.0E10", 1e10),
        ("sum", "x", "0.1", 0.1),
        ("sum", "x", "4.9E-324", 5e-324),
        ("sum", "d", "123456789012345678901234567890.12", Decimal("123456789012345678901234567890.12")),
        ("sum", "d", "5", Decimal("5.00")),
        ("max", "ts", "7000005", TIME),
        ("last", "u", PLACE, at_place("")),
        ("last", "u", PLACE + "日本\n7", at_place("日本\n7")),
        ("last", "d", PLACE + "-0.50", at_place(Decimal("-0.50"))),
        ("last", "b", PLACE + "true", at_place(True)),
        ("first", "ts", PLACE + "7000005", at_place(TIME)),
        ("last", "u", None, None),
    ],
)
def test_a_value(kind: str, field: str, text: str | None, value: object) -> None:
    assert convert(kind, field)(pa.array([text, None], pa.string())).to_pylist() == [value, None]


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        ("sum", "n", "1.5"),
        ("sum", "n", "1" * 39),
        ("sum", "d", "0.005"),
        ("sum", "x", "much"),
        ("max", "ts", "yesterday"),
        ("last", "u", PLACE[1:]),
        ("last", "u", f"{'x' * 40}y"),
        ("last", "d", PLACE),
        ("last", "b", PLACE + "maybe"),
    ],
)
def test_what_is_none(kind: str, field: str, text: str) -> None:
    with pytest.raises(pa.ArrowInvalid):
        convert(kind, field)(pa.array([text], pa.string()))


def test_keys() -> None:
    keys = columns_of(GROUPING, cells(GROUPING))
    assert keys["d0"](pa.array(["n", "v", "vn", "vDE"])).to_pylist() == [None, "", "n", "DE"]
    assert keys["bucket"](pa.array([0, 20_000_000])).cast(pa.int64()).to_pylist() == [0, 20_000_000]
    for bad in (-10_000_000, 5):
        with pytest.raises(pa.ArrowInvalid, match="multiple of 10000000"):
            keys["bucket"](pa.array([bad]))
    for wrong in ("", "DE", "nv"):
        with pytest.raises(pa.ArrowInvalid, match="begins with 'v'"):
            keys["d0"](pa.array(["vDE", wrong]))
    assert spread_of("bins")(pa.array([-131_072, 5])).to_pylist() == [-131_072, 5]
    with pytest.raises(pa.ArrowInvalid):
        spread_of("bins")(pa.array([2**31]))
    for digest in ("", "0" * 31, "0" * 33, "G" * 32, "A" * 32):
        with pytest.raises(pa.ArrowInvalid, match="md5"):
            spread_of("distinct")(pa.array([digest]))


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_a_distinct_value_is_what_the_embedded_engine_keeps_of_it(values: list[str]) -> None:
    digests = [hashlib.md5(value.encode("utf-8", "replace"), usedforsecurity=False).hexdigest() for value in values]
    kept = [value.encode("utf-8", "replace").decode() for value in values]
    with duckdb.connect() as connection:
        wanted = [row[0] for value in kept for row in connection.execute("SELECT md5_number_lower(?)", [value]).fetchall()]
    assert spread_of("distinct")(pa.array(digests)).to_pylist() == wanted
