"""How long trying alert rules on history takes: a year of one-minute buckets, ten rules, several of them by 5 to 20 series."""

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from bench.common import LIVEKPI, Report, arguments, main, median, run
from bench.feed import Sink
from livekpi.clock import ManualClock
from livekpi.definition.load import load
from livekpi.engine.plan import Grouping, Partial
from livekpi.store import positions
from livekpi.store.database import Store
from livekpi.store.layout import cells, quote, series
from livekpi.store.positions import ENDED_US, Position

DAYS = 365
DAY_US, EVERY_US = 86_400_000_000, 60_000_000
END_US = 1_772_409_600_000_000
TARGET_S = 20.0
DEFINITION = """\
sources:
  shop:
    http: {}
    time: ts
    fields:
      ts: timestamp
      event: string
      country: string
      service: string
      sku: string
      status: integer
      duration_ms: number
      amount: number
      level: integer
kpis:
  orders:     { value: count(*) filter (where event = 'purchase'), every: 1m, by: [country] }
  revenue:    { value: sum(amount), every: 1m, by: [country] }
  requests:   { value: count(*), every: 1m, by: [service] }
  error_rate: { value: count(*) filter (where status >= 500) / count(*), every: 1m, by: [service], good: down }
  slowest:    { value: max(duration_ms), every: 1m, by: [service], good: down }
  stock:      { value: last(level), every: 1m, by: [sku] }
alerts:
  orders_low:      { when: orders < 10, by: [country], for: 5m, notify: [am] }
  below_last_week: { when: "revenue < 0.7 * ago(revenue, 1w)", for: 5m, notify: [am] }
  country_fallen:  { when: "revenue < 0.3 * ago(revenue, 1w)", by: [country], for: 3m, notify: [am] }
  orders_rising:   { when: "rising(orders, 200, 1h)", for: 2m, notify: [am] }
  shop_silent:     { when: "absent(orders, 10m)", notify: [am] }
  service_silent:  { when: "absent(requests, 10m)", by: [service], notify: [am] }
  errors_high:     { when: error_rate > 0.1, by: [service], for: 1m, keep: 5m, notify: [am] }
  too_slow:        { when: slowest > 900, clear: slowest < 700, for: 2m, notify: [am] }
  falling:         { when: "falling(requests, 60, 10m)", by: [service], for: 2m, notify: [am] }
  stock_low:       { when: stock < 20, by: [sku], notify: [am] }
notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
keep: { 1m: 400d }
"""
SERIES = {"country": 20, "service": 5, "sku": 10}


def build(file: Path, data: Path, days: int) -> None:
    """Makes a store as it is after so many days, by writing partials into its tables.

    Numbers follow the hour; on one day in forty each series has a bad hour, and on one in ninety nothing comes at all for half an hour.
    """
    definition = load(file, os.environ)
    clock = ManualClock(END_US)
    store = Store.open(data, clock)
    groupings = list(Sink(definition, store, clock).plan.all())
    with store.transaction() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        for grouping in groupings:
            _insert(cursor, grouping, END_US - days * DAY_US, days)
        positions.save(cursor, 1, {("shop", definition.sources["shop"].origin): [Position("0", 0, END_US - 1, ENDED_US)]})
        cursor.execute("UPDATE engine SET alive_us = ?", [END_US])
    store.close()


def _insert(cursor: duckdb.DuckDBPyConnection, grouping: Grouping, begin_us: int, days: int) -> None:
    (dimension,) = grouping.by
    usual = "(100 + 60 * sin(2 * pi() * (minute % 1440) / 1440) + 10 * random())"
    cursor.execute(
        f"""CREATE TEMP TABLE buckets AS
            SELECT make_timestamp({begin_us} + minute * {EVERY_US}) AS bucket, '{dimension}' || lane AS d0, {usual} AS usual,
                   (minute // 1440 + 7 * lane) % 40 = 39 AND minute % 1440 BETWEEN 600 AND 660 AS bad
            FROM range({days * DAY_US // EVERY_US}) m(minute), range({SERIES[dimension]}) l(lane)
            WHERE NOT (minute // 1440 % 90 = 50 AND minute % 1440 BETWEEN 900 AND 930)"""
    )
    values = {"n": "usual"} | {partial.key: _value(partial, dimension) for partial in grouping.cells}
    columns = ", ".join(f"({values[column.name]})::{column.type} AS {quote(column.name)}" for column in cells(grouping).values)
    cursor.execute(f"INSERT INTO {quote(cells(grouping).name)} BY NAME SELECT bucket, d0, {columns} FROM buckets ORDER BY bucket")
    cursor.execute(f"INSERT INTO {quote(series(grouping))} BY NAME SELECT d0, min(bucket) AS first FROM buckets GROUP BY d0")
    cursor.execute("DROP TABLE buckets")


def _value(partial: Partial, dimension: str) -> str:
    """A partial's value: fewer of all things in a bad hour, but for what is wrong with them."""
    if partial.kind == "last":
        return "{'t': bucket, 'p': 0, 'v': CASE WHEN bad THEN 10 ELSE usual END}"
    if partial.kind == "max":
        return "CASE WHEN bad THEN 1000 ELSE 3 * usual END"
    if partial.where is not None and dimension == "service":
        return "usual / 50"
    return "CASE WHEN bad THEN usual / 20 ELSE usual END"


def measure(report: Report, options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="livekpi-bench-") as scratch:
        file, data = Path(scratch) / "shop.yaml", Path(scratch) / "data"
        file.write_text(DEFINITION, encoding="utf-8")
        begin = time.perf_counter()
        build(file, data, options.days)
        size_mib = sum(path.stat().st_size for path in data.glob("*")) / 2**20
        report.log(f"the store was made in {time.perf_counter() - begin:.0f} s and takes {size_mib:.0f} MiB")
        ran = [run([*LIVEKPI, "backtest", file, "--data", data, "--format", "json"]) for _ in range(options.repetitions)]
    for each in ran:
        report.log(f"{each.wall_s:.1f} s, {each.cpu_s:.1f} CPU-s, {each.peak_mib:.0f} MiB")
    report.figure(f"ten rules over {options.days} days", median(each.wall_s for each in ran), "s", at_most=TARGET_S)
    report.figure("memory at the peak", max(each.peak_mib for each in ran), "MiB")


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--repetitions", type=int, default=3)
    main("backtest", "Trying rules on history", measure, parser)
