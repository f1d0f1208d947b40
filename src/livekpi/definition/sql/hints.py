"""What is written instead of SQL that an expression does not take: said behind the mistake, as `; write …`."""

import re

from sqlglot import exp

_QUERY = "write the value alone, such as sum(amount), without SELECT and FROM"
_FILTER = "a condition stands behind an aggregate, as in sum(amount) filter (where status = 200)"
_DISTINCT = "write count(distinct user_id)"
_QUANTILE = "write quantile(duration_ms, 0.95)"
_JSON = "a part of json is written by its name, as in cart.total"

_NODES: dict[type[exp.Expr], str] = {
    exp.Select: _QUERY,
    exp.Subquery: _QUERY,
    exp.Window: "give the KPI `over`, such as over: 5m, for a sliding window",
    exp.WithinGroup: _QUANTILE,
    exp.Alias: "leave the name out, as the KPI has one",
    exp.IntDiv: "write floor(a / b)",
}
_FUNCTIONS = {
    **dict.fromkeys(("percentile", "percentile_cont", "percentile_disc", "approx_quantile", "approx_percentile"), _QUANTILE),
    **dict.fromkeys(("count_distinct", "approx_distinct", "approx_count_distinct", "uniq"), _DISTINCT),
    **dict.fromkeys(("sum_if", "sumif", "avg_if", "avgif"), _FILTER),
    **dict.fromkeys(("json_extract_scalar", "json_extract", "json_value"), _JSON),
    **dict.fromkeys(("date_trunc", "timestamp_trunc", "time_bucket"), "leave it out: `every` makes the buckets"),
    **dict.fromkeys(("now", "current_timestamp", "rate", "lag", "lead"), "an expression sees one event, and neither the clock nor others"),
}
_P95 = re.compile(r"p[0-9]{1,3}")
_TOKENS = {
    "where": _FILTER,
    "group by": "leave it out: the KPI's `by` names what it can be sliced by",
    "order by": "leave it out: points are ordered by time",
    "from": _QUERY,
    "distinct": _DISTINCT,
    "&&": "write and",
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


def _said(hint: str | None) -> str:
    return "" if hint is None else f"; {hint}"
