"""Worlds for the engine to be tried in: what arrives, in which order and pieces, and what befalls the server between."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.oracle.oracle import DAY_US, EPOCH, HOUR_US, MICROSECOND, Event, every
from tests.properties.shop import KPIS, MINUTE_US

ABSENT = object()
SECOND_US = 1_000_000
# days on which clocks change in Berlin and New York, one on which none does, and the first there is
BASES = ("2026-03-28T20:00", "2026-10-24T20:00", "2026-03-08T00:00", "2026-10-31T22:00", "2026-06-10T00:00", "1970-01-01T00:00")
_TEXTS = ("DE", "FR", "", "日本", "a'b", 'x"{}', "de", "\0", " ")
_LARGEST = 10**18 - 1


@dataclass(frozen=True)
class Record:
    """What is sent: an event's values, or something that is none."""

    values: Mapping[str, Any] | None = field(repr=False)
    raw: bytes

    @property
    def time_us(self) -> int:
        assert self.values is not None
        return int(self.values["ts"])


@dataclass(frozen=True)
class Act:
    """Something happens. What arrives (by partition) comes in one batch, cut into chunks of `cut` records."""

    kind: str
    """arrive, die (as arrive, but killed before the commit), restart, kill, compact, wait."""
    records: tuple[tuple[int, tuple[Record, ...]], ...] = ()
    cut: int = 100
    wait_us: int = 0


@dataclass(frozen=True)
class World:
    now_us: int
    """When it begins; no event is later."""
    times: tuple[int, ...]
    """Those of all events, so that one asks where something is."""
    acts: tuple[Act, ...]


_BROKEN = (b"", b"{", b'{"ts": "x"}', b"[]", b"\xff", b'{"ts": "2026-01-01T00:00:00"}', b"null", b'{"ts": 7}', b'{"id": 1}')


def random_values(random: Random) -> dict[str, Any]:
    """The fields of an event beside its time and id: each may be absent or null, and some are extreme."""
    carts: list[Any] = [{}, {"total": "12.34"}, {"total": "-0.5"}, {"total": "much"}, {"total": None}, [1], 7, "x"]
    drawn = {
        "country": random.choice(_TEXTS),
        "tier": random.randint(-1, 3),
        "vip": random.random() < 0.5,
        "amount": Decimal(random.choice([random.randint(-500, 500), random.randint(-500, 500), _LARGEST, -_LARGEST, 0])).scaleb(-2),
        "quantity": random.choice([random.randint(-2, 12), random.randint(-2, 12), 2**63 - 1, -(2**63), 0]),
        "weight": random.choice([random.randint(-(2**20), 2**20), random.randint(-3, 3)]) / 8,
        "user": random.choice(_TEXTS),
        "cart": random.choice(carts),
    }
    return {name: random.choice([value, value, value, value, None, ABSENT]) for name, value in drawn.items()}


def make_record(time_us: int, values: Mapping[str, Any]) -> Record:
    """An event as it is sent, and as the oracle takes it."""
    shown = ", ".join(f'"{name}": {_json(value)}' for name, value in values.items() if value is not ABSENT)
    time = (EPOCH + time_us * MICROSECOND).isoformat()
    return Record(
        {"ts": time_us} | {name: None if value is ABSENT else value for name, value in values.items()},
        f'{{"ts": "{time}"{", " * bool(shown)}{shown}}}'.encode(),
    )


