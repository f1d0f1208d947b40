"""A week in fast-forward: whether memory and store stay as large as what is kept asks for.

`python -m bench.week --child FILE DATA` is one run in a process of its own, and prints what it saw each day as JSON.
"""

import argparse
import json
import math
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import psutil
from prometheus_client import CollectorRegistry

from bench import feed, shop
from bench.common import Report, arguments, main, module, run
from livekpi.clock import ManualClock
from livekpi.definition.load import load
from livekpi.engine.engine import Engine
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.store.database import FILE_NAME, Store
from livekpi.store.layout import quote

DAY_S = 86_400
STEP_S = 1_800
"""Simulated seconds a batch."""
KPIS = """\
  revenue:      { value: sum(amount), every: FINE, by: [country] }
  orders:       { value: count(*) filter (where event = 'purchase'), every: FINE, by: [country] }
  visits:       { value: count(*) filter (where event = 'page_view'), every: FINE, by: [country] }
  active_users: { value: count(distinct user_id), every: 1m, over: 5m, by: [country] }
  error_rate:   { value: count(*) filter (where status >= 500) / count(*), every: FINE, by: [service] }
  latency_p95:  { value: "quantile(duration_ms, 0.95)", every: FINE, by: [service] }
"""
IDS = "    id: event_id\n"
BEGIN_US = shop.FIRST_US // (DAY_S * 1_000_000) * DAY_S * 1_000_000
FINE_DAYS = 2
"""How long the default retention keeps buckets of 10 s, before it makes minutes of them."""


