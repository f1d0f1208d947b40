"""What the topics of the shop must hold in the end: plain Python over all events, slow and plain to see through."""

import hashlib
import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from livekpi.definition.definition import Definition
from livekpi.engine.plan import Plan, grouping_of, partial_of
from livekpi.store.layout import cells, column, spread
from tests.oracle.oracle import EPOCH, WIDE, Event, Part
from tests.properties.shop import Said

Key = tuple[Any, ...]
"""The bucket, the dimensions, and of bins and distinct values the key."""
Tables = dict[str, dict[Key, dict[str, Any]]]

BROKEN: tuple[tuple[bytes | None, str, str | None], ...] = (
    (b'{"ts":"2026-03-01T12:00:00Z","quantity":"7"}', "wrong_type", "quantity"),
    (b'{"ts":"2026-03-01T12:00:00Z","quantity":1.5}', "wrong_type", "quantity"),
    (b'{"ts":"2026-03-01T12:00:00Z","quantity":9223372036854775808}', "wrong_type", "quantity"),
    (b'{"ts":"2026-03-01T12:00:00Z","amount":"1.50"}', "wrong_type", "amount"),
    (b'{"ts":"2026-03-01T12:00:00Z","amount":1.505}', "wrong_type", "amount"),
    (b'{"ts":"2026-03-01T12:00:00Z","weight":NaN}', "not_json", None),
    (b'{"ts":"2026-03-01T12:00:00Z","weight":"NaN"}', "wrong_type", "weight"),
    (b'{"ts":"2026-03-01T12:00:00Z","weight":1e999}', "wrong_type", "weight"),
    (b'{"ts":"2026-03-01T12:00:00Z","user":7}', "wrong_type", "user"),
    (b'{"ts":"2026-03-01T12:00:00Z","vip":"true"}', "wrong_type", "vip"),
    (b'{"ts":"2026-03-01T12:00:00Z","vip":1}', "wrong_type", "vip"),
    (b'{"ts":"2026-03-01T12:00:00Z","quantity":"7","quantity":7}', "invalid", None),
    (b'{"ts":"2026-03-01T12:00:00Z"} and more', "not_json", None),
    (b'{"ts":"2026-03-01T12:00:00Z"}{"ts":"2026-03-01T12:00:00Z"}', "not_json", None),
    (b'[{"ts":"2026-03-01T12:00:00Z"}]', "not_json", None),
    (b"{'ts':'2026-03-01T12:00:00Z'}", "not_json", None),
    (b'{"ts":"2026-03-01T12:00:00Z","user":"\xff"}', "not_json", "user"),
    (b'{"ts":"2026-03-01T12:00:00"}', "bad_time", "ts"),
    (b'{"ts":"2026-02-30T12:00:00Z"}', "bad_time", "ts"),
    (b'{"ts":"2199-03-01T12:00:00Z"}', "ahead", "ts"),
    (b'{"ts":1772366400}', "bad_time", "ts"),
    (b'{"ts":null}', "bad_time", "ts"),
    (b'{"user":"u1"}', "missing", "ts"),
    (b"{", "not_json", None),
    (b"", "not_json", None),
    (None, "no_value", None),
)
"""Records that are no events, with the code and the field of their dead letters."""
_COUNTRIES = ("DE", "FR", "", "é✓", 'a"b\\', "n", None)
_CARTS: tuple[Any, ...] = (None, {"total": "1.50"}, {"total": "-0.05"}, {"total": "much"}, {"total": None}, [1], {"list": []})


def made(count: int, seed: int, partitions: int, start: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> list[tuple[int, Event]]:
    """Events with their partitions: of three hours, in no order, some at the same time."""
    rng = random.Random(seed)
    found = []
    offsets = [0] * partitions
    for _ in range(count):
        partition = rng.randrange(partitions)
        time_us = (start - EPOCH) // timedelta(microseconds=1) + rng.randrange(3 * 3_600) * 1_000_000
        values = {
            "country": rng.choice(_COUNTRIES),
            "tier": rng.choice((None, -1, 0, 3)),
            "vip": rng.choice((None, True, False)),
            "amount": rng.choice((None, Decimal(rng.randrange(-100_000, 100_000)).scaleb(-2))),
            "quantity": rng.choice((None, rng.randrange(-9, 10), rng.randrange(-(2**62), 2**62))),
            "weight": rng.choice((None, rng.randrange(-800, 800) / 8)),
            "user": rng.choice((None, f"u{rng.randrange(50)}", "ü")),
            "cart": rng.choice(_CARTS),
        }
        found.append((partition, Event(time_us, (partition, offsets[partition]), values)))
        offsets[partition] += 1
    return found


def record(event: Event) -> bytes:
    """An event as JSON; what is None is absent or null."""
    time = (EPOCH + timedelta(microseconds=event.time_us)).isoformat()
    values = {name: value for name, value in event.values.items() if value is not None or event.time_us % 2}
    text = json.dumps({"ts": time, **values}, default=lambda amount: f"<{amount}>", ensure_ascii=bool(event.time_us % 3))
    return text.replace('"<', "").replace('>"', "").encode()


def expected(definition: Definition, plan: Plan, said: Mapping[str, Said], events: Sequence[Event]) -> Tables:
    """The rows of all tables."""
    found: Tables = {}
    ordered = sorted(events, key=lambda event: (event.time_us, event.order))
    for name, each in said.items():
        for aggregate, part in zip(definition.kpis[name].value.aggregates, each.kpi.parts, strict=True):
            grouping, partial = grouping_of(plan, aggregate), partial_of(aggregate)
            series: dict[Key, list[Event]] = {}
            for event in ordered:
                bucket = event.time_us // aggregate.every_us * aggregate.every_us
                series.setdefault((bucket, *(dimension(event[by]) for by in aggregate.by)), []).append(event)
            for key, own in series.items():
                values = [value for event in own if part.where(event) and (value := part.of(event)) is not None]
                if partial.kind in ("bins", "distinct"):
                    rows = found.setdefault(spread(grouping, partial).name, {})
                    for spot in map(_bin if partial.kind == "bins" else _md5, values):
                        row = rows.setdefault((*key, spot), {"n": 0} if partial.kind == "bins" else {})
                        if partial.kind == "bins":
                            row["n"] += 1
                else:
                    row = found.setdefault(cells(grouping).name, {}).setdefault(key, {"n": len(own)})
                    row[column(partial).name] = _aggregate(part, values)
    return found


def dimension(value: Any) -> str:
    """A value as a topic's dimension."""
    return "n" if value is None else "v" + (str(value).lower() if isinstance(value, bool) else str(value))


def _aggregate(part: Part, values: Iterable[Any]) -> Any:
    found = list(values)
    if part.kind == "count":
        return len(found)
    if not found:
        return None
    if part.kind == "sum":
        total = found[0]
        for value in found[1:]:
            total = WIDE.add(total, value) if isinstance(total, Decimal) else total + value
        return total
    return {"min": min(found), "max": max(found), "first": found[0], "last": found[-1]}[part.kind]


def _bin(value: Any) -> int:
    if value == 0:
        return 0
    number = math.ceil(math.log(abs(float(value))) * (1 / math.log(1.01 / 0.99))) + (1 << 17)
    return number if value > 0 else -number


def _md5(value: Any) -> str:
    return hashlib.md5(str(value).encode()).hexdigest()
