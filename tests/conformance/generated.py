"""A shop's 200,000 records: late ones, repeated ones, and broken ones of every kind that there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from tests.oracle.oracle import HOUR_US, Event
from tests.properties.shop import FIELDS, KPIS
from tests.properties.worlds import Record, make_record, random_values

SOURCE = "shop"
PARTITIONS = 3
_COUNT = 200_000
_LEFT_OUT = ("prices", "sliding", "swept", "level")
"""Windows are of the query, and different prices are too many to be different in a bucket."""
_BASE_US = 1_774_728_000_000_000
"""2026-03-28T20:00Z, five hours before clocks change in Berlin."""
_SPAN_US = 2 * HOUR_US
_TIME = '"ts":"2026-03-28T21:00:00Z"'
_DEEP = "[" * 600 + "]" * 600
BROKEN: tuple[bytes | None, ...] = (
    None,
    b"",
    b"   ",
    b"{",
    b"[]",
    b"7",
    b"null",
    b"\xff\xfe",
    f"{{{_TIME}}} and more".encode(),
    f"{{{_TIME}}}{{{_TIME}}}".encode(),
    f"[{{{_TIME}}}]".encode(),
    b"{'ts':'2026-03-28T21:00:00Z'}",
    b'{%b,"user":"\xff"}' % _TIME.encode(),
    b'{"user":"u1"}',
    b'{"ts":null}',
    b'{"ts":7}',
    b'{"ts":"x"}',
    b'{"ts":"2026-03-28T21:00:00"}',
    b'{"ts":"2026-02-30T12:00:00Z"}',
    b'{"ts":"1969-12-31T23:59:59Z"}',
    b'{"ts":"2200-01-01T00:00:00Z"}',
    b'{"ts":"2199-12-31T00:00:00Z"}',
    *(
        f"{{{_TIME},{rest}}}".encode()
        for rest in (
            '"quantity":"7"',
            '"quantity":1.5',
            '"quantity":7.0',
            '"quantity":true',
            '"quantity":[7]',
            '"quantity":9223372036854775808',
            '"quantity":"7","quantity":7',
            '"tier":1e2',
            '"amount":"1.50"',
            '"amount":1.505',
            '"amount":1e-3',
            '"amount":10000000000000000',
            '"weight":NaN',
            '"weight":"NaN"',
            '"weight":1e999',
            '"user":7',
            '"user":{}',
            '"vip":"true"',
            '"vip":1',
            f'"cart":{_DEEP}',
        )
    ),
    b'{%b,"user":"%b"}' % (_TIME.encode(), b"x" * (1 << 20)),
)
"""Records that are none, each otherwise."""
CODES = frozenset({"not_json", "no_value", "missing", "bad_time", "wrong_type", "invalid", "too_deep", "too_large", "ahead"})
"""Why a JSON record can be none. The others are of other formats."""


@dataclass(frozen=True)
class Generated:
    """By partition, what is sent; and what of it is right, and where it stands."""

    records: Mapping[int, tuple[bytes | None, ...]]
    events: tuple[Event, ...]
    broken: frozenset[tuple[str, int]]


@cache
def generated() -> Generated:
    """Always the same."""
    random = Random(4)
    records: dict[int, list[bytes | None]] = {partition: [] for partition in range(PARTITIONS)}
    events: list[Event] = []
    broken: set[tuple[str, int]] = set()
    sent: list[Record] = []
    for number in range(_COUNT):
        partition = random.randrange(PARTITIONS)
        place = partition, len(records[partition])
        drawn = random.random()
        if drawn < 0.03:
            records[partition].append(random.choice(BROKEN[:-1]) if random.random() < 0.999 else BROKEN[-1])  # few are large
            broken.add((str(partition), place[1]))
            continue
        record = random.choice(sent[-2_000:]) if drawn < 0.06 and sent else _event(random, number)
        sent.append(record)
        records[partition].append(record.raw)
        assert record.values is not None
        events.append(Event(record.time_us, place, record.values))
    return Generated({partition: tuple(found) for partition, found in records.items()}, tuple(events), frozenset(broken))


def _event(random: Random, number: int) -> Record:
    """Mostly about as late as its number; some of the same moment, some an hour late."""
    time_us = _BASE_US + number * _SPAN_US // _COUNT
    drawn = random.random()
    if drawn < 0.1:
        time_us = max(_BASE_US, time_us - random.randrange(HOUR_US))
    elif drawn < 0.3:
        time_us -= time_us % 10_000_000
    return make_record(time_us, random_values(random))


def sources() -> dict[str, Any]:
    """The source without its kind. Spark drops no repeats, so there is no `id`."""
    fields = {name: kind for name, kind in FIELDS.items() if name != "id"}
    return {SOURCE: {"time": "ts", "late": "10m", "idle": "2m", "fields": fields}}


def kpis() -> dict[str, Any]:
    """The oracle's KPIs, in larger buckets and of fewer dimensions: what is to be merged is much, not what comes of it.

    Those of KPIs have no source of their own.
    """
    return {name: _coarser(said.text) for name, said in KPIS.items() if name not in _LEFT_OUT}


def _coarser(text: Mapping[str, Any]) -> dict[str, Any]:
    if "every" not in text:
        return dict(text)
    finer = ("tier", "vip") if "quantile" in text["value"] else ("tier",)
    every = "15m" if text["every"] == "1m" else text["every"]
    return {**text, "source": SOURCE, "every": every, "by": [name for name in text["by"] if name not in finer]}
