"""Events with a field of each type, for expressions to be tried on: what Hypothesis draws, the simplest first."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.oracle.oracle import EPOCH, MICROSECOND, Event
from tests.rehearsed import NOON_US

FIELDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "n": ("optional integer", ("integer",)),
    "m": ("integer", ("integer",)),
    "d": ("optional decimal(18, 2)", ("decimal",)),
    "p": ("decimal(10, 4)", ("decimal", "price")),
    "x": ("optional number", ("number", "eighths")),
    "y": ("number", ("number", "eighths")),
    "s": ("optional string", ("string", "said")),
    "u": ("string", ("string", "said")),
    "b": ("optional boolean", ("boolean",)),
    "v": ("boolean", ("boolean",)),
    "ts": ("timestamp", ("timestamp",)),
    "sent": ("optional timestamp(epoch_ms)", ("timestamp",)),
    "cart": ("optional json", ()),
    "country": ("optional string", ("string",)),
}
"""Each field with its declaration, and the kinds of expression that it is."""
BY = "country"
TEXTS = ("a", "", "DE", "de", "日本", "a'b", 'x"{}', " a ", "%", "_b", "é", "É", "a\nb", "a/b/c", "\\")
_READ = ("7", "-3", "1.5", "2.5e1", " 7", "0x10", "9223372036854775808", "true")
_WRITTEN_TIMES = ("2026-03-01T10:30:00Z", "2026-02-28 23:59:59+02:00", "2026-02-30T00:00:00Z", "2026-03-01", "1969-12-31T23:59:59Z")
_KEYS = ("k", "l", "a b", 'x"y', "a'b", "$", "a.b")
_ABSENT = object()
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([7, None, True, -3, 10**17, 1.5, *TEXTS, *_READ]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=5,
)
_EIGHTHS = st.integers(-(2**13), 2**13).map(lambda count: count / 8)
_INTEGERS = st.integers(-10, 10) | st.sampled_from([0, 1, -1, 1000, 2**31, 2**63 - 1, -(2**63)])


def _decimal(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    return st.integers(1 - 10**digits, 10**digits - 1).map(lambda whole: Decimal(whole).scaleb(-scale))


_VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "n": st.integers(-10, 100),
    "m": _INTEGERS,
    "d": _decimal(3, 2) | _decimal(18, 2),
    "p": _decimal(5, 4) | _decimal(10, 4),
    "x": _EIGHTHS,
    "y": _EIGHTHS,
    "s": st.sampled_from([*TEXTS, *_READ, *_WRITTEN_TIMES]),
    "u": st.sampled_from([*TEXTS, *_READ]),
    "b": st.booleans(),
    "v": st.booleans(),
    "sent": st.integers(0, 2 * 10**12).map(lambda time_ms: time_ms * 1000),
    "cart": st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=5) | _JSON,
    BY: st.sampled_from(["DE", "FR", ""]),
}


@st.composite
def events(draw: st.DrawFn) -> tuple[Event, ...]:
    """Within some minutes before noon, in no order; what is optional may be null, or not be there."""
    found: list[Event] = []
    while len(found) < 12 and (not found or draw(st.integers(0, 19))):
        time_us = NOON_US - draw(st.integers(1, 4 * 60)) * 1_000_000 + draw(st.sampled_from([0, 1, 999_999]))
        values: dict[str, Any] = {"ts": time_us}
        for name, strategy in _VALUES.items():
            values[name] = draw(strategy | st.sampled_from([None, _ABSENT])) if FIELDS[name][0].startswith("optional") else draw(strategy)
        found.append(Event(time_us, (0, len(found)), {name: value for name, value in values.items() if value is not _ABSENT}))
    return tuple(found)


def sent(event: Event) -> str:
    """The event as it is sent."""
    return "{" + ", ".join(f'"{name}": {_json(name, value)}' for name, value in event.values.items()) + "}"


def _json(name: str, value: Any) -> str:
    if name == "ts":
        return json.dumps((EPOCH + value * MICROSECOND).isoformat())
    if name == "sent" and value is not None:
        return str(value // 1000)
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
