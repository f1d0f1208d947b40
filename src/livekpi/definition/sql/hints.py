"""What is written instead of SQL that an expression does not take: said behind the mistake, as `; write …`."""

import re
from collections.abc import Set as AbstractSet

from sqlglot import exp

from livekpi.definition.types import Kind, Type

_QUERY = "write the value alone, such as sum(amount), without SELECT and FROM"
_FILTER = "a condition stands behind an aggregate, as in sum(amount) filter (where status = 200)"
_DISTINCT = "write count(distinct user_id)"
_QUANTILE = "write quantile(duration_ms, 0.95)"
_JSON = "a part of json is written by its name, as in cart.total"
_LIKE = "there are no regular expressions; write like, contains, starts_with or split_part"
_PLACE = "write contains(sku, 'cup') for whether it stands there"
_LAST = "write last(level), that of the greatest event time, or first(level)"
_TRUTHS = "write count_if(…) and compare it, as in count_if(vip) > 0"
_LOGARITHM = "write ln(amount) / ln(10)"
_SPREAD = "write sqrt(avg(x * x) - avg(x) * avg(x)), or a quantile"
_MEMBER = "a list in json is looked into by its text, as in contains(cart.tags, '\"new\"'), or by a place: cart.tags[0]"
_DAY = (
    "of a time there are year, month, day, isodow (Monday is 1), hour, minute and second, in UTC; "
    "for a month's cohort, year(ts) * 100 + month(ts)"
)
_TIME = "the seconds between two times are extract(epoch from later - earlier)"
_NUMBER = "cast it, as in cast(cart.total as decimal(18, 2))"

_NODES: dict[type[exp.Expr], str] = {
    exp.Select: _QUERY,
    exp.Subquery: _QUERY,
    exp.Window: "give the KPI `over`, such as over: 5m, for a sliding window",
    exp.WithinGroup: _QUANTILE,
    exp.Alias: "leave the name out, as the KPI has one",
    exp.IntDiv: "write floor(a / b)",
    exp.BitwiseXor: "write power(a, b)",
    exp.Lambda: _JSON,
    exp.JSONExtract: _JSON,
    exp.Any: f"write several conditions with or; {_MEMBER}",
    exp.SimilarTo: _LIKE,
    exp.Glob: _LIKE,
    exp.Interval: _TIME,
    exp.AtTimeZone: "times are in UTC here; a question has a time zone, and its days are that zone's",
    exp.Tuple: "join several values by ||, as in country || '/' || service",
    exp.NullSafeEQ: "write coalesce(country, '') = 'DE'",
    exp.NullSafeNEQ: "write coalesce(country, '') <> 'DE'",
}
_FUNCTIONS = {
    **dict.fromkeys(("percentile", "percentile_cont", "percentile_disc", "quantile_cont", "quantile_disc"), _QUANTILE),
    **dict.fromkeys(("approx_quantile", "approx_percentile", "approx_quantiles"), _QUANTILE),
    **dict.fromkeys(("count_distinct", "approx_distinct", "approx_count_distinct", "uniq", "uniqexact", "hll"), _DISTINCT),
    **dict.fromkeys(("sum_if", "sumif", "avg_if", "avgif"), _FILTER),
    **dict.fromkeys(("json_extract_scalar", "json_extract", "json_value", "json_extract_string", "get_json_object"), _JSON),
    **dict.fromkeys(("date_trunc", "timestamp_trunc", "time_bucket"), f"leave it out: `every` makes the buckets; {_DAY}"),
    **dict.fromkeys(("date", "time", "day_of_week", "day_of_year", "week", "weekday", "quarter", "strftime", "time_to_str"), _DAY),
    **dict.fromkeys(("datediff", "date_diff", "timestamp_diff", "date_add", "date_sub", "epoch", "age"), _TIME),
    **dict.fromkeys(("now", "current_timestamp", "rate", "lag", "lead"), "an expression sees one event, and neither the clock nor others"),
    **dict.fromkeys(("regexp_like", "regexp_i_like", "regexp_matches", "regexp_extract", "regexp_replace"), _LIKE),
    **dict.fromkeys(("str_position", "locate", "charindex"), _PLACE),
    **dict.fromkeys(("any_value", "arg_max", "arg_min", "first_value", "last_value"), _LAST),
    **dict.fromkeys(("logical_and", "logical_or", "every"), _TRUTHS),
    **dict.fromkeys(("log", "log2", "log10"), _LOGARITHM),
    **dict.fromkeys(("stddev", "stddev_samp", "stddev_pop", "variance", "variance_pop"), _SPREAD),
    **dict.fromkeys(("list_contains", "array_contains", "array_has", "json_contains"), _MEMBER),
    **dict.fromkeys(("rand", "uuid"), "no number may come out otherwise when it is computed again; filter by a field"),
    "concat_ws": "write country || '/' || service",
    "ends_with": "write sku like '%cup'",
    "xor": "write a <> b",
    "trunc": "write floor, ceil or round",
    "array": "write the name without brackets; one that is no plain word stands in double quotes",
}
_P95 = re.compile(r"p[0-9]{1,3}")
_TOKENS = {
    "where": _FILTER,
    "group by": "leave it out: the KPI's `by` names what it can be sliced by",
    "order by": "leave it out: points are ordered by time",
    "having": "leave it out: an alert rule says which values matter",
    "from": _QUERY,
    "distinct": _DISTINCT,
    "&&": "write and",
    "/": "write floor(a / b)",
    "~": _LIKE,
}


def for_node(node: exp.Expr) -> str:
    """For a part that can't stand in an expression; empty where nothing is known."""
    return _said(_NODES.get(type(node)))


def for_function(name: str) -> str:
    """For a function that there is not; empty where nothing is known."""
    return _said(_QUANTILE if _P95.fullmatch(name.lower()) else _FUNCTIONS.get(name.lower()))


def for_token(text: str) -> str:
    """For what the parser stumbled over; empty where nothing is known."""
    return _said(_TOKENS.get(" ".join(text.lower().split())))


def for_mixed(kinds: AbstractSet[Kind]) -> str:
    """For values that can't be one type."""
    if "string" in kinds and "timestamp" in kinds:
        return "; a time is written timestamp '2026-03-01T00:00:00Z'"
    if "string" in kinds and kinds & {"integer", "number", "decimal"}:
        return f"; write a number without quotes; of a part of json, {_NUMBER}"
    return ""


def for_number(got: Type | None) -> str:
    """For a value that should be a number."""
    if got is None or got.numeric:
        return ""
    known: dict[Kind, str] = {
        "string": f"{_NUMBER}; text is joined by ||",
        "boolean": "count with count_if(…), or write if(…, 1, 0)",
        "timestamp": _TIME,
    }
    return _said(known.get(got.kind))


def _said(hint: str | None) -> str:
    return "" if hint is None else f"; {hint}"
