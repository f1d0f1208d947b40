import pytest

from livekpi.definition.problems import DefinitionError
from tests.definition.places import KPIS, SOURCE, assert_problems, parsed

TWO = f"""{SOURCE}
  web:
    http: {{}}
    time: at
    fields: {{ at: timestamp, page: string, country: boolean, value: integer, final: string, time: string }}
"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{ value: count(distinct §usr), every: 1m }", "there is no field 'usr'; did you mean 'user'?"),
        ("{ value: §conut(*), every: 1m }", "there is no function 'conut'; did you mean 'count'?"),
        ("{ value: §user, every: 1m }", "the field 'user' stands outside an aggregate; write sum(user), last(user) or the like"),
        ("{ value: count(*) / §nothing, every: 1m }", "there is no KPI 'nothing'"),
        ("{ value: count(*) +§+, every: 1m }", "not an expression: something is missing at '+'"),
        ("{ value: sum(§user), every: 1m }", "expected a number, got string: 'user'"),
        ("{ value: '§', every: 1m }", "expected an expression, such as count(*)"),
        ("{ value: count(*), every: 1m, over: §90s }", "expected a multiple of the bucket, 1m"),
        ("{ value: count(*), every: 1m, over: §30s }", "expected a multiple of the bucket, 1m"),
        ("{ value: count(*), every: 1m, over: §0s }", "expected a multiple of the bucket, 1m"),
        ("{ value: count(*), every: 1m, by: [country, §contry] }", "there is no field 'contry'; did you mean 'country'?"),
        ("{ value: count(*), every: 1m, by: [§amount] }", "'amount' is decimal(18, 2); a dimension is a string, an integer or a boolean"),
        ("{ value: count(*), every: 1m, by: [country, §country] }", "'country' stands twice; keep one"),
        ("{ value: count(*), every: 1m, source: §shp }", "there is no source 'shp'; did you mean 'shop'?"),
        ("{ value: 2 * orders, §every: 1m }", "a KPI of KPIs takes its bucket from its parts; take `every` away"),
        ("{ value: 2 * orders, §over: 1m }", "a KPI of KPIs takes its window from its parts; take `over` away"),
        ("{ value: 2 * orders, §source: shop }", "a KPI of KPIs takes its source from its parts; take `source` away"),
        ("{ value: 2 * orders, by: [§user] }", "not all parts have the dimension 'user'; expected one of country"),
        ("{ value: 2 * §ordrs }", "there is no KPI 'ordrs'; did you mean 'orders'?"),
    ],
)
def test_a_wrong_kpi(given: str, message: str) -> None:
    assert_problems(f"{SOURCE}{KPIS}  wrong: {given}\n", message)


def test_a_name_is_not_put_right_with_one_that_is_wrong() -> None:
    """Neither with the KPI's own name, nor with a dimension that is a mistake itself."""
    assert_problems(
        f"""\
{SOURCE}{KPIS}  a: {{ value: count(distinct §usr), every: 1m }}
  d: {{ value: a / §dd }}
  b: {{ value: count(*), every: 1m, by: [§cuntry] }}
  c: {{ value: b + 1, by: [country] }}
  e: {{ value: c + 1, by: [country, country] }}
alerts:
  low: {{ when: b < 1, by: [country], notify: [am] }}
notify:
  am: {{ webhook: {{ url: "http://a" }} }}
dashboards:
  one: {{ rows: [[{{ kpi: c, by: country }}]] }}
""",
        "there is no field 'usr'; did you mean 'user'?",
        "there is no KPI 'dd'",
        "there is no field 'cuntry'; did you mean 'country'?",
    )
    with pytest.raises(DefinitionError) as caught:
        parsed(f"{SOURCE}kpis:\n  a: {{ value: count(distinct usr), every: 1m }}\n  d: {{ value: a / dd }}\n")
    assert "did you mean 'd'" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("every: §1d, timezone: Europe/Berlin", "buckets of 1d are counted in UTC, and the days of Europe/Berlin begin within one; to ask"),
        ("every: §12h, timezone: America/New_York", "buckets of 12h are counted in UTC"),
        ("every: §1d, timezone: Europe/London", "buckets of 1d are counted in UTC, and the days of Europe/London begin within one"),
        ("every: §1h, timezone: Asia/Kolkata", "buckets of 1h are counted in UTC, and the days of Asia/Kolkata begin within one; to ask"),
        ("every: §1d, target: { 1d: 5, timezone: Europe/Berlin }", "buckets of 1d are counted in UTC"),
        ("every: 1h, timezone: Europe/Berlin", None),
        ("every: 30m, timezone: Asia/Kolkata", None),
        ("every: 1d, timezone: UTC", None),
        ("every: 1d", None),
    ],
)
def test_days_that_begin_within_a_bucket(given: str, message: str | None) -> None:
    assert_problems(f"{SOURCE}{KPIS}  wrong: {{ value: count(*), {given} }}\n", *([message] if message else []))


