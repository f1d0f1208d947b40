"""What check says of scalar expressions that no engine could compute."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from livekpi.definition.problems import ExpressionError
from livekpi.definition.sql.expressions import Frame, KpiValue, parse_value
from livekpi.definition.types import Field, parse_field

FIELDS: Mapping[str, Field] = {
    name: parse_field(name, text)
    for name, text in {
        "n": "integer",
        "x": "number",
        "s": "string",
        "t": "timestamp",
        "d": "decimal(18, 8)",
        "wide": "decimal(38, 0)",
        "tiny": "decimal(18, 18)",
        "most": "decimal(37, 2)",
        "j": "json",
    }.items()
}
FRAME = Frame("s", FIELDS, 60_000_000, 60_000_000, ())


@dataclass(frozen=True)
class KpiValueHolder:
    """A KPI that another one may name."""

    value: KpiValue


def check(text: str) -> None:
    parse_value(text, FRAME, {})


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("max(wide + 1)", 39),
        ("max(wide - wide)", 39),
        ("max(wide * 2)", 39),
        ("max(mod(wide, 1.5))", 39),
        ("max(d * d * d)", 54),
        ("count_if(wide > tiny)", 56),
        ("count_if(wide in (1, 2.5))", 39),
        ("count_if(tiny between 0 and wide)", 56),
        ("max(coalesce(wide, tiny))", 56),
        ("max(case when x > 1 then wide else 0.5 end)", 39),
    ],
)
def test_what_needs_more_digits_than_there_are_is_refused(text: str, needed: int) -> None:
    with pytest.raises(ExpressionError, match=f"needs {needed} digits, more than 38: cast one side to a smaller decimal or to double"):
        check(text)


@pytest.mark.parametrize(
    "text",
    ["max(mod(wide, 7))", "max(most + 1)", "max(n * d)", "max(d * d)", "max(greatest(most, 0.001))", "max(000000000000000001.5 * d)"],
)
def test_what_has_38_digits_is_not(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "sum(round(x, n))",
            "sum(round(x, 1 + 1))",
            "sum(round(x, 39))",
            "sum(round(x, -39))",
            "sum(round(x, null))",
            "sum(round(x, length(s)))",
        ),
        *("round(sum(x), sum(n))", "round(sum(x), count(*))"),
    ],
)
def test_rounding_to_digits_that_are_not_written_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="round expects a whole number of digits from -38 to 38"):
        check(text)


def test_a_part_of_json_has_a_place_of_31_bits() -> None:
    check("count(j[2147483647])")


@pytest.mark.parametrize("digits", ["0", "2", "-2", "38", "-38"])
def test_rounding_to_written_digits_is_not(digits: str) -> None:
    check(f"round(sum(round(x, {digits})), {digits})")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max(replace(s, 'a'))", "replace needs 3 values in its parentheses"),
        ("max(split_part(s, '/'))", "split_part needs 3 values"),
        ("max(substring(s))", "substring needs 2 values"),
        ("count_if(n between symmetric 7 and 1)", "between takes no symmetric"),
        ("max(trim(leading from s))", "trim takes no position"),
        ("max(cast(s as text format 'x'))", "cast takes no format"),
        ("max(cast(s as varchar(3)))", r"a cast to varchar\(3\) is not possible"),
        ("max(round(x, 1, 1))", "round takes no truncate"),
        ("count_if(s like 'a' escape '!')", "escape can't stand in an expression"),
        ("count(* exclude (s))", "expected one field or expression in the parentheses"),
        ("count_if(s like 7)", "like expects string, got integer: '7'; cast it"),
        ("count_if(s = null)", "nothing is equal to null, nor unlike it: 's = NULL'; write is null"),
        ("count_if(null <> n)", "nothing is equal to null"),
        ("max(cast('x' as integer))", "'x' is not written as an integer such as 7, so the cast would always be null"),
        ("count_if(t > timestamp '2026-01-01')", "'2026-01-01' is not written as a time with its zone such as 2026-03-01T10:30:00Z"),
        ("sum(distinct n)", "; distinct stands in count alone"),
        (
            "count(j[99999999999999999999])",
            r"a list in json has no place 99999999999999999999: the last that can be named is \[2147483647\]",
        ),
        ("count(j.a[2147483648].b)", "a list in json has no place 2147483648"),
    ],
)
def test_what_nobody_would_look_at_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        check(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("SELECT sum(n) FROM shop", "; write the value alone, such as sum"),
        ("sum(n) over (order by ts)", "; give the KPI `over`"),
        ("sum(n) where x > 1", "; a condition stands behind an aggregate"),
        ("sum(n) group by s", "; leave it out: the KPI's `by` names"),
        ("sum(n) as total", "; leave the name out"),
        ("p95(x)", r"there is no function 'p95'; write quantile\(duration_ms, 0.95\)"),
        ("percentile_cont(0.95) within group (order by x)", "; write quantile"),
        ("distinct(s)", r"; write count\(distinct user_id\)"),
        ("count_distinct(s)", r"; write count\(distinct user_id\)"),
        ("sumif(n, x > 1)", r"; a condition stands behind an aggregate, as in sum\(amount\) filter"),
        ("count_if(x > 1 && x < 3)", "at '&&'; write and"),
        ("count_if(x > now())", "; an expression sees one event"),
        ("sum(s->>'a')", "; a part of json is written by its name"),
        ("max(date_trunc('day', x))", "; leave it out: `every` makes the buckets"),
        ("count()", r"; count\(\*\) counts events"),
        ("count", r"there is no KPI 'count'; write count\(\*\)"),
        ('count_if(s = "Berlin")', "there is no field 'Berlin'; text stands in single quotes: 'Berlin'"),
        ("approx_quantile(n, 0.5)", r"there is no function 'approx_quantile'; write quantile"),
        ("avg(t - t)", r"expected a number, got timestamp: 't'; the seconds between two times are extract\(epoch from later - earlier\)"),
        ("max(date_diff('second', t, t))", r"there is no function 'date_?diff'; the seconds between two times are extract\(epoch"),
        ("max(extract(epoch from t + t))", "expected a number, got timestamp: 't'; the seconds between"),
        ("max(extract(epoch from n))", "extract expects timestamp, got integer"),
        ("max(extract(epoch from t - n))", "extract expects timestamp, got integer"),
        ("max(extract(dow from t))", "extract knows year, .* isodow, epoch, not 'dow'"),
        ("count_if(t > '2026-01-01')", "; a time is written timestamp '2026-03-01T00:00:00Z'"),
        ("count(distinct cast(t as date))", "a cast to date is not possible; .*; of a time there are year, month, day"),
        ("count_if(n > '7')", "; write a number without quotes; of a part of json, cast it"),
        ("sum(s = 'a')", r"got boolean: .*; count with count_if\(…\), or write if\(…, 1, 0\)"),
        ("count_if(s ~ '^a')", "at '~'; there are no regular expressions; write like"),
        ("count(distinct (s, n))", r"; join several values by \|\|"),
        ("max(s || n)", r"\|\| expects string, got integer: 'n'; cast it, as in cast\(status as text\)"),
        ('count_if(s = "wide")', "expected values of one type, got string and decimal"),
        ('count_if(s = "Wide")', "there is no field 'Wide'; text stands in single quotes: 'Wide'"),
        ("sum(shop.n)", "there is no field 'shop'; write 'n' without the source's name"),
        ("sum(n ^ 2)", r"; write power\(a, b\)"),
        ("last_value(n)", r"; write last\(level\)"),
        ("count(distinct s + 'x')", r"expected a number, got string: 's'; cast it, .*; text is joined by \|\|"),
    ],
)
def test_a_mistake_says_what_is_written_instead(text: str, hint: str) -> None:
    with pytest.raises(ExpressionError, match=hint):
        check(text)


def nested(form: str, inner: str, times: int) -> str:
    return inner if not times else form.format(nested(form, inner, times - 1))


@pytest.mark.parametrize("form", ["greatest(n, {})", "case {} when 1 then 2 when 2 then 3 end", "sqrt({})"])
def test_what_grows_with_each_level_is_refused_in_time(form: str) -> None:
    check(f"max({nested(form, 'n', 4)})")
    with pytest.raises(ExpressionError, match="has more than 5,000 pieces"):
        check(f"max({nested(form, 'n', 20)})")
    with pytest.raises(ExpressionError, match="has more than 5,000 pieces"):
        check(nested(form.replace("(n,", "(min(n),"), "max(n)", 20))


def test_kpis_of_kpis_that_double_are_refused_in_time() -> None:
    known: dict[str, KpiValueHolder] = {"k0": KpiValueHolder(parse_value("count(*)", FRAME, {}))}

    def add(number: int) -> None:
        known[f"k{number + 1}"] = KpiValueHolder(parse_value(f"greatest(k{number}, 2 * k{number})", None, known))

    for number in range(4):
        add(number)
    with pytest.raises(ExpressionError, match="has more than 5,000 pieces"):
        list(map(add, range(4, 40)))


@pytest.mark.parametrize("text", ["sum(d * d)", "avg(d * d)", "sum(d * d) filter (where n > 1)"])
def test_a_sum_that_large_values_could_not_be_in_asks_which_digits_count(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"decimal\(36, 16\) leaves it no room to grow: .*; say which digits count, as in sum\(cast"):
        check(text)


@pytest.mark.parametrize("text", ["sum(d * n)", "sum(cast(d * d as decimal(28, 12)))", "max(d * d)", "sum(d * 1.25)"])
def test_a_sum_with_room_for_large_values_is_not_refused(text: str) -> None:
    check(text)
