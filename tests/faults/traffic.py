"""Events of a shop as a producer with troubles sends them, and what the numbers must be in the end.

The numbers are computed here by plain Python over what was sent, by other means than livekpi's own.
"""

import json
import math
import operator
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SECOND_US = 1_000_000
COUNTRIES = ("DE", "FR", "PL", "US", None)
SKUS = tuple(f"sku-{number}" for number in range(7))

DEFINITION = """
sources:
  shop:
    {source}
    time: ts
    id: event_id
    fields: &fields
      ts: timestamp
      event_id: string
      user_id: string
      country: optional string
      amount: optional decimal(18, 2)
      duration_ms: number
      status: integer
      sku: string
      level: integer
  every_one:  # the same without an id: nothing but the positions keeps it from counting twice what it reads twice
    {source}
    time: ts
    fields: *fields
kpis:
  events:     {{ source: shop, value: count(*), every: 10s, by: [country] }}
  revenue:    {{ source: shop, value: sum(amount), every: 10s, by: [country] }}
  users:      {{ source: shop, value: count(distinct user_id), every: 1m, by: [country] }}
  fastest:    {{ source: shop, value: min(duration_ms), every: 10s, by: [country] }}
  slowest:    {{ source: shop, value: max(duration_ms), every: 10s, by: [country] }}
  p95:        {{ source: shop, value: "quantile(duration_ms, 0.95)", every: 1m, by: [country] }}
  error_rate: {{ source: shop, value: count(*) filter (where status >= 500) / count(*), every: 1m, by: [country] }}
  stock:      {{ source: shop, value: last(level), every: 1m, by: [sku] }}
  every_event:   {{ source: every_one, value: count(*), every: 10s, by: [country] }}
  every_revenue: {{ source: every_one, value: sum(amount), every: 10s, by: [country] }}
"""
SOURCES = ("shop", "every_one")

Key = tuple[int, str | None]
"""A bucket's start in µs, and the value of the KPI's one dimension."""


