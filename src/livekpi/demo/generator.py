"""A synthetic shop: events with a rhythm, with stock that runs down, with trouble now and then.

Pure: the seed and the times asked for decide everything, and how often it is asked decides nothing.
"""

import heapq
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

SECOND_US: Final = 1_000_000
TICK_US: Final = SECOND_US // 10
VISITS_PER_S: Final = 16.0
LATE_SHARE: Final = 0.02
REPEATED_SHARE: Final = 0.01
INCIDENT_EVERY_US: Final = 240 * SECOND_US
INCIDENT_AT_US: Final = 90 * SECOND_US
INCIDENT_LASTS_US: Final = 50 * SECOND_US

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    share: float
    """Its part of all visits, over a whole day."""
    utc_offset_h: int


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    typical_ms: float
    """The median duration."""
    error_share: float


@dataclass(frozen=True, slots=True)
class Incident:
    """For a while one service fails and slows down, and one country stops buying."""

    service: str
    country: str
    start_us: int
    end_us: int


COUNTRIES: Final = (
    Country("DE", 0.34, 1),
    Country("FR", 0.20, 1),
    Country("GB", 0.16, 0),
    Country("US", 0.20, -6),
    Country("JP", 0.10, 9),
)
SERVICES: Final = {
    service.name: service
    for service in (
        Service("web", 45, 0.002),
        Service("search", 80, 0.003),
        Service("cart", 60, 0.003),
        Service("checkout", 180, 0.006),
        Service("warehouse", 20, 0.0),
    )
}
PRICES_CENTS: Final = {"lamp": 2990, "chair": 8900, "desk": 24900, "mug": 1250, "plant": 1890, "rug": 12900, "clock": 3450, "shelf": 6990}
FULL_STOCK: Final = 120
REORDER_AT: Final = 30
USERS_PER_COUNTRY: Final = 2_000


def incident_at(seed: int, time_us: int) -> Incident | None:
    """The incident going on at a time; one begins every few minutes."""
    number, phase_us = divmod(time_us, INCIDENT_EVERY_US)
    if not INCIDENT_AT_US <= phase_us < INCIDENT_AT_US + INCIDENT_LASTS_US:
        return None
    choose = random.Random(f"{seed}/{number}")  # noqa: S311  # a synthetic shop keeps no secrets
    service = choose.choice(["web", "search", "cart", "checkout"])
    country = choose.choice([country.code for country in COUNTRIES])
    start_us = number * INCIDENT_EVERY_US + INCIDENT_AT_US
    return Incident(service, country, start_us, start_us + INCIDENT_LASTS_US)


def activity(country: Country, time_us: int) -> float:
    """How busy a country is, around 1: quiet at four in the morning there, busy in the evening, with a swell of 90 s."""
    hour = (time_us / SECOND_US / 3600 + country.utc_offset_h) % 24
    daily = 1 + 0.6 * math.cos((hour - 19) / 24 * math.tau) + 0.15 * math.cos((hour - 12) / 12 * math.tau)
    return max(0.1, daily) * (1 + 0.25 * math.sin(time_us / SECOND_US / 90 * math.tau))


@dataclass(frozen=True, slots=True, order=True)
class _Step:
    """Something that will happen in the shop."""

    time_us: int
    number: int
    event: str
    service: str
    country: str | None = None
    user_id: str = ""
    trace_id: str | None = None
    sku: str | None = None


