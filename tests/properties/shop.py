"""A shop whose KPIs are said twice: as a definition, and as what the oracle is to compute."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from tests.oracle.oracle import HOUR_US, Event, Kpi, Part, divide

MINUTE_US = 60_000_000
DIMENSIONS = ("country", "tier", "vip")
FIELDS = {
    "ts": "timestamp",
    "id": "optional string",
    "country": "optional string",
    "tier": "optional integer",
    "vip": "optional boolean",
    "amount": "optional decimal(18, 2)",
    "quantity": "optional integer",
    "weight": "optional number",
    "user": "optional string",
    "cart": "optional json",
}


@dataclass(frozen=True)
class Said:
    """A KPI, both ways."""

    text: Mapping[str, Any]
    kpi: Kpi


def _amount(event: Event) -> Any:
    return event["amount"]


def _quantity(event: Event) -> Any:
    return event["quantity"]


def _weight(event: Event) -> Any:
    return event["weight"]


def _total(event: Event) -> Any:
    """The total in a cart, as decimal(10, 2)."""
    cart = event["cart"]
    total = cart.get("total") if isinstance(cart, dict) else None
    return Decimal(total) if isinstance(total, str) and total != "much" else None


def _product(event: Event) -> Any:
    """A product, null where it has more than 28 digits, two of them behind the point."""
    if event["amount"] is None or event["quantity"] is None:
        return None
    cents = int(event["amount"] * 100) * event["quantity"]
    return Decimal(cents).scaleb(-2) if abs(cents) < 10**28 else None


def _case(event: Event) -> Any:
    return 100 if event["vip"] else 10 if event["vip"] is None else 1


def _afternoon(event: Event) -> bool:
    return (event.time_us // HOUR_US) % 24 >= 12


def _many(event: Event) -> bool | None:
    return None if event["quantity"] is None else event["quantity"] > 5


def _said(text: str, *parts: Part, every: str = "1m", over: str | None = None, **kpi: Any) -> Said:
    spec: dict[str, Any] = {"value": text, "every": every, "by": list(parts[0].by)}
    return Said(spec | ({"over": over} if over else {}), Kpi(parts, **kpi))


def _part(kind: str, of: Any = None, **rest: Any) -> Part:
    return Part(kind, **({"of": of} if of else {}), **({"by": DIMENSIONS} | rest))


_EVENTS = _part("count")
_REVENUE = _part("sum", _amount)
KPIS: dict[str, Said] = {
    "events": _said("count(*)", _EVENTS),
    "revenue": _said("sum(amount)", _REVENUE),
    "pieces": _said("sum(quantity)", _part("sum", _quantity)),
    "product": _said("sum(amount * quantity)", _part("sum", _product)),
    "least": _said("min(amount)", _part("min", _amount)),
    "greatest": _said("max(amount)", _part("max", _amount)),
    "latest": _said("last(amount)", _part("last", _amount)),
    "earliest": _said("first(amount)", _part("first", _amount)),
    "newest": _said("max(ts)", _part("max", lambda event: event.time_us)),
    "named": _said("last(user)", _part("last", lambda event: event["user"])),
    "many": _said("count(*) filter (where quantity > 5)", _part("count", where=_many)),
    "afternoon": _said("count(*) filter (where extract(hour from ts) >= 12)", _part("count", where=_afternoon)),
    "sorted_out": _said("sum(case when vip then 100 when vip is null then 10 else 1 end)", _part("sum", _case)),
    "carts": _said("sum(cast(cart.total as decimal(10, 2)))", _part("sum", _total)),
    "users": _said("count(distinct user)", _part("distinct", lambda event: event["user"])),
    "prices": _said("count(distinct amount)", _part("distinct", _amount)),
    "mean": _said("avg(quantity)", _part("sum", _quantity), _part("count", _quantity), value=divide, tolerance=1e-15),
    "weights": _said("sum(weight)", _part("sum", _weight)),  # weights are such that their sums are exact in binary
    "middle": _said("quantile(amount, 0.5)", _part("quantile", _amount), tolerance=0.01),
    "tail": _said(
        "quantile(weight, 0.29) filter (where quantity > 5)", _part("quantile", _weight, where=_many, quantile="0.29"), tolerance=0.01
    ),
    "coarse": _said("sum(amount)", _part("sum", _amount, every_us=HOUR_US, by=("country",)), every="1h"),
    "sliding": _said("count(distinct user)", _part("distinct", lambda event: event["user"], over_us=5 * MINUTE_US), over="5m"),
    "swept": _said("sum(amount)", _part("sum", _amount, every_us=15 * MINUTE_US, over_us=2 * HOUR_US, by=("vip",)), every="15m", over="2h"),
    "level": _said("last(quantity)", _part("last", _quantity, over_us=5 * MINUTE_US, by=("tier",)), over="5m"),
}
KPIS |= {
    "basket": Said({"value": "revenue / events"}, Kpi((_REVENUE, _EVENTS), divide, 1e-15)),
    "share": Said({"value": "revenue / coarse"}, Kpi((_REVENUE, *KPIS["coarse"].kpi.parts), divide, 1e-15)),
    "sum_of_counts": Said(
        {"value": "2 * many + users"},
        Kpi((*KPIS["many"].kpi.parts, *KPIS["users"].kpi.parts), lambda many, users: None if many is None else 2 * many + users),
    ),
    "at_least": Said(
        {"value": "greatest(coalesce(pieces, 0), events)"},
        Kpi((*KPIS["pieces"].kpi.parts, _EVENTS), lambda pieces, events: None if events is None else max(pieces or 0, events)),
    ),
}


def definition(**rest: Any) -> Definition:
    """The shop's definition; `rest` are further sections."""
    source = {"http": {}, "time": "ts", "id": "id", "late": "10m", "idle": "2m", "fields": FIELDS}
    text = json.dumps({"sources": {"shop": source}, "kpis": {name: said.text for name, said in KPIS.items()}, **rest})
    return parse_definition(text.encode(), Path("shop.yaml"), {})