def _json(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


@st.composite
def worlds(draw: st.DrawFn, waits_us: Sequence[int] = (0, 30 * SECOND_US, 3 * MINUTE_US)) -> World:
    """Worlds whose events lie within three days, in any order, with repeats and records that are none.

    The fields' values come from a random generator: what matters here is when and how events come, and what befalls the server.
    """
    base = (datetime.fromisoformat(draw(st.sampled_from(BASES)) + "Z") - EPOCH) // MICROSECOND
    span = draw(st.sampled_from([3 * DAY_US, 3 * HOUR_US, 10 * MINUTE_US]))
    random = Random(draw(st.integers(0, 2**32 - 1)))
    times = [base + random.choice([random.randrange(span), random.randrange(span // MINUTE_US) * MINUTE_US]) for _ in range(12)]
    ids = [make_record(random.choice(times), {"id": f"é{number}", **random_values(random)}) for number in range(3)]

    def record(choice: int) -> Record:
        if choice < len(times):
            return make_record(times[choice], random_values(random))
        return ids[choice - len(times)] if choice < len(times) + len(ids) else Record(None, random.choice(_BROKEN))

    records = st.lists(st.integers(0, len(times) + len(ids)).map(record), min_size=1, max_size=8).map(tuple)
    arrivals = st.dictionaries(st.integers(0, 2), records, min_size=1, max_size=2).map(lambda found: tuple(found.items()))
    arrive = st.builds(Act, st.sampled_from(["arrive", "arrive", "arrive", "die"]), arrivals, st.sampled_from([1, 3, 100]))
    other = st.builds(Act, st.sampled_from(["restart", "kill", "compact", "wait", "wait"]), wait_us=st.sampled_from(waits_us))
    acts = [
        draw(arrive),
        *draw(st.lists(st.tuples(other, arrive), min_size=2, max_size=5).map(lambda pairs: [act for pair in pairs for act in pair])),
    ]
    return World(base + span + HOUR_US, tuple(times), tuple(acts))


@dataclass(frozen=True)
class Ask:
    """A question about a KPI."""

    kpi: str
    step: str | None
    timezone: str
    by: tuple[str, ...]
    where: str | None
    around_us: int
    """Where fine steps are asked."""


SIZES_US = {
    "1m": MINUTE_US,
    "5m": 5 * MINUTE_US,
    "30m": 30 * MINUTE_US,
    "1h": HOUR_US,
    "2h": 2 * HOUR_US,
    "12h": 12 * HOUR_US,
    "1d": DAY_US,
    "2d": 2 * DAY_US,
    "1w": 7 * DAY_US,
}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
WHERES: dict[str, tuple[frozenset[str], Callable[[Event], bool | None]]] = {
    "country = 'DE'": (frozenset({"country"}), lambda event: event["country"] == "DE"),
    "country in ('a''b', '', 'x\"{}')": (frozenset({"country"}), lambda event: event["country"] in ("a'b", "", 'x"{}')),
    "country is null": (frozenset({"country"}), lambda event: event["country"] is None),
    "not vip": (frozenset({"vip"}), lambda event: event["vip"] is False),
    "vip or tier > 1": (frozenset({"vip", "tier"}), lambda event: event["vip"] or (event["tier"] is not None and event["tier"] > 1)),
    "tier between 0 and 2 and country <> 'FR'": (
        frozenset({"tier", "country"}),
        lambda event: event["tier"] in (0, 1, 2) and event["country"] not in ("FR", None),
    ),
}


def condition(where: str | None) -> Callable[[Event], bool | None]:
    """The oracle's counterpart of a condition."""
    return every if where is None else WHERES[where][1]


@st.composite
def asks(draw: st.DrawFn, times: Sequence[int], sizes: Sequence[str | None] = (None, "all", *SIZES_US)) -> Ask:
    """Questions that fit their KPI."""
    name = draw(st.sampled_from(sorted(KPIS)))
    kpi = KPIS[name].kpi
    step = draw(st.sampled_from([size for size in sizes if size in (None, "all") or SIZES_US[size] % kpi.every_us == 0]))
    by = draw(st.lists(st.sampled_from(kpi.by), unique=True, max_size=3)) if kpi.by else []
    wheres = [None, *(where for where, (needs, _) in WHERES.items() if needs <= set(kpi.by))]
    return Ask(name, step, draw(st.sampled_from(ZONES)), tuple(by), draw(st.sampled_from(wheres)), draw(st.sampled_from(times)))
