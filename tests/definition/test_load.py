from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.definition import Definition
from livekpi.definition.load import check, load, parse_definition
from livekpi.definition.problems import DefinitionError, Problem
from tests.definition.places import FILE, KPIS, SOURCE, assert_problems, parsed

EXAMPLES = Path(__file__).parents[2] / "examples"
ENVIRON = {"KAFKA_BROKERS": "broker:9092", "PAGERDUTY_KEY": "key"}


@pytest.mark.parametrize("name", ["minimal/minimal.yaml", "shop/shop.yaml", "website/website.yaml"])
def test_an_example_has_no_problem(name: str) -> None:
    assert check(EXAMPLES / name, ENVIRON) == []


def test_the_shop_is_read_as_its_comments_say() -> None:
    shop = load(EXAMPLES / "shop/shop.yaml", ENVIRON)
    assert shop.sources["shop"].spec.kafka is not None
    assert shop.sources["shop"].spec.kafka.brokers == "broker:9092"
    assert (shop.sources["shop"].late_us, shop.sources["shop"].ahead_us) == (3_600_000_000, 300_000_000)
    assert shop.sources["shop"].fields["amount"].optional
    assert list(shop.kpis) == ["revenue", "orders", "visits", "active_users", "error_rate", "latency_p95", "stock", "conversion"]
    users, conversion = shop.kpis["active_users"], shop.kpis["conversion"]
    assert (users.every_us, users.over_us, users.by) == (60_000_000, 300_000_000, ("country",))
    assert (conversion.every_us, conversion.over_us, conversion.by) == (10_000_000, 10_000_000, ("country",))
    assert conversion.value.aggregates == (*shop.kpis["orders"].value.aggregates, *shop.kpis["visits"].value.aggregates)
    assert shop.spec.alerts["shop_silent"].when == "absent(orders, 10m)"
    assert shop.spec.alerts["errors_high"].for_.total_seconds() == 60
    assert shop.keep_us == ((10_000_000, 172_800_000_000), (60_000_000, 1_209_600_000_000), (3_600_000_000, 63_072_000_000_000))
    assert shop.text == (EXAMPLES / "shop/shop.yaml").read_text()


def test_the_minimum_takes_defaults() -> None:
    minimal = load(EXAMPLES / "minimal/minimal.yaml", {})
    source = minimal.sources["app"]
    assert (source.late_us, source.ahead_us, source.idle_us, source.remember_us) == (3_600_000_000, 300_000_000, 60_000_000, 86_400_000_000)
    assert minimal.spec.limits.series == 10_000


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    with pytest.raises(DefinitionError) as caught:
        load(missing, {})
    assert caught.value.problems == (Problem("can't be read: No such file or directory", str(missing)),)
    assert check(tmp_path, {}) == [Problem("can't be read: Is a directory", str(tmp_path))]


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file() -> None:
    assert_problems(
        """\
sources:
  shop:
    §kafka: { §broker: here, topic: shop }
    time: §tss
    late: §soon
    fields: { ts: timestamp, event: string, user: string, odd: §sting }
kpis:
  orders: { value: count(*) filter (where event = 'x'), every: 1m }
  users: { value: count(distinct §usr), every: 1m }
  odd: { §vale: users, every: §7s, value: users }
  half: { value: orders / §ordres }
alerts:
  low: { when: §ordres < 1, notify: [§nobody] }
§keeep: {}
""",
        "'brokers' is missing: Bootstrap servers",
        "there is no key 'broker' here; did you mean 'brokers'?",
        "there is no field 'tss'; did you mean 'ts'?",
        "got `soon`, expected a duration such as 10s, 5m, 1h30m or 2d",
        "got `sting`, expected string, integer",
        "there is no field 'usr'; did you mean 'user'?",
        "there is no key 'vale' here; did you mean 'value'?",
        "got `7s`, expected a bucket of at least 1s that divides a day",
        "there is no KPI 'ordres'; did you mean 'orders'?",
        "there is no KPI 'ordres'; did you mean 'orders'?",
        "there is no notifier 'nobody'; add it under notify",
        "there is no key 'keeep' here; did you mean 'keep'?",
    )


def test_of_a_variable_that_is_not_set_only_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(SOURCE.replace("time: ts", 'time: ts\n    late: "${LATE}"') + KPIS)
    assert "late" in path.read_text()
    (said,) = check(path, {})
    assert said.message == "the environment variable LATE is not set; set it, or give a default: ${LATE:-…}"
    assert_problems(
        f"""\
{SOURCE}{KPIS}  revenue: {{ value: "sum(§${{NOPE}})", every: 1m }}
  half: {{ value: revenue / 2 }}
  slices: {{ value: count(*), every: 1m, by: ["§${{NOPE}}"] }}
  more: {{ value: slices + 1, by: [country] }}
alerts:
  low: {{ when: "orders < §${{NOPE}}", notify: ["§${{NOPE}}"] }}
  lower: {{ when: slices < 1, by: [country], notify: [am] }}
notify:
  am: {{ webhook: {{ url: "http://a" }} }}
  none: {{ webhook: {{ url: "http://a" }} }}
""",
        *["the environment variable NOPE is not set"] * 4,
    )
    (said,) = check(path, {"LATE": "soon"})
    assert "expected a duration" in said.message


def test_a_mistake_is_shown_as_compilers_show_theirs() -> None:
    with pytest.raises(DefinitionError, match=r"(?m)^shop\.yaml:1:1: there is no key 'source' here; did you mean 'sources'\?$"):
        parsed("source: {}\n")


def test_check_adds_what_a_comparison_finds(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(SOURCE + KPIS)
    seen: list[Definition] = []

    def compare(definition: Definition) -> list[Problem]:
        seen.append(definition)
        return [Problem("orders would start anew", str(path), warning=True)]

    assert check(path, {}, compare) == [Problem("orders would start anew", str(path), warning=True)]
    assert list(seen[0].kpis) == ["orders"]
    path.write_text(SOURCE)
    assert [problem.message.partition(":")[0] for problem in check(path, {}, compare)] == ["'kpis' is missing"]
    assert len(seen) == 1, "a definition with mistakes is not compared"


YAML_PIECES = st.sampled_from(
    [*SOURCE.split(), *KPIS.split(), "\n", "\n  ", "  ", ": ", "- ", "{", "}", "[", "]", "'", '"', "&a ", "*a", "${A}", "(", "!x "]
)


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.lists(YAML_PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode())
)
def test_nothing_but_a_definition_error_comes_of_any_bytes(raw: bytes) -> None:
    try:
        parse_definition(raw, FILE, {})
    except DefinitionError as error:
        assert error.problems  # noqa: PT017  either outcome is right; this one must say something


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """The shop's file with a few pieces taken out, doubled or put in."""
    text = (EXAMPLES / "shop/shop.yaml").read_text()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 20))
        text = text[:start] + draw(YAML_PIECES | st.just(text[start : start + 2 * length]) | st.text(max_size=3)) + text[start + length :]
    return text.encode(errors="replace")


@given(broken())
def test_every_problem_of_a_broken_file_has_a_place(raw: bytes) -> None:
    try:
        parse_definition(raw, FILE, ENVIRON)
    except DefinitionError as error:
        for problem in error.problems:
            assert 1 <= problem.line <= raw.count(b"\n") + raw.count(b"\r") + 1
            assert problem.column >= 1
            assert "\n" not in problem.message
