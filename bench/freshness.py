"""How soon an event can be seen: from Kafka's client at the producer to a message in /v1/stream, at a steady rate."""

import argparse
import json
import subprocess
import threading
import time
from array import array
from collections.abc import Iterator
from http.client import HTTPResponse

from bench import shop, steady
from bench.common import ROOT, Report, arguments, main, module
from bench.serving import Serving, serving

MARKER = "  newest:  { value: max(sequence), every: 10s, by: [lane] }\n"
"""Events of a lane keep their order, so its greatest number seen says that all before it are counted as well."""
WARM_UP_S = 5
Seen = list[tuple[int, int, int]]


def stream(server: Serving, query: str) -> HTTPResponse:
    """An open stream."""
    connection = server.connect()
    connection.request("GET", f"/v1/stream{query}")
    return connection.getresponse()


def watch(response: HTTPResponse, total: int) -> Seen:
    """(when in µs, lane, newest number) for each message that brings news, until the last of `total` events is seen."""
    seen: Seen = []
    newest = [-1] * shop.PARTITIONS
    for now_us, points in _messages(response):
        for point in points:
            lane, value = int(point["lane"]), int(point["value"])
            if value > newest[lane]:
                newest[lane] = value
                seen.append((now_us, lane, value))
        if sum(number // shop.PARTITIONS + 1 for number in newest) == total:
            return seen
    raise RuntimeError(f"the stream ended after the events {newest} of {total}")


def _messages(response: HTTPResponse) -> Iterator[tuple[int, list[dict[str, str]]]]:
    for line in response:
        if line.startswith(b"data: "):
            now_us = time.time_ns() // 1_000
            yield now_us, json.loads(line[6:]).get("points", [])


def delays_ms(sent_us: "array[int]", seen: Seen, from_number: int) -> list[float]:
    """How long each event took to be seen, sorted."""
    found = []
    for lane in range(shop.PARTITIONS):
        number = lane
        for now_us, _, value in (each for each in seen if each[1] == lane):
            while number <= value:
                if number >= from_number:
                    found.append((now_us - sent_us[number]) / 1e3)
                number += shop.PARTITIONS
    return sorted(found)


def measure(report: Report, options: argparse.Namespace) -> None:
    total = options.rate * options.seconds
    sent_us: array[int] = array("q")
    with shop.broker() as (kafka, scratch):
        kafka.create_topic("shop", shop.PARTITIONS)
        file, sent = scratch / "shop.yaml", scratch / "sent"
        text = shop.definition(shop.kafka(kafka.brokers, "shop"), kpis=shop.KPIS + MARKER)
        file.write_text(text.replace(shop.FIELDS, shop.FIELDS + steady.FIELDS), encoding="utf-8")
        with serving(file, scratch / "data") as server:
            response = stream(server, "?kpi=newest&by=lane")
            threading.Thread(target=_drain, args=(stream(server, ""),), daemon=True).start()
            cpu_s = server.cpu_s()
            with subprocess.Popen(module("steady", kafka.brokers, "shop", options.rate, total, sent), cwd=ROOT) as producer:
                seen = watch(response, total)
                producer.wait()
            cpu_s, resident_mib = server.cpu_s() - cpu_s, server.resident_mib()
        sent_us.frombytes(sent.read_bytes())
    found = delays_ms(sent_us, seen, options.rate * min(WARM_UP_S, options.seconds // 2))
    report.log(f"{total} events in {(sent_us[-1] - sent_us[0]) / 1e6:.1f} s, {len({now_us for now_us, _, _ in seen})} messages")
    for share, at_most in ((0.5, 100), (0.9, None), (0.99, 300), (0.999, None)):
        value = found[int(share * (len(found) - 1))]
        report.figure(f"produced to visible at {options.rate:,} events/s, p{share * 100:g}", value, "ms", at_most=at_most)
    report.figure("produced to visible, the slowest", found[-1], "ms")
    report.figure("livekpi's processor time", cpu_s / (sent_us[-1] - sent_us[0]) * 1e8, "% of one core")
    report.figure("livekpi's resident memory at the end", resident_mib, "MiB")
    report.remark(
        f"Every event after the first {WARM_UP_S} s is measured, from the call that hands it to the producer's client (linger 5 ms, "
        "acks all) to the arrival of the message that shows it. Five KPIs are computed beside the marker; a second viewer watches all."
    )


def _drain(response: HTTPResponse) -> None:
    while response.read(1 << 16):
        pass


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=60)
    main("freshness", "Freshness", measure, parser)
