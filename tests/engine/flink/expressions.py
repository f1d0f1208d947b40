"""Expressions of every kind, and events that bring out where engines differ."""

import json
import random
from collections.abc import Iterable
from typing import Any

FIELDS = {
    "k": "integer",
    **dict.fromkeys(("n", "m"), "optional integer"),
    **dict.fromkeys(("x", "y"), "optional number"),
    "d": "optional decimal(18, 2)",
    "c": "optional decimal(9, 2)",
    "e": "optional decimal(9, 4)",
    "f": "optional decimal(18, 8)",
    **dict.fromkeys(("s", "t"), "optional string"),
    "b": "optional boolean",
    "at": "optional timestamp",
    "j": "optional json",
}
_MANY = ", ".join(map(str, range(50)))
"""More values than Flink is given comparisons with."""
EXPRESSIONS = [
    *("n + m", "n - m", "n * m", "n / m", "n % m", "mod(n, 7)", "-n", "abs(n)", "n * 2 - 1", "n + x", "n * d", "-x", "abs(x)", "abs(d)"),
    *("x + y", "x - y", "x * y", "x / y", "x % y", "d + e", "d - e", "d * e", "d / e", "d % e", "n / 2", "1 / n", "d * 1.19", "2.5 * n"),
    *("x > 1 / 3 and x < 1 / 2", "x in (1 / 2, 3 / 2)", "x * (19 / 119)", "2 / coalesce(3, n) < x", "x > 1 / 0", "(1 + 2) / (x - 1)"),
    *("f * f", "f * d", "d * f", "f * 1000000", "-1000000 * f", "f + d", "f - d", "f % d", "mod(f, 7)", "f * f > 50", "abs(f * f)"),
    *("coalesce(f, d)", "greatest(f, d)", "case when b then f else d end", "case when b then 100000 else 0 end * 100000", "2000000000 * 3"),
    *(
        "floor(x)",
        "ceil(x)",
        "round(x)",
        "round(x, 2)",
        "round(x, -2)",
        "sqrt(x)",
        "ln(x)",
        "exp(x)",
        "power(x, 2)",
        "power(x, 0.5)",
        "round(d, 1)",
    ),
    *(
        "lower(s)",
        "upper(s)",
        "trim(s)",
        "length(s)",
        "left(s, 2)",
        "right(s, 2)",
        "left(s, -1)",
        "left(s, n)",
        "right(s, n)",
        "substring(s, 2)",
    ),
    *(
        "substring(s, 2, 3)",
        "substring(s, n, m)",
        "substring(s, -2, 1)",
        "replace(s, 'a', 'bc')",
        "replace(s, t, '-')",
        "split_part(s, '/', 2)",
    ),
    *("split_part(s, '/', -1)", "split_part(s, t, 1)", "contains(s, t)", "starts_with(s, t)", "s || t", "concat(s, '-', t)"),
    *("s like '%a%'", "s like t", "s like 'a_c'", "s ilike 'A%'", "s like '\\_'", "s not like '%/'"),
    *("year(at)", "month(at)", "day(at)", "hour(at)", "minute(at)", "second(at)", "extract(hour from ts)", "at", "at > ts"),
    *(
        "n = m",
        "n <> m",
        "n < m",
        "n <= 5",
        "x > y",
        "x >= 1",
        "x = y",
        "d > e",
        "d = 1.5",
        "s = t",
        "s < t",
        "s >= 'b'",
        "b = true",
        "n > x",
    ),
    *("sqrt(x) > 1", "sqrt(x) = sqrt(x)", "ln(x) < 0", "x / y > 2", "1 < sqrt(x)"),
    *(
        "n in (1, 5, m)",
        "s in ('a', 'DE', t)",
        "n not in (1, null)",
        "n between 1 and m",
        "x not between -1 and y",
        "n is null",
        "s is not null",
    ),
    *("not b", "b and n > 1", "b or n > 1", "not (b or n > 1) and s = 'a'", "b and null"),
    *("case when b then n else m end", "case n when 1 then 'one' when 5 then 'fives' end", "if(n > m, 'greater', 'x')", "if(b, n, 1.5)"),
    *(
        "coalesce(n, m, 0)",
        "coalesce(s, 'none')",
        "coalesce(x, n)",
        "nullif(n, m)",
        "nullif(s, '')",
        "nullif(x, 0)",
        "case when n > 1 then null else d end",
    ),
    *("greatest(n, m)", "least(n, m, 3)", "greatest(x, y, 0)", "least(s, t)", "greatest(d, e)", "greatest(sqrt(x), y)", "greatest(at, ts)"),
    *("case when b then c else 0.00 end * 2", "greatest(0.00, d - c) * 2", "if(b, c, 0.00) * 1.19", "if(b, c, 0.00) - 1"),
    *("coalesce(c, d) * c", "coalesce(0.00, d) + c", "least(0.50, d) % 7", "case when b then n else 0 end * c", "greatest(0, n) * c"),
    *("x in (0, 1)", "x not in (0, 1, 2.5)", "x = 0 or x = 1", "x <> 0 and x <> 1", "x >= 0 and x <= 0 or x = 1", "x in (0, y, 1, null)"),
    *(f"x in (-1.5, n, {_MANY})", f"x not in ({_MANY}, 0.5)", f"n in ({_MANY}, -7)", f"n not in ({_MANY}, null)", f"d in (1.50, {_MANY})"),
    *(
        f"c not in ({', '.join(f'{at}.05' for at in range(50))})",
        f"s in ({', '.join(map(repr, 'abcdefghijklmnopqrstuvwxyzABCDE'))}, 'DE', t)",
    ),
    *("nullif(x, 0) is null or x = 1", "x in (-0.0, 1)", "x * y in (0, 1)"),
    *("s < '～'", "s between '～' and '😀'", "s < '～' or s > '😀'", "greatest(s, t, '～')", "least(s, t, '😀')", "s > t || ''"),
    *("least(d, e, f, n, 2.5)", "greatest(d, 0.5, e, null)", "least(greatest(d, 0), 100)", "greatest(d)"),
    *("cast(n as double)", "cast(n as text)", "cast(n as decimal(9, 2))", "cast(n as boolean)", "cast(x as integer)", "cast(x as text)"),
    *(
        "cast(x as decimal(9, 2))",
        "cast(x as boolean)",
        "cast(d as integer)",
        "cast(d as double)",
        "cast(d as text)",
        "cast(d as decimal(5, 1))",
    ),
    *("cast(d as boolean)", "cast(s as integer)", "cast(s as double)", "cast(s as decimal(9, 2))", "cast(s as boolean)", "cast(b as text)"),
    *(
        "cast(b as integer)",
        "cast(b as double)",
        "cast(b as decimal(3, 1))",
        "cast(at as text)",
        "cast(null as integer)",
        "cast(at as timestamp)",
    ),
    *("cast(j as text)", "j is null", "j[2147483647]", "j[1]"),
    *("j.a", "j.a.b", "j.l[0]", "j.l[1].c", "cast(j.a as integer)", "cast(j.a as decimal(9, 2))", "j['x y']", "length(j.a)"),
]
_INTEGERS = [0, 1, 2, 3, 5, -1, -2, -7, 7, 100, 2**31, -(2**31), 2**32 + 1, 3037000500, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), None]
_NUMBERS = [
    0,
    -0.0,
    0.5,
    1,
    1.5,
    2.5,
    -0.5,
    -1.5,
    -2.5,
    2.675,
    1.005,
    123456.789,
    1e15,
    1e16,
    1e-5,
    0.0001,
    1e22,
    1e300,
    -1e300,
    5e-324,
    9.3e18,
    0.1,
    1 / 3,
    None,
]
_DECIMALS = [0, 1.5, -1.5, 2.25, 0.05, 99999.9999, -12345.6789, 1, -0.0001, 12345.5, None]
_SHORT = [1.5, 2, -99.99, 0.05, 1234567.89, -9999999.99, 9999999.99, 0, None]
_FINE = [0, 1, -1, 0.00000001, 10.5, 60, -99.99999999, 123456.00000001, 9999999999.5, None]
_TEXTS = [
    *("", "a", "DE", "abc", "ABC", " pad ", "\u00a0x\u2003", "a/b/c", "/", "straße", "ÄÖÜ", "İstanbul", "日本語", "🇪🇺 a", "e\u0301a"),
    *("a%c", "a_c", "\\_", "7", " 7 ", "1.5", "2.5", "-1.5", "1e3", "1_000", "0x1F", "7.", ".5", "+7", "9223372036854775808"),
    *("9223372036854775807", "1e400", "nan", "-inf", "true", "T", "yes", "off", "0", "no", "1,5", "--1", "12345678.905", "12345678"),
    *("～", "～a", "😀", "😁", "\ue000", "\uffff"),  # which UTF-16 and UTF-8 put in another order
    *("1.005", "-1.005", "2.0", "7\n", "007", "0b11", "1e-7", "tab\there", "line\nbreak", "%", "_", "%a%"),
]
_TIMES = [
    "2026-03-01T11:02:03Z",
    "2026-03-01T23:59:59.999999Z",
    "2024-02-29T00:00:00.5+14:00",
    "1970-01-01T00:00:00Z",
    "2199-12-31T23:59:59.1Z",
    None,
]
_JSON: list[Any] = [
    *({"a": 7}, {"a": "7"}, {"a": 10.10}, {"a": None}, {"a": {"b": [1, 2.50, 'é/\n"', True, None]}}, {"l": [{"c": 1}, {"c": "x"}]}),
    *({"l": []}, [], {"x y": 1e21}, {"a": True}, {"a": "text é 🇪🇺"}, {"a": 1e-7}, {"a": 123456789012345678901234567890}),
    *({"a": -0.0}, {"a": []}, [10, 1.50], "text", 7, None),
]


def kpis(texts: Iterable[str]) -> dict[str, Any]:
    """A KPI of each expression, with a series an event."""
    return {f"e{index}": {"value": f"last({text})", "every": "1d", "by": ["k"]} for index, text in enumerate(texts)}


def events(count: int, seed: int) -> list[bytes]:
    """Events of which each is a series of its own."""
    rng = random.Random(seed)
    choices: dict[str, list[Any]] = {
        **dict.fromkeys(("n", "m"), _INTEGERS),
        **dict.fromkeys(("x", "y"), _NUMBERS),
        **dict.fromkeys(("d", "e"), _DECIMALS),
        "c": _SHORT,
        "f": _FINE,
        **dict.fromkeys(("s", "t"), _TEXTS),
        "b": [True, False, None],
        "at": _TIMES,
        "j": _JSON,
    }
    found = []
    for k in range(count):
        event = {name: values[k] if k < len(values) else rng.choice(values) for name, values in choices.items()}
        event["d"] = None if event["d"] is None else round(event["d"], 2)
        found.append(json.dumps({"ts": "2026-03-01T11:00:00Z", "k": k, **event}).encode())
    return found
