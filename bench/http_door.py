"""Events through the HTTP door: bodies of 1,000 and one event a request, each answered once it is synced to disk."""

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import shop
from bench.common import Report, arguments, main, median
from bench.serving import Serving, serving

BODY_EVENTS = 1_000
BODIES = 20  # sent again and again
SETTLE_S = 120.0


@dataclass
class Sent:
    """What a load generator has seen."""

    events: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    answers_s: list[float] = field(default_factory=list)
    """How long each answer took."""
    wall_s: float = 0.0

    def answer_ms(self, share: float) -> float:
        return sorted(self.answers_s)[int(share * (len(self.answers_s) - 1))] * 1_000


def request(events: Sequence[bytes]) -> bytes:
    body = b"\n".join(events)
    return b"POST /v1/events/shop HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@dataclass(frozen=True)
class Kind:
    """One way to send events."""

    name: str
    requests: Sequence[bytes]
    events_each: int
    connections: int
    server_core: int | None = None
    """The core that the server has to itself; None where it may use all."""
    sender_core: int | None = None


async def load(port: int, kind: Kind, seconds: float) -> Sent:
    """Sends requests over connections that each wait for an answer before the next."""
    sent, waiting = Sent(), cycle(kind.requests)
    begun = time.perf_counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        while (started := time.perf_counter()) - begun < seconds:
            writer.write(next(waiting))
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            lengths = [int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(lengths[0])
            sent.answers_s.append(time.perf_counter() - started)
            sent.statuses[status] += 1
            sent.events += kind.events_each if status == 202 else 0
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one() for _ in range(kind.connections)))
    sent.wall_s = time.perf_counter() - begun
    return sent


def settle(server: Serving, events: int) -> None:
    """Waits until all events are counted; raises ValueError where they never are, or are more."""
    deadline = time.monotonic() + SETTLE_S
    while (found := counted(server)) != events:
        if found > events or time.monotonic() > deadline:
            raise ValueError(f"{events} events were answered 202, {found} are counted")
        time.sleep(0.1)


def counted(server: Serving) -> int:
    connection = server.connect()
    connection.request("GET", "/v1/kpis/events?step=all")
    points = json.loads(connection.getresponse().read())["points"]
    connection.close()
    return int(points[0]["value"]) if points else 0


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """This process, and those it starts, on one core; None for any."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(report: Report, kind: Kind, options: argparse.Namespace) -> Sent:
    """Sends to a server of its own, and checks that it counts what it answered for, once."""
    with TemporaryDirectory(dir=options.scratch) as scratch, ExitStack() as stack:
        file = Path(scratch) / "shop.yaml"
        file.write_text(shop.definition("http: {}"), encoding="utf-8")
        with on_core(kind.server_core):
            server = stack.enter_context(serving(file, Path(scratch) / "data"))
        with on_core(kind.sender_core):
            warm = asyncio.run(load(server.port, kind, 1.0))
            settle(server, warm.events)
            cpu_s = server.cpu_s()
            sent = asyncio.run(load(server.port, kind, options.seconds))
        ended = time.perf_counter()
        settle(server, warm.events + sent.events)
        settled_s = time.perf_counter() - ended
        report.log(
            f"{kind.name}: {sent.events / sent.wall_s:,.0f} events/s in {len(sent.answers_s) / sent.wall_s:,.0f} requests/s, "
            f"answered after {sent.answer_ms(0.5):.1f} ms (p50), {sent.answer_ms(0.99):.1f} ms (p99), statuses {dict(sent.statuses)}; "
            f"all counted {settled_s:.1f} s later; {(server.cpu_s() - cpu_s) / sent.events * 1e6:.2f} CPU-s a million events, "
            f"{server.resident_mib():.0f} MiB"
        )
        return sent


def measure(report: Report, options: argparse.Namespace) -> None:
    events = list(shop.events(BODY_EVENTS * BODIES))
    bodies = [request(events[begin : begin + BODY_EVENTS]) for begin in range(0, len(events), BODY_EVENTS)]
    kinds = [
        Kind("bodies of 1,000", bodies, BODY_EVENTS, options.connections),
        Kind("one event a request", [request([event]) for event in events], 1, options.single_connections, 0, 1),
    ]
    runs = {kind.name: [run(report, kind, options) for _ in range(options.repetitions)] for kind in kinds}
    many, single = runs.values()
    report.figure("bodies of 1,000, synced", median(sent.events / sent.wall_s for sent in many), "events/s", at_least=200_000)
    report.figure("bodies of 1,000, an answer, p50", median(sent.answer_ms(0.5) for sent in many), "ms")
    report.figure("bodies of 1,000, an answer, p99", median(sent.answer_ms(0.99) for sent in many), "ms")
    report.figure(
        "one event a request, synced, the server on one core",
        median(sent.events / sent.wall_s for sent in single),
        "requests/s",
        at_least=2_000,
    )
    report.figure("one event a request, an answer, p50", median(sent.answer_ms(0.5) for sent in single), "ms")
    report.figure("one event a request, an answer, p99", median(sent.answer_ms(0.99) for sent in single), "ms")
    report.remark("The server computes the five KPIs of the shop work meanwhile; after each run all events answered 202 are counted, once.")


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each run sends")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4, help="for bodies of 1,000")
    parser.add_argument("--single-connections", type=int, default=64)
    parser.add_argument("--scratch", type=Path, help="where data directories go: the disk that is synced to")
    main("http_door", "Events through the HTTP door", measure, parser)