def test_a_bucket_is_needed() -> None:
    assert_problems(
        f"{SOURCE}{KPIS}  §wrong: {{ value: sum(§amuont) }}\n",
        "'every' is missing: the bucket, such as every: 1m",
        "there is no field 'amuont'; did you mean 'amount'?",
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("§wrong: { value: count(*), every: 1m }", "its fields stand in more than one source; add `source:` with one of shop, web"),
        ("wrong: { value: count(distinct page) filter (where §user = 'a'), every: 1m, source: web }", "there is no field 'user'"),
        ("wrong: { value: count(page) filter (where §pgae = 'a'), every: 1m }", "there is no field 'pgae'; did you mean 'page'?"),
        ("wrong: { value: count(*), every: 1m, source: web, by: [§value] }", "a dimension can't be called 'value'"),
        ("wrong: { value: count(*), every: 1m, source: web, by: [§final] }", "a dimension can't be called 'final'"),
        ("wrong: { value: count(*), every: 1m, source: web, by: [§time] }", "a dimension can't be called 'time'"),
        ("wrong: { value: orders / pages, by: [§country] }", "'country' is boolean in one source and string in another; expected one type"),
        ("wrong: { value: §orders / odd }", "the buckets of its parts don't fit"),
    ],
)
def test_a_wrong_kpi_where_there_are_two_sources(given: str, message: str) -> None:
    kpis = KPIS.replace("every: 10s", "every: 10s, source: shop")
    kpis += "  pages: { value: count(page), every: 1m, by: [country] }\n  odd: { value: count(page), every: 15s }\n"
    assert_problems(f"{TWO}{kpis}  {given}\n", message)


@pytest.mark.parametrize(
    "value",
    [
        "'count(*) filter (where event = ''x'' and §usr = ''y'')'",
        "\"count(*) filter (where event = '\\u00e9\\\"' and §usr = 'y')\"",
        "count(*) filter (where event = 'x'\n      and\n\n        §usr = 'y')",
        "'count(*) filter (where event = ''x''\n\n      and §usr = ''y'')'",
        "\"count(*) filter (where \\\n      §usr = 'y')\"",
        ">\n      count(*)\n      filter (where\n        §usr = 'y')\n",
        "|-\n      count(*)\n      filter (where\n        §usr = 'y')\n",
        "count(*) filter (where event = '${LONG}' and event <> '$$' and §usr = 'y')",
        "count(*) filter (where §${FIELD} = 'y')",
    ],
)
def test_the_place_in_an_expression_is_that_in_the_file(value: str) -> None:
    assert_problems(
        f"{SOURCE}kpis:\n  wrong:\n    every: 1m\n    value: {value}\n",
        "there is no field 'usr'; did you mean 'user'?",
        environ={"LONG": "long" * 20, "FIELD": "usr"},
    )


def test_kpis_are_resolved_in_any_order() -> None:
    kpis = parsed(
        f"""{SOURCE}kpis:
  share: {{ value: paid / orders }}
  paid: {{ value: part * 2 }}
  part: {{ value: count(*) filter (where ok), every: 1m, over: 5m, by: [event, country, user] }}
  orders: {{ value: count(*), every: 10s, by: [country, event] }}
"""
    ).kpis
    assert list(kpis) == ["share", "paid", "part", "orders"]
    assert (kpis["share"].every_us, kpis["share"].over_us, kpis["share"].by) == (60_000_000, 300_000_000, ("event", "country"))
    assert kpis["share"].value.aggregates == kpis["part"].value.aggregates + kpis["orders"].value.aggregates
    assert kpis["share"].sources == {"shop"}


def test_a_kpi_may_have_aggregates_and_parts() -> None:
    kpi = parsed(f"{SOURCE}{KPIS}  share: {{ value: count(*) filter (where ok) / orders, every: 1m, by: [country] }}\n").kpis["share"]
    assert (kpi.every_us, kpi.by, len(kpi.value.aggregates)) == (60_000_000, ("country",), 2)


def test_a_kpi_of_kpis_may_keep_fewer_dimensions() -> None:
    text = f"{SOURCE}{KPIS.replace('[country]', '[country, event]')}  double: {{ value: 2 * orders, by: [event] }}\n"
    assert parsed(text).kpis["double"].by == ("event",)


def test_the_source_is_found_by_the_fields_named() -> None:
    kpis = parsed(
        f"{TWO}kpis: {{ pages: {{ value: count(page), every: 1m }}, users: {{ value: count(*), every: 1m, by: [user] }} }}\n"
    ).kpis
    assert (set(kpis["pages"].sources), set(kpis["users"].sources)) == ({"web"}, {"shop"})


def test_a_kpi_made_of_itself() -> None:
    assert_problems(
        f"""{SOURCE}kpis:
  a: {{ value: 2 * b }}
  b: {{ value: c + d }}
  c: {{ value: §a + §c }}
  d: {{ value: count(*), every: 1m }}
  e: {{ value: a / d }}
""",
        "a KPI can't be made of itself: a → b → c → a",
        "a KPI can't be made of itself: c → c",
    )


def test_parts_can_not_grow_without_bound() -> None:
    levels = [f"  k{level}: {{ value: k{level - 1} + k{level - 1} }}" for level in range(1, 40)]
    levels[9] = levels[9].replace("+ ", "+ §")
    text = "\n".join([f"{SOURCE}kpis:", "  k0: { value: count(*), every: 1m }", *levels, ""])
    assert_problems(text, "with its parts written out, it has more than 5,000 pieces")


def test_parts_can_not_be_nested_without_bound() -> None:
    levels = [f"  k{level}: {{ value: 1 - k{level - 1} }}" for level in range(1, 400)]
    levels[66] = levels[66].replace("value: ", "value: §")
    text = "\n".join([f"{SOURCE}kpis:", "  k0: { value: count(*), every: 1m }", *levels, ""])
    assert_problems(text, "with its parts written out, it is nested more than 200 deep")
