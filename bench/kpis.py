"""What more KPIs and more series cost: 200 KPIs beside 5 on one source, 100,000 live series beside 10."""

import argparse
import json
from functools import partial
from itertools import cycle, product
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import feed, shop
from bench.common import Report, arguments, interleaved, main, median, module, run

SOURCE = "stdin:"  # never opened: the events are handed to the engine
FIELDS = shop.FIELDS + feed.FIELDS
DIMENSIONS = ("", "country", "service", "country, service", "event")
CONDITIONS = (
    *(f"event = '{kind}'" for kind in shop.KINDS),
    *(f"status >= {status}" for status in (300, 400, 500)),
    *(f"service = '{service}'" for service in shop.SERVICES),
    "duration_ms > 100",
    "amount >= 50",
)
VALUES = {
    "count(*)": 120,
    "sum(amount)": 20,
    "avg(duration_ms)": 10,
    "max(duration_ms)": 10,
    "count(distinct user_id)": 20,
    "quantile(duration_ms, 0.95)": 20,
}
"""What is computed, and of how many KPIs that make 200."""
LANED = shop.KPIS.replace("by: [country]", "by: [lane]").replace("every: 1m }", "every: 1m, by: [lane] }")
"""The five KPIs of the shop work, each by lane."""


def many() -> str:
    """200 KPIs, each with a condition of its own, in ten groupings of bucket and dimensions."""
    values = (value for value, count in VALUES.items() for _ in range(count))
    cuts = cycle(product(("1m", "10s"), DIMENSIONS))
    lines = []
    for number, (value, (every, by), condition) in enumerate(zip(values, cuts, cycle(CONDITIONS), strict=False)):
        where = f"{condition} and duration_ms > {number / 10}"  # so that no two are equal, which would be kept once
        lines.append(f'  kpi_{number}: {{ value: "{value} filter (where {where})", every: {every}, by: [{by}] }}\n')
    return "".join(lines)


def measure(report: Report, options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="livekpi-bench-") as scratch:
        directory = Path(scratch)

        def take(name: str, kpis: str, lanes: int, events: int, limits: str = "") -> dict[str, float]:
            file = directory / f"{name}.yaml"
            file.write_text(shop.definition(SOURCE, kpis=kpis).replace(shop.FIELDS, FIELDS) + limits, encoding="utf-8")
            with TemporaryDirectory(dir=directory) as data:
                return dict(json.loads(run(module("feed", file, data, events, "--lanes", lanes)).output))

        runs = interleaved(
            options.repetitions,
            five=partial(take, "five", shop.KPIS, 10, options.events),
            many=partial(take, "many", many(), 10, options.events),
            ten=partial(take, "ten", LANED, 10, options.events),
            lanes=partial(take, "lanes", LANED, options.series, options.events, f"limits: {{ series: {options.series} }}\n"),
        )
    for name, each in runs.items():
        report.log(f"{name}: " + "; ".join(f"{ran['cpu_s']:.2f} CPU-s, {ran['wall_s']:.2f} s, {ran['peak_mib']:.0f} MiB" for ran in each))
    cost = {name: median(ran["cpu_s"] for ran in each) / options.events * 1e6 for name, each in runs.items()}
    peak = {name: max(ran["peak_mib"] for ran in each) for name, each in runs.items()}
    report.figure("5 KPIs, a million events", cost["five"], "CPU-s")
    report.figure("200 KPIs, a million events", cost["many"], "CPU-s")
    report.figure("200 KPIs : 5 KPIs", cost["many"] / cost["five"], "", at_most=10)
    report.figure("200 KPIs, peak of resident memory", peak["many"], "MiB")
    report.figure("10 series, a million events", cost["ten"], "CPU-s")
    report.figure(f"{options.series:,} series, a million events", cost["lanes"], "CPU-s")
    report.figure(f"{options.series:,} series : 10 series", cost["lanes"] / cost["ten"], "")
    report.figure(f"{options.series:,} series, peak of resident memory", peak["lanes"], "MiB", at_most=1536)
    kinds = ", ".join(f"{count} {value}" for value, count in VALUES.items())
    groupings = f"{runs['many'][0]['groupings']:.0f} groupings of bucket and dimensions"
    report.remark(f"The 200: {kinds}; each with a condition of its own, in {groupings}.")
    report.remark(f"{options.events:,} events, from JSON to compacted partials, in batches of {feed.BATCH_RECORDS:,}, without a source.")
    values = min(feed.BATCH_RECORDS, options.series)
    report.remark(f"The series are those of the five KPIs, all by one dimension, of which each batch has {values:,} values.")


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=2)
    main("kpis", "Many KPIs, many series", measure, parser)
