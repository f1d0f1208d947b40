"""The page in a real browser: how soon a commit is on twenty charts, at what price, how soon the page is there, whether it grows."""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psutil
from playwright.sync_api import Browser, CDPSession, Page

from bench.common import Report, arguments, main, median
from bench.serving import Serving, serving
from tests.browser.launching import browsing

CHARTS = 20
_SCREEN = {"width": 2560, "height": 1600}  # a chart out of sight is not drawn
_WARM_UP_S = 5.0
_KPI = "  k{number}: {{ title: KPI {number}, value: sum(amount) filter (where lane <> {number}), every: 1s }}\n"
_FILE = """\
sources:
  shop:
    http: {{}}
    time: ts
    late: 5s
    fields: {{ ts: timestamp, amount: number, lane: integer }}
kpis:
{kpis}
dashboards:
  wall: {{ title: Wall, rows: [{rows}] }}
"""
# What the page is told of a commit comes from the worker that its windows share, by a port: there the script learns of it. A message is on
# screen when every chart's canvas was cleared and drawn anew after that, and the frame in which the last one was has been handed on: a
# message posted in a frame's callback is delivered after the frame.
_WATCH = """
window.painted = [];
(() => {
  let waiting = [], drawn = new Map(), asked = false;
  const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
  Object.defineProperty(MessagePort.prototype, "onmessage", {
    set(handler) {
      set.call(this, handler && ((event) => {
        if (event.data?.event === "points") waiting.push({ at: Date.parse(event.data.data.at), came: performance.now(), lag: Date.now() });
        handler.call(this, event);
      }));
    },
  });
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...all) {
    drawn.set(this.canvas, performance.now());
    if (!asked) { asked = true; requestAnimationFrame(look); }
    return clear.apply(this, all);
  };
  const look = () => {
    asked = false;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const now = Date.now();
      for (const [canvas] of drawn) if (!canvas.isConnected) drawn.delete(canvas);
      if (drawn.size < CHARTS) return;
      const oldest = Math.min(...drawn.values());
      window.painted.push(...waiting.filter((each) => each.came <= oldest).map((each) => [each.at, each.lag, now]));
      waiting = waiting.filter((each) => each.came > oldest);
    };
    channel.port2.postMessage(0);
  };
})();
""".replace("CHARTS", str(CHARTS))