@dataclass(frozen=True)
class Event:
    time_us: int
    name: str
    user: str
    country: str | None
    amount: Decimal | None
    duration_ms: float
    status: int
    sku: str
    level: int

    def record(self) -> bytes:
        """As it is sent."""
        texts = {
            "ts": datetime.fromtimestamp(self.time_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{self.time_us % SECOND_US:06}Z"
        }
        texts |= {"event_id": self.name, "user_id": self.user, "sku": self.sku}
        fields = [f'"{name}": "{text}"' for name, text in texts.items()]
        fields += [f'"duration_ms": {self.duration_ms!r}', f'"status": {self.status}', f'"level": {self.level}']
        fields += [] if self.country is None else [f'"country": "{self.country}"']
        fields += ['"amount": null'] if self.amount is None else [f'"amount": {self.amount}']
        return ("{" + ", ".join(fields) + "}").encode()


class Traffic:
    """A stream of records, most of them events with times that go on; some late, some repeated, some bad."""

    def __init__(self, rng: random.Random, begin_us: int, bad: float = 0.01) -> None:
        """`bad` is the share of records that are no events."""
        self.events: list[Event] = []
        """What counts, each once."""
        self.all_events: list[Event] = []
        """With the repeats."""
        self.dead: list[bytes | None] = []
        """What does not."""
        self.now_us = begin_us
        """How far its time has come."""
        self._rng, self._bad = rng, bad
        self._times: set[int] = set()

    def record(self) -> bytes | None:
        """The next record."""
        kind = self._rng.random()
        if kind < self._bad:
            bad = self._rng.choice((None, b"not json", b'{"ts": "yesterday"}', b'{"status": "7"}', b"\xff\x00"))
            self.dead.append(bad)
            return bad
        if kind < self._bad + 0.03 and self.events:
            event = self._rng.choice(self.events[-5_000:])
        else:
            event = self.event()
            self.events.append(event)
        self.all_events.append(event)
        return event.record()

    def counted(self, kpi: str) -> Sequence[Event]:
        """What a KPI counts."""
        return self.all_events if kpi.startswith("every_") else self.events

    def event(self) -> Event:
        """A new one; it is for the caller to count it."""
        rng = self._rng
        self.now_us += rng.randrange(1, 20_000)
        time_us = self.now_us - (rng.randrange(7_200 * SECOND_US) if rng.random() < 0.05 else 0)
        while time_us in self._times:  # so that the last of all is one
            time_us -= 1
        self._times.add(time_us)
        return Event(
            time_us=time_us,
            name=f"e{len(self.events)}",
            user=f"u{int(rng.paretovariate(0.5)) % 5_000}",
            country=rng.choice(COUNTRIES),
            amount=None if rng.random() < 0.3 else Decimal(rng.randrange(-5_000, 500_000)) / 100,
            duration_ms=round(rng.lognormvariate(4, 1), 3),
            status=rng.choice((200, 200, 200, 404, 500)),
            sku=rng.choice(SKUS),
            level=rng.randrange(1_000),
        )


def _revenue(events: Sequence[Event]) -> Decimal | None:
    amounts = [event.amount for event in events if event.amount is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def _p95(events: Sequence[Event]) -> tuple[float, float]:
    """The two values that it may lie between."""
    durations = sorted(event.duration_ms for event in events)
    rank = 0.95 * (len(durations) - 1)
    return durations[math.floor(rank)], durations[math.ceil(rank)]


@dataclass(frozen=True)
class Kpi:
    """A KPI as the oracle computes it: over the events of each bucket and value of its dimension."""

    every_us: int
    dimension: str
    value: Callable[[Sequence[Event]], Any]
    right: Callable[[Any, Any], bool] = operator.eq
    """Whether the value found is right, given the one wanted."""
    filled: Callable[[Any], bool] = lambda _: False
    """Whether a bucket without events may have this value."""


def _float_eq(found: Decimal, wanted: float) -> bool:
    return float(found) == wanted


def _within_1_percent(found: Decimal, wanted: tuple[float, float]) -> bool:
    return wanted[0] * 0.99 <= float(found) <= wanted[1] * 1.01


def _is_zero(found: Decimal) -> bool:
    return found == 0


_10S, _1M = 10 * SECOND_US, 60 * SECOND_US
KPIS: Mapping[str, Kpi] = {
    "events": Kpi(_10S, "country", len, filled=_is_zero),
    "revenue": Kpi(_10S, "country", _revenue),
    "users": Kpi(_1M, "country", lambda events: len({event.user for event in events}), filled=_is_zero),
    "fastest": Kpi(_10S, "country", lambda events: min(event.duration_ms for event in events), _float_eq),
    "slowest": Kpi(_10S, "country", lambda events: max(event.duration_ms for event in events), _float_eq),
    "p95": Kpi(_1M, "country", _p95, _within_1_percent),
    "error_rate": Kpi(_1M, "country", lambda events: sum(event.status >= 500 for event in events) / len(events), _float_eq),
    "stock": Kpi(_1M, "sku", lambda events: max(events, key=lambda event: event.time_us).level, filled=lambda _: True),
    "every_event": Kpi(_10S, "country", len, filled=_is_zero),
    "every_revenue": Kpi(_10S, "country", _revenue),
}


def expected(events: Iterable[Event], kpi: Kpi) -> dict[Key, Any]:
    """The KPI's points that have a value."""
    slices: dict[Key, list[Event]] = defaultdict(list)
    for event in events:
        slices[event.time_us // kpi.every_us * kpi.every_us, getattr(event, kpi.dimension)].append(event)
    values = {key: kpi.value(part) for key, part in slices.items()}
    return {key: value for key, value in values.items() if value is not None}


def points(name: str, lines: Iterable[str]) -> dict[Key, Any]:
    """What ``livekpi query KPI --by … --format json`` printed."""
    found: dict[Key, Any] = {}
    for line in lines:
        point = json.loads(line, parse_float=Decimal)
        key = (_time_us(point["time"]), point[KPIS[name].dimension])
        assert key not in found, f"{name} {key}: twice"
        found[key] = point["value"]
    return found


def differences(name: str, found: Mapping[Key, Any], events: Iterable[Event]) -> list[str]:
    """What is wrong with a KPI's points, when these are the events that count; empty where nothing is."""
    kpi = KPIS[name]
    wrong: list[str] = []
    wanted = expected(events, kpi)
    for key, value in wanted.items():
        if key not in found:
            wrong.append(f"{name} {key}: expected {value}, found no point")
        elif not kpi.right(found[key], value):
            wrong.append(f"{name} {key}: expected {value}, found {found[key]}")
    extra = [key for key in found.keys() - wanted.keys() if not kpi.filled(found[key])]
    return wrong + [f"{name} {key}: expected no point, found {found[key]}" for key in extra]


def _time_us(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * SECOND_US + moment.microsecond
