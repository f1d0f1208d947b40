"""Alerts: how soon an event's alert is at Alertmanager under load, and what judging rules and learning series cost."""

import argparse
import json
import os
import random
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import alert_load, shop
from bench.common import ROOT, Report, arguments, main, module
from bench.feed import Sink
from bench.serving import serving
from livekpi.alerts.judging.desk import Desk, Outcome
from livekpi.clock import ManualClock
from livekpi.commit import Commit
from livekpi.definition.load import load
from livekpi.sources.base import Chunk
from livekpi.store.database import Store
from tests.alerts.http_receiver import Answer, HttpReceiver, Request
from tests.servers.alertmanager_server import AlertmanagerServer, start_alertmanager

SECOND_US = 1_000_000
BEGIN_US = 1_772_409_600_000_000
WARM_UP_S = 8
STEPS_A_SECOND = 5
"""How often rules are looked at, at most, while events keep coming; see livekpi.alerts.judging.watch.REST_S."""

Taken = list[tuple[int, str, str]]
"""When (µs) Alertmanager took an alert, which (its sku), and its `endsAt`."""

STOCK = "  stock: { value: last(level), every: 10s, by: [sku] }\n"
STOCK_LOW = """\
alerts:
  stock_low: {{ when: stock < 20, by: [sku], for: 0s, notify: [am] }}
notify:
  am: {{ alertmanager: {{ urls: ["{url}"] }} }}
"""
SERIES = 200
RULES = """\
sources:
  shop:
    http: {}
    time: ts
    fields: { ts: timestamp, service: string, status: integer, duration_ms: number, amount: number, level: integer }
kpis:
  requests:   { value: count(*), every: 10s, by: [service] }
  errors:     { value: count(*) filter (where status >= 500), every: 10s, by: [service], good: down }
  error_rate: { value: count(*) filter (where status >= 500) / count(*), every: 10s, by: [service], good: down }
  slowest:    { value: max(duration_ms), every: 10s, by: [service], good: down }
  revenue:    { value: sum(amount), every: 10s, by: [service] }
  stock:      { value: last(level), every: 10s, by: [service] }
alerts:
  errors_many:    { when: errors > 3, by: [service] }
  errors_stay:    { when: errors > 2, clear: errors < 1, by: [service], keep: 1m }
  errors_high:    { when: error_rate > 0.5, by: [service], for: 20s }
  too_slow:       { when: slowest > 4000, by: [service] }
  poor:           { when: revenue < 50, by: [service], for: 30s }
  idle:           { when: requests < 2, by: [service] }
  busy_but_poor:  { when: requests > 4 and revenue / requests < 20, by: [service] }
  requests_fallen: { when: "falling(requests, 70, 1m)", by: [service] }
  below_before:   { when: "revenue < 0.3 * ago(revenue, 5m)", by: [service], for: 20s }
  stock_low:      { when: stock < 20, by: [service] }
"""
LEARNED = 1_000
ODD = """\
sources:
  shop:
    http: {}
    time: ts
    fields: { ts: timestamp, sku: string, amount: number }
kpis:
  revenue: { value: sum(amount), every: 1m, by: [sku] }
alerts:
  odd: { when: anomalous(revenue), by: [sku] }
"""


