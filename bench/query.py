"""How long an answer takes: 30 days of 10 s buckets of 20 series, to hours, by the query itself and over HTTP."""

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from bench import feed, shop
from bench.common import Report, arguments, main, median
from bench.serving import Serving, serving
from livekpi.clock import ManualClock
from livekpi.definition.load import load
from livekpi.engine.plan import Grouping, make_plan
from livekpi.query.points import Request
from livekpi.query.query import Query
from livekpi.store import positions
from livekpi.store.database import Store
from livekpi.store.layout import cells, quote, series, spread
from livekpi.store.positions import ENDED_US, Position

DAYS, SERIES = 30, 20
DAY_US, EVERY_US = 86_400_000_000, 10_000_000
BINS = 5
"""Bins a bucket and series, for the quantile."""
TARGET_MS = 150
KPIS = """\
  revenue:    { value: sum(amount), every: 10s, by: [lane] }
  error_rate: { value: count(*) filter (where status >= 500) / count(*), every: 10s, by: [lane] }
  p95:        { value: "quantile(duration_ms, 0.95)", every: 10s, by: [lane] }
keep: { 10s: 60d }
"""
END_US = shop.FIRST_US // EVERY_US * EVERY_US
BEGIN_US = END_US - DAYS * DAY_US


def build(file: Path, data: Path, days: int) -> None:
    """Makes a store as it is after so many days, by writing partials into its tables."""
    definition = load(file, os.environ)
    clock = ManualClock(END_US)
    store = Store.open(data, clock)
    (grouping,) = feed.Sink(definition, store, clock).plan.all()
    begin_us = END_US - days * DAY_US
    with store.transaction() as cursor:
        cursor.execute(
            f"""CREATE TEMP TABLE buckets AS SELECT make_timestamp({begin_us} + number * {EVERY_US}) AS bucket, lane::VARCHAR AS d0
                FROM range({days * DAY_US // EVERY_US}) b(number), range({SERIES}) l(lane)"""
        )
        _insert(cursor, grouping)
        cursor.execute("DROP TABLE buckets")
        source = definition.sources["shop"]
        positions.save(cursor, 1, {("shop", source.origin): [Position("0", 0, END_US - 1, ENDED_US)]})
        cursor.execute("UPDATE engine SET alive_us = ?", [END_US])
    store.close()


def _insert(cursor: duckdb.DuckDBPyConnection, grouping: Grouping) -> None:
    columns = ", ".join(f"(random() * 100)::{column.type} AS {quote(column.name)}" for column in cells(grouping).values)
    cursor.execute(f"INSERT INTO {quote(cells(grouping).name)} BY NAME SELECT bucket, d0, {columns} FROM buckets")
    cursor.execute(f"INSERT INTO {quote(series(grouping))} BY NAME SELECT d0, min(bucket) AS first FROM buckets GROUP BY d0")
    (bins,) = (spread(grouping, partial) for partial in grouping.spreads)
    cursor.execute(
        f"""INSERT INTO {quote(bins.name)} BY NAME
            SELECT bucket, d0, 131_200 + 20 * bin + (random() * 20)::INTEGER AS key, 4 AS n FROM buckets, range({BINS}) b(bin)"""
    )


def asked(file: Path, data: Path, kpi: str, repetitions: int) -> tuple[list[float], int]:
    """How long the query took each time, in ms, and how many points it gave."""
    definition = load(file, os.environ)
    store = Store.open_for_reading(data)
    plan, request = make_plan(definition), Request(kpi, from_us=BEGIN_US, to_us=END_US, step="1h", by=("lane",))

    def ask() -> int:
        cursor = store.cursor()
        count = len(Query(cursor, definition, plan, END_US).points(request).points)
        cursor.close()
        return count

    times, points = _timed(ask, repetitions)
    store.close()
    return times, points


def asked_over_http(server: Serving, kpi: str, repetitions: int) -> tuple[list[float], int]:
    """As `asked`, by a client with a connection that stays open."""
    connection = server.connect()

    def ask() -> int:
        connection.request("GET", f"/v1/kpis/{kpi}?step=1h&by=lane&from={BEGIN_US // 1_000_000}&to={END_US // 1_000_000}")
        return len(json.loads(connection.getresponse().read())["points"])

    return _timed(ask, repetitions)


def _timed(ask: Callable[[], int], repetitions: int) -> tuple[list[float], int]:
    times, points = [], 0
    for _ in range(repetitions):
        begin = time.perf_counter()
        points = ask()
        times.append((time.perf_counter() - begin) * 1e3)
    return times, points


def measure(report: Report, options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="livekpi-bench-") as scratch:
        file, data = Path(scratch) / "shop.yaml", Path(scratch) / "data"
        file.write_text(shop.definition("http:", kpis=KPIS).replace(shop.FIELDS, shop.FIELDS + feed.FIELDS), encoding="utf-8")
        begin = time.perf_counter()
        build(file, data, options.days)
        size_mib = sum(path.stat().st_size for path in data.glob("*")) / 2**20
        report.log(f"the store was made in {time.perf_counter() - begin:.0f} s and takes {size_mib:.0f} MiB")
        _ask_all(report, "", partial(asked, file, data), options)
        with serving(file, data) as server:
            _ask_all(report, ", over HTTP", partial(asked_over_http, server), options)
    rows = options.days * DAY_US // EVERY_US * SERIES
    report.remark(f"{rows / 1e6:.1f} million buckets; the median of {options.repetitions} answers, after one that is not counted.")
    report.remark(f"p95 is read from {BINS} bins a bucket and series: {rows * BINS / 1e6:.0f} million rows.")


def _ask_all(report: Report, how: str, ask: Callable[[str, int], tuple[list[float], int]], options: argparse.Namespace) -> None:
    for kpi in ("revenue", "error_rate", "p95"):
        times, points = ask(kpi, options.repetitions + 1)
        report.log(f"{kpi}{how}: {points} points, ms: {' '.join(f'{each:.0f}' for each in times)}")
        if points != options.days * 24 * SERIES:
            raise ValueError(f"{kpi}{how}: expected {options.days * 24 * SERIES} points, got {points}")
        at_most = TARGET_MS if kpi != "p95" else None
        report.figure(f"{kpi} by hour and series{how}", median(times[1:]), "ms", at_most=at_most)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--repetitions", type=int, default=20)
    main("query", "Asking", measure, parser)