class Shop:
    """The shop from `start_us` on; ask it with `until` for what has arrived since it was last asked."""

    def __init__(self, seed: int, start_us: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  # see above
        self._start_us = start_us
        self._tick_us = start_us
        self._numbers = 0
        self._steps: list[_Step] = []
        self._arriving: list[tuple[int, int, Event]] = []
        self._stock = {sku: self._random.randint(FULL_STOCK // 3, FULL_STOCK) for sku in PRICES_CENTS}

    def until(self, now_us: int) -> list[Event]:
        """The events that arrive up to `now_us`, in the order of their arrival; late and repeated ones among them."""
        while self._tick_us + TICK_US <= now_us:
            self._tick_us += TICK_US
            self._visits()
            while self._steps and self._steps[0].time_us < self._tick_us:
                self._happen(heapq.heappop(self._steps))
        arrived: list[Event] = []
        while self._arriving and self._arriving[0][0] < self._tick_us:
            arrived.append(heapq.heappop(self._arriving)[2])
        return arrived

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _visits(self) -> None:
        """Plans the visits that begin in the tick that ends now."""
        for country in COUNTRIES:
            begin_us = self._tick_us - TICK_US
            expected = VISITS_PER_S * TICK_US / SECOND_US * country.share * activity(country, begin_us)
            for _ in range(_poisson(self._random, expected)):
                self._visit(country.code, begin_us + self._random.randrange(TICK_US))

    def _visit(self, country: str, time_us: int) -> None:
        """Plans one visit: pages, perhaps a search, perhaps something in the cart, perhaps a purchase."""
        chance = self._random.random
        # The square makes some users regulars.
        user_id = f"{country.lower()}-{int(chance() ** 2 * USERS_PER_COUNTRY):04}"
        trace_id = f"{self._random.getrandbits(128):032x}"
        known_country = country if chance() > 0.01 else None

        def plan(event: str, service: str, sku: str | None = None) -> None:
            nonlocal time_us
            heapq.heappush(self._steps, _Step(time_us, self._number(), event, service, known_country, user_id, trace_id, sku))
            time_us += int(self._random.expovariate(1 / 2.5) * SECOND_US)

        plan("page_view", "web")
        while chance() < 0.55:
            plan("page_view", "web")
        if chance() < 0.3:
            plan("search", "search")
        if chance() < 0.3:
            sku = self._random.choice(list(PRICES_CENTS))
            plan("add_to_cart", "cart", sku)
            incident = incident_at(self._seed, time_us)
            willing = 0.1 if incident is not None and incident.country == country else 0.6
            if chance() < willing:
                plan("purchase", "checkout", sku)

    def _happen(self, step: _Step) -> None:
        """Makes the event of a step, and lets it arrive: mostly soon, sometimes late, sometimes twice."""
        event = self._event(step)
        delay_us = int(self._random.uniform(0.005, 0.08) * SECOND_US)
        if self._random.random() < LATE_SHARE:
            delay_us += int(self._random.uniform(5, 75) * SECOND_US)
        heapq.heappush(self._arriving, (step.time_us + delay_us, self._number(), event))
        if self._random.random() < REPEATED_SHARE:
            delay_us += int(self._random.uniform(0.5, 20) * SECOND_US)
            heapq.heappush(self._arriving, (step.time_us + delay_us, self._number(), event))

    def _event(self, step: _Step) -> Event:
        service = SERVICES[step.service]
        incident = incident_at(self._seed, step.time_us)
        hit = incident is not None and incident.service == step.service
        failed = self._random.random() < (0.45 if hit else service.error_share)
        duration_ms = service.typical_ms * math.exp(self._random.gauss(0, 0.5)) * (5 if hit else 1)
        event: dict[str, object] = {
            "ts": datetime.fromtimestamp(step.time_us / SECOND_US, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": step.event,
            "event_id": f"{self._start_us:x}-{step.number:x}",
            "user_id": step.user_id,
            "country": step.country,
            "service": step.service,
            "status": 503 if failed else 200,
            "duration_ms": round(duration_ms, 1),
            "trace_id": step.trace_id,
        }
        if step.event == "purchase" and step.sku is not None:
            event |= self._purchase(step.sku, failed=failed)
        elif step.event == "restock" and step.sku is not None:
            self._stock[step.sku] = FULL_STOCK
            event |= {"sku": step.sku, "level": FULL_STOCK, "user_id": "warehouse"}
        elif step.sku is not None:
            event["sku"] = step.sku
        return event

    def _purchase(self, sku: str, *, failed: bool) -> Event:
        """What a purchase adds to its event; stock falls with it, and is ordered anew when little is left."""
        if failed or self._stock[sku] == 0:
            return {"event": "purchase_failed", "sku": sku}
        items = min(self._random.choice((1, 1, 1, 2, 3)), self._stock[sku])
        before, self._stock[sku] = self._stock[sku], self._stock[sku] - items
        if before >= REORDER_AT > self._stock[sku]:
            delivered_us = self._tick_us + int(self._random.uniform(15, 60) * SECOND_US)
            heapq.heappush(self._steps, _Step(delivered_us, self._number(), "restock", "warehouse", sku=sku))
        return {
            "amount": items * PRICES_CENTS[sku] / 100,
            "sku": sku,
            "level": self._stock[sku],
            "cart": {"items": items, "coupon": self._random.choice((None, None, None, "SPRING"))},
        }


def _poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number of small mean (Knuth, The Art of Computer Programming, vol. 2, 3.4.1)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
