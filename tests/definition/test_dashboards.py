"""Dashboards in the file: what they become, and what may be wrong with them."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from livekpi.definition.dashboards import Dashboard, KpiTile, Row, TextTile
from livekpi.definition.shape.schema import schema
from tests.definition.places import KPIS, SOURCE, assert_problems, parsed, problems

BASE = SOURCE + KPIS + "  users: { value: count(distinct user), every: 1m }\n"
VALIDATOR = Draft202012Validator(schema())


def with_rows(rows: str) -> str:
    return f"{BASE}dashboards:\n  shop: {{ rows: {rows} }}\n"


def tile(**given: Any) -> KpiTile:
    return KpiTile(**{"title": None, "size": "medium", "by": None, "top": 5, "span_us": None, **given})


def test_a_file_without_dashboards_has_none() -> None:
    assert parsed(BASE).dashboards == {}
    assert parsed(BASE + "dashboards:\n").dashboards == {}


def test_what_is_not_said_has_a_default() -> None:
    text = """dashboards:
  shop:
    title: The shop
    rows:
      - [orders, { kpi: orders, title: By country, size: large, by: country, top: 3, span: 1h }]
      - title: People
        tiles:
          - users
          - { text: "Numbers are\\nprovisional <b>until</b> noon", size: wide }
  empty_title: { rows: [[{ text: Hello }]] }
"""
    found = parsed(BASE + text).dashboards
    first = Row(
        None, (tile(kpi="orders"), tile(kpi="orders", title="By country", size="large", by="country", top=3, span_us=3_600_000_000))
    )
    second = Row("People", (tile(kpi="users"), TextTile("Numbers are\nprovisional <b>until</b> noon", "wide")))
    assert list(found.values()) == [
        Dashboard("shop", "The shop", (first, second)),
        Dashboard("empty_title", "empty_title", (Row(None, (TextTile("Hello", "medium"),)),)),
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[[§ordrs]]", "there is no KPI 'ordrs'; did you mean 'orders'?"),
        ("[[orders, {kpi: §xyz}]]", "there is no KPI 'xyz'; there are orders, users"),
        ("[{title: A, tiles: [§ordrs]}]", "there is no KPI 'ordrs'; did you mean 'orders'?"),
        ("[[{kpi: orders, by: §contry}]]", "the KPI 'orders' is not kept by 'contry'; did you mean 'country'?"),
        ("[[{kpi: orders, by: §xyz}]]", "the KPI 'orders' is not kept by 'xyz'; it has country"),
        ("[[{kpi: users, by: §country}]]", "the KPI 'users' is not kept by 'country'; it has none"),
        ("[[{kpi: orders, §top: 3}]]", "expected `by` beside it"),
        ("[[{kpi: orders, by: country, top: §0}]]", "got `0`, expected at least 1"),
        ("[[{kpi: orders, by: country, top: §51}]]", "got `51`, expected at most 50"),
        ("[[{kpi: orders, by: §[country]}]]", "got a list, expected text"),
        ("[[{kpi: orders, size: §lage}]]", "got `lage`, expected 'small', 'medium', 'large' or 'wide'; did you mean 'large'?"),
        ("[[{kpi: orders, span: §soon}]]", "got `soon`, expected a duration"),
        ("[[{kpi: orders, span: §0s}]]", "got `0s`, expected a time longer than nothing"),
        ("[[{kpi: orders, §siz: large}]]", "there is no key 'siz' here; did you mean 'size'?"),
        ("[{title: A, tiles: [{kpi: orders, §siz: large}]}]", "there is no key 'siz' here; did you mean 'size'?"),
        ("[[{text: hi, §by: country}]]", "there is no key 'by' here"),
        ("[[§{kpi: orders, text: hi}]]", "expected `kpi` or `text`, not both"),
        ("[[§{size: small}]]", "'kpi' is missing: Which KPI."),
        ("[[{text: §''}]]", "got nothing, expected some text"),
        (f"[[{{text: §{'x' * 2001}}}]]", "got `"),
        ("[[§5]]", "got `5`, expected text"),
        ("[[§[orders]]]", "got a list, expected `key: value` pairs"),
        ("[§[]]", "expected at least one"),
        ("[§orders]", "got `orders`, expected a list"),
        ("§orders", "got `orders`, expected a list"),
        ("[§{title: A}]", "'tiles' is missing: What stands in it"),
    ],
)
def test_a_wrong_row(rows: str, message: str) -> None:
    assert_problems(with_rows(rows), message)


@pytest.mark.parametrize(
    ("dashboards", "message"),
    [
        ("§shop: {}", "'rows' is missing: What it shows"),
        ("shop: { §rows: [] }", "expected at least one"),
        ("shop: { rows: [[{ text: hi, §by: country }]] }", "there is no key 'by' here; expected one of size, text"),
        ("shop: { rows: [[{ kpi: orders, span: §5s }]] }", "expected at least 10s, which is the bucket of 'orders'"),
        ("shop: { §titel: A, rows: [[orders]] }", "there is no key 'titel' here; did you mean 'title'?"),
        ("§the shop: { rows: [[orders]] }", "got 'the shop', expected a name of letters, digits and _"),
        ("shop: §orders", "got `orders`, expected `key: value` pairs"),
    ],
)
def test_a_wrong_dashboard(dashboards: str, message: str) -> None:
    assert_problems(f"{BASE}dashboards:\n  {dashboards}\n", message)


def test_a_kpi_with_a_mistake_is_not_reported_twice() -> None:
    assert_problems(
        f"{SOURCE}kpis:\n  orders: {{ value: count(*), every: §7s }}\n  users: {{ value: §cout(*), every: 1m }}\n"
        "dashboards: { shop: { rows: [[orders, users]] } }\n",
        "got `7s`",
        "there is no function",
    )


def given(rows: Any) -> dict[str, Any]:
    return {
        "sources": {"app": {"http": None, "time": "ts", "fields": {"ts": "timestamp"}}},
        "kpis": {"orders": {"value": "count(*)", "every": "1m"}},
        "dashboards": {"shop": {"rows": rows}},
    }


@pytest.mark.parametrize(
    "rows",
    [
        [["orders", {"kpi": "orders", "by": "x", "top": 3, "span": "1d"}, {"text": "hi"}]],
        [{"tiles": ["orders"]}, {"title": "A", "tiles": [{"text": "hi", "size": "wide"}]}],
        [["${KPI}"]],
    ],
)
def test_an_editor_takes_what_is_right(rows: Any) -> None:
    VALIDATOR.validate(given(rows))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        "orders",
        ["orders"],
        [[5]],
        [[{"kpi": "orders", "text": "hi"}]],
        [[{"size": "small"}]],
        [[{"kpi": "orders", "size": "huge"}]],
    ],
)
def test_an_editor_refuses_what_is_wrong(rows: Any) -> None:
    assert not VALIDATOR.is_valid(given(rows))


def test_right_dashboards_have_no_problems() -> None:
    assert problems(with_rows("[[orders, users]]")) == []