@dataclass
class Beat:
    """Posts events at a steady rate, all of which change every chart, until stopped."""

    server: Serving
    every_s: float
    _stop: Event = field(default_factory=Event)

    def run(self) -> None:
        connection = self.server.connect()
        number, due = 0, time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self.every_s
            lines = [json.dumps({"ts": time.time(), "amount": 1 + (number + each) % 17, "lane": -1}) for each in range(10)]
            connection.request("POST", "/v1/events/shop", "\n".join(lines))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 202:
                raise RuntimeError(f"answered {answer.status}: {text!r}")
            number += 10
        connection.close()

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def beating(server: Serving, rate: float) -> Iterator[None]:
    beat = Beat(server, 1 / rate)
    thread = Thread(target=beat.run, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        beat.stop()
        thread.join(30)


def definition() -> str:
    """Twenty KPIs, each on a chart of its own."""
    tiles = [f"{{ kpi: k{number}, size: medium, span: 10m }}" for number in range(CHARTS)]
    rows = ", ".join(f"[{', '.join(tiles[begin : begin + 5])}]" for begin in range(0, CHARTS, 5))
    return _FILE.format(kpis="".join(_KPI.format(number=number) for number in range(CHARTS)), rows=rows).replace(
        "ts: timestamp", "ts: timestamp(epoch_s)"
    )


def browser_cpu_s() -> float:
    """What Chromium's processes, which this process's children started, have taken so far."""
    found = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name() or "headless" in process.name():
                times = process.cpu_times()
                found += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return found


def first_paint(report: Report, browser: Browser, server: Serving, loads: int) -> None:
    """Loads the overview with nothing in the cache, again and again."""
    paints_ms, sizes = [], []
    for _ in range(loads):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.locator("lk-card").first.wait_for()
        page.wait_for_timeout(500)
        paints_ms.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        entries = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        own = f"{entries}.filter(each => !each.name.includes('/v1/')).reduce((sum, each) => sum + each.transferSize, 0)"
        sizes.append(page.evaluate(own))
        context.close()
    report.figure(f"first paint of the overview, median of {loads} loads without a cache", median(paints_ms), "ms", at_most=500)
    report.figure("the page's own files, as transferred (brotli)", median(sizes) / 1_000, "kB", at_most=150)


def painting(report: Report, page: Page, seconds: float, rate: float) -> None:
    """How late the pixels are behind the commit, and what the browser takes for it, at a steady rate of commits."""
    page.wait_for_timeout(_WARM_UP_S * 1_000)
    page.evaluate("window.painted.length = 0")
    cpu_s, begun = browser_cpu_s(), time.monotonic()
    page.wait_for_timeout(seconds * 1_000)
    cpu_s, wall_s = browser_cpu_s() - cpu_s, time.monotonic() - begun
    found: Sequence[Sequence[float]] = page.evaluate("window.painted")
    if len(found) < seconds * rate / 4:
        raise RuntimeError(f"{len(found)} commits were painted in {seconds} s at {rate} posts/s; is every chart on the screen?")
    for share, at_most in ((0.5, None), (0.99, 250)):
        what = f"commit to painted on {CHARTS} charts, {len(found) / wall_s:.1f} commits/s, p{share * 100:g}"
        report.figure(what, _quantile([now - at for at, _, now in found], share), "ms", at_most=at_most)
    report.figure("  of which until the message is there, p99", _quantile([lag - at for at, lag, _ in found], 0.99), "ms")
    at_most = 15 if rate <= 1 else None
    report.figure(
        f"the browser's processor time at {len(found) / wall_s:.1f} commits/s", 100 * cpu_s / wall_s, "% of a core", at_most=at_most
    )


def growing(report: Report, page: Page, commits: int, patience_s: float) -> None:
    """The page's heap, after its garbage was collected, over so many commits."""
    inspector = page.context.new_cdp_session(page)
    inspector.send("HeapProfiler.enable")
    deadline = time.monotonic() + patience_s
    marks = []
    for tenth in range(1, 11):
        while page.evaluate("window.painted.length") * 10 < commits * tenth:
            if time.monotonic() > deadline:
                raise RuntimeError(f"fewer than {commits} commits were painted in {patience_s} s")
            page.wait_for_timeout(200)
        marks.append(_heap_bytes(inspector))
        report.log(f"heap after {commits * tenth // 10} commits: {marks[-1] / 1e6:.2f} MB")
    # the first half fills the charts
    report.figure(f"growth of the page's heap over the last half of {commits:,} commits", (marks[-1] - marks[4]) / 1e6, "MB", at_most=1)
    report.figure("the page's heap at the end", marks[-1] / 1e6, "MB")


def _heap_bytes(inspector: CDPSession) -> float:
    inspector.send("HeapProfiler.collectGarbage")
    return float(inspector.send("Runtime.getHeapUsage")["usedSize"])


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def measure(report: Report, options: argparse.Namespace) -> None:
    with TemporaryDirectory(dir=options.scratch) as scratch, browsing() as browser:
        file = Path(scratch) / "wall.yaml"
        file.write_text(definition(), encoding="utf-8")
        with serving(file, Path(scratch) / "data") as server:
            with beating(server, 1):
                first_paint(report, browser, server, options.loads)
            context = browser.new_context(viewport=_SCREEN, locale="en-GB")  # type: ignore[arg-type]
            context.add_init_script(_WATCH)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{server.port}/dashboard/wall")
            page.locator("canvas").nth(CHARTS - 1).wait_for()
            for rate in (1.0, options.rate):
                with beating(server, rate):
                    painting(report, page, options.seconds, rate)
            with beating(server, options.rate):
                page.evaluate("window.painted.length = 0")
                growing(report, page, options.commits, 20 * options.commits / options.rate)
            report.figure("the server's memory at the end", server.resident_mib(), "MiB")
            context.close()
    report.remark(
        "A commit is painted when all twenty canvases were drawn after its message came and the frame has been handed on; the commit's "
        "time is the server's, on the same machine. Each chart shows ten minutes of one-second buckets. The browser is headless and draws "
        "in software, and its processor time is that of all its processes, so one with a graphics card takes less. The heap is what is "
        "left after a garbage collection; so many commits are an hour of them at one a second."
    )


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long each rate is watched")
    parser.add_argument("--rate", type=float, default=10, help="posts a second at the higher rate")
    parser.add_argument("--loads", type=int, default=9)
    parser.add_argument("--commits", type=int, default=3_600, help="over which the heap is watched")
    parser.add_argument("--scratch", type=Path, help="where the data is kept meanwhile")
    main("page", "The page", measure, parser)