class Told:
    """Stands before a real Alertmanager: passes on what is posted, and keeps when what was in it was taken."""

    def __init__(self, behind: AlertmanagerServer) -> None:
        self.taken: Taken = []
        self._behind = behind

    def __call__(self, request: Request) -> Answer:
        connection = HTTPConnection("127.0.0.1", self._behind.port, timeout=5)
        try:
            connection.request("POST", request.path, request.body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        now_us = time.time_ns() // 1_000
        if response.status == 200:
            self.taken += [(now_us, alert["labels"]["sku"], alert["endsAt"]) for alert in request.json]
        return Answer(response.status, body=body)


def told_after_ms(falls: Iterable[tuple[str, int]], taken: Taken) -> tuple[list[float], int]:
    """How long each fall took until Alertmanager had it as firing, sorted; and how many never came.

    A sku is full again for seconds before it falls, so that what fires after a fall is that fall's.
    """
    found: list[float] = []
    missing = 0
    for sku, fell_us in falls:
        first = next((at_us for at_us, name, ends in taken if name == sku and at_us > fell_us and _fires(at_us, ends)), None)
        if first is None:
            missing += 1
        else:
            found.append((first - fell_us) / 1e3)
    return sorted(found), missing


def _fires(at_us: int, ends: str) -> bool:
    return datetime.fromisoformat(ends).timestamp() * SECOND_US > at_us


def measure_telling(report: Report, rate: int, seconds: int) -> None:
    """From Kafka's client to Alertmanager's answer, while other events come."""
    with shop.broker() as (kafka, scratch), TemporaryDirectory(prefix="livekpi-bench-") as own, HttpReceiver() as front:
        alertmanager = start_alertmanager(Path(own), front.url + "/ignored")
        told = Told(alertmanager)
        front.usual = lambda request: told(request) if request.path.startswith("/api/") else Answer()
        kafka.create_topic("shop", shop.PARTITIONS)
        file = scratch / "shop.yaml"
        text = shop.definition(shop.kafka(kafka.brokers, "shop"), kpis=shop.KPIS + STOCK)
        file.write_text(text.replace(shop.FIELDS, shop.FIELDS + alert_load.FIELDS) + STOCK_LOW.format(url=front.url), encoding="utf-8")
        try:
            with serving(file, scratch / "data") as server:
                load_ = module("steady", kafka.brokers, "shop", rate, rate * (seconds + WARM_UP_S + 2), scratch / "sent")
                with subprocess.Popen(load_, cwd=ROOT) as steady:
                    time.sleep(WARM_UP_S)  # what is measured is the steady state
                    cpu_s, begun = server.cpu_s(), time.monotonic()
                    subprocess.run(module("alert_load", kafka.brokers, "shop", seconds, scratch / "falls"), cwd=ROOT, check=True)
                    cpu_s, wall_s = server.cpu_s() - cpu_s, time.monotonic() - begun
                    steady.wait()
                time.sleep(2)  # the last ones may be on their way
        finally:
            alertmanager.close()
        falls = [(str(sku), int(at_us)) for sku, at_us in json.loads((scratch / "falls").read_text(encoding="utf-8"))]
    found, missing = told_after_ms(falls, told.taken)
    if missing:
        raise RuntimeError(f"{missing} of {len(falls)} alerts never came to Alertmanager")
    for share, at_most in ((0.5, None), (0.9, None), (0.99, 1_000)):
        value = found[int(share * (len(found) - 1))]
        report.figure(f"event to Alertmanager at {rate:,} events/s, p{share * 100:g}", value, "ms", at_most=at_most)
    report.figure("event to Alertmanager, the slowest", found[-1], "ms")
    report.figure("livekpi's processor time meanwhile", cpu_s / wall_s * 100, "% of one core")
    report.remark(
        f"{len(found)} falls of a stock below its threshold (`when: stock < 20`, by sku, `for: 0s`), each from the call that hands the "
        "event to the producer's client (linger 5 ms, acks all) to a real Alertmanager's 200 for the post in which it fires; the post goes "
        "through a relay that keeps the time. Five other KPIs are computed of all events."
    )


@dataclass
class Step:
    """One look at the rules."""

    wall_ms: float
    cpu_ms: float
    outcome: Outcome


class World:
    """Engine's parts and a desk in this process, under a clock that is set: what is timed is the desk's step alone."""

    def __init__(self, text: str, directory: Path) -> None:
        file = directory / "shop.yaml"
        file.write_text(text, encoding="utf-8")
        definition = load(file, os.environ)
        self.clock = ManualClock(BEGIN_US)
        self._store = Store.open(directory / "data", self.clock)
        self._sink = Sink(definition, self._store, self.clock)
        self._decoder = self._sink.decoder(definition, "shop")
        self.desk = Desk(definition, self._sink.plan, self._store.beside, self.clock)
        self._read = self._commits = 0

    def feed(self, records: Sequence[bytes], now_us: int, buckets_us: Iterable[int]) -> None:
        """Commits events, of those buckets."""
        self.clock.set_us(now_us)
        until = self._read + len(records)
        batch = [self._decoder.decode([Chunk("0", list(records), range(self._read, until), until)], now_us)]
        if batch[0].table.num_rows != len(records):
            raise RuntimeError(f"{len(records) - batch[0].table.num_rows} events are none")
        self._sink.write(batch)
        self._read, self._commits = until, self._commits + 1
        touched = frozenset(buckets_us)
        self.desk.arrivals.observe(batch)
        self.desk.on_commit(Commit(self._commits, now_us, {grouping.key: touched for grouping in self._sink.plan.all()}))

    def step(self) -> Step:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        outcome = self.desk.step()
        return Step((time.perf_counter() - wall_s) * 1e3, (time.process_time() - cpu_s) * 1e3, outcome)

    def close(self) -> None:
        self._store.close()


@contextmanager
def world(text: str) -> Iterator[World]:
    with TemporaryDirectory(prefix="livekpi-bench-") as scratch:
        made = World(text, Path(scratch))
        try:
            yield made
        finally:
            made.close()


def record(time_us: int, **fields: object) -> bytes:
    return json.dumps({"ts": datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(), **fields}).encode()


def judged(text: str, buckets: int) -> Iterator[Step]:
    """A look at the rules after each third of a bucket."""
    rng = random.Random(1)
    third_us = 10 * SECOND_US // 3
    with world(text) as made:
        bad: Mapping[int, bool] = {}
        for number in range(3 * buckets):
            begin_us = BEGIN_US + number * third_us
            if number % 3 == 0:
                bad = {service: rng.random() < 0.02 for service in range(SERIES)}
            rows = [_request(rng, begin_us + rng.randrange(third_us), service, bad[service]) for service in range(SERIES) for _ in range(2)]
            made.feed([text for _, text in sorted(rows)], begin_us + third_us, [begin_us // (10 * SECOND_US) * 10 * SECOND_US])
            yield made.step()


def _request(rng: random.Random, time_us: int, service: int, bad: bool) -> tuple[int, bytes]:
    duration_ms = rng.uniform(1_000, 5_000) if bad else rng.uniform(5, 500)
    amount, level = (0, rng.randrange(40)) if bad else (rng.randrange(20, 200), rng.randrange(20, 400))
    fields = {"service": f"service-{service}", "status": 500 if bad else 200, "duration_ms": duration_ms, "amount": amount, "level": level}
    return time_us, record(time_us, **fields)


def measure_judging(report: Report, buckets: int) -> None:
    """Ten rules over 200 series each."""
    steps = list(judged(RULES, buckets + 10))[30:]
    full = sorted(step.wall_ms for step in steps if step.outcome.judged == 10)
    between = sorted(step.wall_ms for step in steps if step.outcome.judged < 10)
    changed = sum(len(step.outcome.changed) for step in steps)
    report.log(f"{len(full)} full steps, {len(between)} between; {changed} alerts began or ended")
    report.log(f"CPU of a full step, median: {_at(sorted(s.cpu_ms for s in steps if s.outcome.judged == 10), 0.5):.1f} ms")
    report.figure("a step that judges 10 rules × 200 series, median", _at(full, 0.5), "ms", at_most=50)
    report.figure("the same, p95", _at(full, 0.95), "ms")
    report.figure("a step between, which judges the open bucket of the level rule, median", _at(between, 0.5), "ms")


def measure_learning(report: Report, hours: int, minutes: int) -> None:
    """A thousand series of which it is learned what is usual."""
    rng = random.Random(1)

    def minute(begin_us: int) -> list[bytes]:
        offsets = sorted(rng.sample(range(60 * SECOND_US), LEARNED))
        return [record(begin_us + at, sku=f"sku-{place}", amount=rng.uniform(50, 150)) for place, at in enumerate(offsets)]

    with world(ODD) as made:
        for number in range(hours * 60):
            begin_us = BEGIN_US + number * 60 * SECOND_US
            made.feed(minute(begin_us), begin_us + 60 * SECOND_US, [begin_us])
        begun = time.process_time()
        while made.step().outcome.more:
            pass
        report.figure(f"learning {hours} h of {LEARNED:,} series at once", time.process_time() - begun, "CPU-s")
        full: list[float] = []
        between: list[float] = []
        for number in range(hours * 60, hours * 60 + minutes):
            begin_us = BEGIN_US + number * 60 * SECOND_US
            rows = minute(begin_us)
            for part in range(4):
                own = rows[part * LEARNED // 4 : (part + 1) * LEARNED // 4]
                made.feed(own, begin_us + (part + 1) * 15 * SECOND_US, [begin_us])
                step = made.step()
                (full if step.outcome.judged else between).append(step.cpu_ms)
    per_minute = sum(full) / minutes
    report.log(f"{len(full)} steps that learned or judged, {len(between)} between")
    report.figure(f"learning and judging {LEARNED:,} series a minute", per_minute / 600, "% of one core", at_most=5)
    report.figure(
        f"{STEPS_A_SECOND} steps a second between, with nothing to judge", _at(sorted(between), 0.5) * STEPS_A_SECOND / 10, "% of one core"
    )


def _at(found: Sequence[float], share: float) -> float:
    return found[int(share * (len(found) - 1))]


def measure(report: Report, options: argparse.Namespace) -> None:
    measure_judging(report, options.buckets)
    measure_learning(report, options.hours, options.minutes)
    measure_telling(report, options.rate, options.seconds)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--buckets", type=int, default=60)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--minutes", type=int, default=20)
    main("alerts", "Alerts", measure, parser)
