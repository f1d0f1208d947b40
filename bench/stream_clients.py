"""A thousand browsers that watch: from a commit to the arrival of its message, with some that read slowly beside them."""

import argparse
import http.client
import json
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from bench import shop
from bench.common import ROOT, Report, arguments, main, module
from bench.serving import Serving, serving

SUBSCRIPTIONS = 20
WARM_UP_S = 5
_FILES = 8_192
"""Sockets that a server of a thousand viewers has open, and more."""


def queries() -> Iterator[str]:
    """What pages ask for: three wants each, of which many pages share some and none all."""
    for number in range(SUBSCRIPTIONS):
        country = shop.COUNTRIES[number % len(shop.COUNTRIES)]
        page = (
            {"kpi": "events", "by": "country"} if number % 2 else {"kpi": "revenue", "by": "country", "step": "1h"},
            {"kpi": "users", "step": ("1m", "5m", "15m", "1h", "1d")[number % 5], "timezone": "Europe/Berlin"},
            {"kpi": "orders", "step": "1m" if number < len(shop.COUNTRIES) else "1d", "where": f"country = '{country}'"},
        )
        yield urlencode([("want", urlencode(want)) for want in page])


def post(server: Serving, rate: int, batch: int, seconds: float) -> int:
    """Posts events of now, `rate` bodies of `batch` a second; returns how many bodies."""
    connection, begun, sent = server.connect(), time.monotonic(), 0
    while (passed_s := time.monotonic() - begun) < seconds:
        if sent / rate > passed_s:
            time.sleep(sent / rate - passed_s)
        now_us = time.time_ns() // 1_000
        connection.request("POST", "/v1/events/shop", b"\n".join(shop.made([now_us] * batch, sent)))
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.ACCEPTED:
            raise RuntimeError(f"the door answered {answer.status}")
        sent += 1
    connection.close()
    return sent


def measure(report: Report, options: argparse.Namespace) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with TemporaryDirectory() as name:
        scratch = Path(name)
        file, asked, seen = scratch / "shop.yaml", scratch / "queries", scratch / "seen.json"
        file.write_text(shop.definition("http: {}") + "limits: { viewers: 5000 }\n", encoding="utf-8")
        asked.write_text("\n".join(queries()), encoding="utf-8")
        with serving(file, scratch / "data") as server:
            post(server, options.rate, options.events, 1)
            command = module("watchers", server.port, asked, options.clients, options.slow, seen)
            with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watching:
                assert watching.stdout is not None
                if watching.stdout.readline() != b"ready\n":
                    raise RuntimeError("the streams could not be opened")
                begun_s, cpu_s = time.time(), server.cpu_s()
                bodies = post(server, options.rate, options.events, options.seconds)
                cpu_s, resident_mib = server.cpu_s() - cpu_s, server.resident_mib()
                watching.communicate()  # which ends its input
            if watching.returncode:
                raise RuntimeError("the streams could not be watched")
        found = json.loads(seen.read_text(encoding="utf-8"))
    _tell(report, options, found, begun_s, bodies)
    report.figure("the server's processor time", cpu_s / options.seconds * 100, "% of one core")
    report.figure("the server's resident memory at the end", resident_mib, "MiB")


def _tell(report: Report, options: argparse.Namespace, found: dict[str, list[list[list[float]]]], begun_s: float, bodies: int) -> None:
    from_s = begun_s + min(WARM_UP_S, options.seconds / 2)
    delays = sorted(delay for watcher in found["seen"] for at, delay in watcher if at >= from_s)
    counts = [len(watcher) for watcher in found["seen"]]
    if not delays or min(counts) == 0:
        raise RuntimeError("some streams said nothing")
    report.log(
        f"{bodies} bodies in {options.seconds} s; messages a stream: {min(counts)} to {max(counts)}; those who read slowly: {found['slow']}"
    )
    for share, at_most in ((0.5, None), (0.99, 500)):
        value = delays[int(share * (len(delays) - 1))] * 1_000
        report.figure(f"commit to message, {options.clients:,} streams, p{share * 100:g}", value, "ms", at_most=at_most)
    report.figure("commit to message, the slowest", delays[-1] * 1_000, "ms")
    report.figure("messages a second and stream", sum(counts) / len(counts) / options.seconds, "/s")
    report.figure("the watchers' processor time", float(found["cpu_s"]) / options.seconds * 100, "% of one core")  # type: ignore[arg-type]
    report.remark(
        f"{options.rate} bodies of {options.events} events a second are posted; {options.clients:,} streams, of {SUBSCRIPTIONS} "
        f"subscriptions of three wants each, read as fast as they can, {options.slow} more slowly. All messages after the first "
        f"{WARM_UP_S} s count."
    )


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--rate", type=int, default=20, help="bodies a second, each a commit")
    parser.add_argument("--events", type=int, default=50, help="events a body")
    parser.add_argument("--seconds", type=int, default=30)
    main("stream_clients", "Streams", measure, parser)
