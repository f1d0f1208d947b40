"""The shop work from real Kafka: livekpi beside the loop that people write by hand, and what each stage costs."""

import argparse
import json
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path

from bench import shop
from bench.common import LIVEKPI, STAGES, Ran, Report, arguments, interleaved, main, median, module, run
from tests.servers.kafka_server import KafkaServer

EXACT = ("events", "revenue", "orders", "users")
Numbers = dict[str, dict[str, dict[str, float]]]


class Bench:
    """Topics in a broker, and runs over them, each in a process and a data directory of its own."""

    def __init__(self, server: KafkaServer, scratch: Path) -> None:
        self._server, self._scratch = server, scratch
        self._numbers = count()
        self.data = scratch

    def topic(self, name: str, events: int, more: str = "") -> Path:
        """A definition file over a topic with so many events."""
        if name not in self._server.admin.list_topics().topics:
            shop.fill(self._server, name, events)
        file = self._scratch / f"{name}{len(more)}.yaml"
        file.write_text(shop.definition(shop.kafka(self._server.brokers, name), more=more), encoding="utf-8")
        return file

    def livekpi(self, file: Path) -> Ran:
        self.data = self._scratch / f"data{next(self._numbers)}"
        return run([*LIVEKPI, "run", file, "--once", "--data", self.data])

    def by_hand(self, topic: str) -> Ran:
        return run(module("by_hand", self._server.brokers, topic))

    def stage(self, file: Path, stage: str) -> dict[str, float]:
        return dict(json.loads(run(module("stages", stage, file, self._scratch / f"data{next(self._numbers)}")).output))

    def numbers(self) -> Numbers:
        """What livekpi says after its last run, as `by_hand` prints it."""
        found: Numbers = {}
        for kpi in (*EXACT, "p95"):
            by = ["--by", "country"] if kpi in EXACT and kpi != "users" else []
            output = run([*LIVEKPI, "query", kpi, "--data", self.data, "--step", "1m", "--format", "json", *by]).output
            for point in map(json.loads, output.splitlines()):
                found.setdefault(kpi, {}).setdefault(point.get("country", ""), {})[point["time"][:16]] = float(point["value"])
        return found


def compare(mine: Numbers, theirs: Numbers) -> None:
    """Raises ValueError where the two do not say the same."""
    for kpi, allowed in [*((kpi, 1e-9) for kpi in EXACT), ("p95", 0.01)]:
        ours, others = _flat(mine[kpi]), _flat(theirs[kpi])
        if ours.keys() != others.keys():
            raise ValueError(f"{kpi}: only one of livekpi and the loop by hand has {sorted(ours.keys() ^ others.keys())[:5]}")
        for point, value in ours.items():
            if abs(value - others[point]) > allowed * abs(others[point]):
                raise ValueError(f"{kpi} {point}: livekpi says {value}, the loop by hand {others[point]}")


def _flat(found: dict[str, dict[str, float]]) -> dict[tuple[str, str], float]:
    return {(series, minute): value for series, minutes in found.items() for minute, value in minutes.items()}


def measure(report: Report, options: argparse.Namespace) -> None:
    with shop.broker() as (server, scratch):
        bench = Bench(server, scratch)
        report.log(f"{options.events} events, {options.repetitions} repetitions")
        file, nothing = bench.topic("shop", options.events), bench.topic("nothing", 0)
        runs = interleaved(
            options.repetitions,
            nothing=partial(bench.livekpi, nothing),
            nothing_by_hand=partial(bench.by_hand, "nothing"),
            by_hand=partial(bench.by_hand, "shop"),
            livekpi=partial(bench.livekpi, file),
        )
        for name, each in runs.items():
            report.log(f"{name}: " + "; ".join(f"{ran.cpu_s:.2f} CPU-s, {ran.wall_s:.2f} s, {ran.peak_mib:.0f} MiB" for ran in each))
        compare(bench.numbers(), json.loads(runs["by_hand"][-1].output))
        report.remark("Both gave the same numbers: counts, sums and distinct users exactly, p95 within 1 %.")
        _costs(report, runs, options.events / 1e6)
        _stages(report, bench, file, options)
        _with_ids(report, bench, bench.topic("shop", options.events, "    id: event_id\n"), options)


def _costs(report: Report, runs: dict[str, list[Ran]], millions: float) -> None:
    cpu_s = {name: median(ran.cpu_s for ran in each) for name, each in runs.items()}
    wall_s = {name: median(ran.wall_s for ran in each) for name, each in runs.items()}
    mine = (cpu_s["livekpi"] - cpu_s["nothing"]) / millions
    theirs = (cpu_s["by_hand"] - cpu_s["nothing_by_hand"]) / millions
    report.figure("livekpi, a million events", mine, "CPU-s", at_most=2.5)
    report.figure("the loop by hand, a million events", theirs, "CPU-s")
    report.figure("livekpi : the loop by hand", mine / theirs, "")
    report.figure("livekpi, speed", millions * 1e6 / (wall_s["livekpi"] - wall_s["nothing"]), "events/s", at_least=400_000)
    report.figure("the loop by hand, speed", millions * 1e6 / (wall_s["by_hand"] - wall_s["nothing_by_hand"]), "events/s")
    report.figure("livekpi, peak of resident memory", max(ran.peak_mib for ran in runs["livekpi"]), "MiB", at_most=700)
    report.figure("the loop by hand, peak of resident memory", max(ran.peak_mib for ran in runs["by_hand"]), "MiB")
    report.figure("livekpi, from start to end with no events", cpu_s["nothing"], "CPU-s")
    report.figure("livekpi, from start to end with no events, wall", wall_s["nothing"], "s")
    report.figure("the loop by hand, from start to end with no events", cpu_s["nothing_by_hand"], "CPU-s")
    report.figure("livekpi with its start, a million events", cpu_s["livekpi"] / millions, "CPU-s")
    report.remark("Costs and speeds are those of a whole process less those of one that found no events.")


def _stages(report: Report, bench: Bench, file: Path, options: argparse.Namespace) -> None:
    runs = interleaved(options.repetitions, **{stage: partial(bench.stage, file, stage) for stage in STAGES})
    before = 0.0
    for stage, each in runs.items():
        if any(found["records"] != options.events for found in each):
            raise ValueError(f"{stage}: expected {options.events} records, read {[found['records'] for found in each]}")
        report.log(f"{stage}: " + "; ".join(f"{found['cpu_s']:.2f} CPU-s, {found['wall_s']:.2f} s" for found in each))
        cost = median(found["cpu_s"] for found in each) / options.events * 1e6
        report.figure(f"stage {stage}, a million events", cost - before, "CPU-s")
        before = cost
    lines: Sequence[tuple[str, float]] = [*dict(runs[STAGES[-1]][-1]["lines"]).items()]  # type: ignore[call-overload]
    for line, share in lines:
        report.log(f"{share:6.1%} {line}")
    report.remark("The dearest lines, with all that they call: " + "; ".join(f"`{line}` {share:.0%}" for line, share in lines[:3]) + ".")


def _with_ids(report: Report, bench: Bench, file: Path, options: argparse.Namespace) -> None:
    ran = bench.livekpi(file)
    report.figure("livekpi that also drops repeats by `id`, with its start, a million events", ran.cpu_s / options.events * 1e6, "CPU-s")
    report.figure("livekpi that also drops repeats by `id`, peak of resident memory", ran.peak_mib, "MiB")


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    main("kafka", "From Kafka to committed partials", measure, parser)