class Unread:
    """A source that is not read: its events are handed to the engine."""

    problem = None

    def start(self, positions: Mapping[str, int]) -> None: ...

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        return []

    def at_end(self) -> bool:
        return True

    def committed(self, positions: Mapping[str, int]) -> None: ...

    def lag(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None: ...


def counts(days: int, events_a_day: int) -> list[int]:
    """How many events each step has, for each partition as many: most at three in the afternoon, fewest at three at night."""
    hours = (step * STEP_S % DAY_S / 3_600 for step in range(days * DAY_S // STEP_S))
    shares = (1 + 0.7 * math.sin((hour - 9) / 24 * 2 * math.pi) for hour in hours)
    return [round(events_a_day * STEP_S / DAY_S * share / shop.PARTITIONS) * shop.PARTITIONS for share in shares]


def times_us(steps: list[int]) -> Iterator[int]:
    """The events' times, even within each step."""
    for step, count in enumerate(steps):
        for number in range(count):
            yield BEGIN_US + (step * count + number) * STEP_S * 1_000_000 // count


def simulate(file: Path, data: Path, days: int, events_a_day: int) -> list[dict[str, float]]:
    """Feeds so many days; resident memory and the store's size in MiB at the end of each, and what is left once the store is closed."""
    definition, steps = load(file, os.environ), counts(days, events_a_day)
    clock, stop, process = ManualClock(BEGIN_US), threading.Event(), psutil.Process()
    store = Store.open(data, clock)
    engine = Engine(definition, store, {"shop": Unread()}, clock, Metrics(CollectorRegistry()))
    engine.install()
    decoder = Decoder(definition.sources["shop"], engine.plan.fields("shop", definition))
    made, first, found = shop.made(times_us(steps), seed=1), 0, []
    for step, count in enumerate(steps, 1):
        clock.set_us(BEGIN_US + step * STEP_S * 1_000_000)
        engine.step([decoder.decode(feed.chunks(made, first, count), clock.now_us())], stop)
        first += count
        if step * STEP_S % DAY_S == 0:
            found.append({"resident": process.memory_info().rss / 2**20, "store": store.size_bytes() / 2**20})
    store.close()
    return [*found, {"store": (data / FILE_NAME).stat().st_size / 2**20, "copy": copy_mib(data / FILE_NAME)}]


def copy_mib(store: Path) -> float:
    """What a closed store takes once copied into a new file, which has nothing but what is kept."""
    copy = store.with_suffix(".copy")
    with duckdb.connect(copy) as connection:
        connection.execute(f"ATTACH '{store}' AS kept (READ_ONLY)")
        connection.execute(f"COPY FROM DATABASE kept TO {quote(copy.stem)}")
    return copy.stat().st_size / 2**20


def measure(report: Report, options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="livekpi-bench-") as scratch:

        def take(name: str, fine: str, source: str, days: int) -> list[dict[str, float]]:
            file = Path(scratch) / f"{name}.yaml"
            file.write_text(shop.definition("stdin:", kpis=KPIS.replace("FINE", fine), more=source), encoding="utf-8")
            arguments_ = ("--child", file, Path(scratch) / name, "--days", days, "--events-a-day", options.events_a_day)
            ran = run(module("week", *arguments_))
            report.log(f"{name}: {days} days in {ran.wall_s:.0f} s, {ran.cpu_s:.0f} CPU-s")
            found: list[dict[str, float]] = json.loads(ran.output)
            for number, each in enumerate(found[:-1], 1):
                report.log(f"  day {number}: resident {each['resident']:.0f} MiB, store {each['store']:.1f} MiB")
            report.log(f"  closed: store {found[-1]['store']:.1f} MiB, copied {found[-1]['copy']:.1f} MiB")
            return found

        week = take("week", "10s", IDS, options.days)
        # a day of each kind of thing kept, in stores of their own
        with_ids, fine, coarse = (take(*each, 1)[-1]["copy"] for each in (("ids", "10s", IDS), ("fine", "10s", ""), ("coarse", "1m", "")))
        empty = take("empty", "10s", IDS, 0)[-1]["copy"]
    *days, closed = week
    coarse_days = options.days - FINE_DAYS
    expected = empty + (with_ids - fine) + FINE_DAYS * (fine - empty) + coarse_days * (coarse - empty)
    resident = [day["resident"] for day in days]
    first = min(FINE_DAYS + 1, len(resident) - 1)  # the first day on which all is done: adding, rolling up, forgetting ids
    report.figure("the store after the week", closed["store"], "MiB")
    report.figure("what a day takes × retention", expected, "MiB")
    report.figure("the store after the week : a day × retention", closed["store"] / expected, "", at_most=1.2)
    report.figure("the store after the week : its copy in a new file", closed["store"] / closed["copy"], "")
    report.figure(f"resident memory after day {first + 1}", resident[first], "MiB")
    report.figure(f"resident memory after day {len(resident)} : after day {first + 1}", resident[-1] / resident[first], "", at_most=1.2)
    report.figure("largest store at a day's end, log of the last commits included", max(day["store"] for day in days), "MiB")
    report.remark(
        f"{options.events_a_day:,} events a day on {options.days} simulated days with their rhythm, a batch each {STEP_S} s, six KPIs, ids "
        "remembered for 24 h, default retention: 10 s for 2 days, then minutes."
    )
    report.remark(
        f"A day × retention: an empty store ({empty:.1f} MiB), the ids of one day ({with_ids - fine:.1f}), {FINE_DAYS} days at 10 s "
        f"({fine - empty:.1f} each) and {coarse_days} at 1 m ({coarse - empty:.1f} each); each as in a store that holds only that, copied "
        "into a new file. The week's store is measured as it is once closed: what it has beyond that is what roll-up, deletion and "
        "compaction leave behind."
    )


def main_or_child() -> None:
    """The benchmark, or one run of it."""
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--events-a-day", type=int, default=300_000)
    parser.add_argument("--child", nargs=2, type=Path, metavar=("FILE", "DATA"), help=argparse.SUPPRESS)
    options, _ = parser.parse_known_args()
    if options.child:
        file, data = options.child
        print(json.dumps(simulate(file, data, options.days, options.events_a_day)))
    else:
        main("week", "A week in fast-forward", measure, parser)


if __name__ == "__main__":
    main_or_child()
