"""Takes docs/images from a running shop: ``python -m tests.browser.pictures`` (`make pictures`)."""

import argparse
import base64
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, Request, expect

from livekpi.demo.demo import DEFINITION
from livekpi.demo.generator import SECOND_US, Shop
from tests.browser.launching import browsing
from tests.browser.serving import Event, Server

IMAGES = Path(__file__).parents[2] / "docs" / "images"
VIEWS = {
    "overview": "/",
    "kpi": "/kpi/revenue?span=1h&compare=1d",
    "dashboard": "/dashboard/shop",
    "alerts": "/alerts",
    "status": "/status",
}
_QUALITY = 82  # of WebP: letters stay sharp, and a picture is some 50 kB
_LARGEST_BYTES = 200_000
_DAY_US, _PAST_US = 86_400 * SECOND_US, 65 * 60 * SECOND_US
_BEAT_S, _BODY_EVENTS, _FAILURES = 0.5, 2_000, 3
_PATIENCE_S = 120
_QUIET_BEATS = 12


@dataclass(frozen=True)
class Screen:
    """A size of pictures; the scale is in device pixels per px."""

    width: int
    height: int
    scale: int = 1


SCREENS = (Screen(360, 760, 2), Screen(1280, 800), Screen(1920, 1080))


@contextmanager
def lively_shop() -> Iterator[Server]:
    """A shop with an hour behind it, the same hour of yesterday, and customers who go on until the block ends, some of them in vain."""
    with TemporaryDirectory(prefix="livekpi-pictures-") as directory:
        server = Server(Path(directory), DEFINITION.read_text(encoding="utf-8"))
        now_us = time.time_ns() // 1_000
        _serve(server, Shop(1, now_us - _DAY_US - _PAST_US), now_us - _DAY_US + _PAST_US)
        shop = Shop(7, now_us - _PAST_US)
        _serve(server, shop, time.time_ns() // 1_000)
        ended = threading.Event()

        def trade() -> None:
            while not ended.wait(_BEAT_S):
                _serve(server, shop, time.time_ns() // 1_000)
                server.post(*(_failure(server) for _ in range(_FAILURES)))

        thread = threading.Thread(target=trade, name="customers", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join(30)
            server.close()


def _serve(server: Server, shop: Shop, until_us: int) -> None:
    events = shop.until(until_us)
    for begin in range(0, len(events), _BODY_EVENTS):
        server.post(*map(dict, events[begin : begin + _BODY_EVENTS]))


def _note(server: Server) -> None:
    for text, kind, ago_s in (("Release 4.2", "deploy", 1_500), ("Newsletter", "campaign", 2_700)):
        at = f'"time": "-{ago_s}s"'
        status, answer = server.ask("POST", "/v1/annotations", f'{{"text": "{text}", "kind": "{kind}", "author": "Ada", {at}}}')
        if status >= 400:
            raise RuntimeError(answer)


def _failure(server: Server) -> Event:
    """Somebody who could not pay."""
    event = server.event(0, service="checkout", status=503, duration_ms=2_400.0, user_id="de-0001", event="purchase_failed")
    return {"event_id": event.pop("id"), **event}


def _wait_for_an_alert(server: Server) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not any(alert["status"] == "firing" and alert["rule"] == "errors_high" for alert in server.get("/v1/alerts")["alerts"]):
        if time.monotonic() > deadline:
            raise RuntimeError("no rule fires")
        time.sleep(_BEAT_S)


def take(browser: Browser, server: Server, into: Path) -> None:
    """All pictures, of each view in each size and theme."""
    for screen in SCREENS:
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": screen.width, "height": screen.height},
                device_scale_factor=screen.scale,
                color_scheme=theme,
                locale="en-GB",
                timezone_id="Europe/Berlin",
                reduced_motion="reduce",
            )
            page = context.new_page()
            questions = _Questions(page)
            for name, path in VIEWS.items():
                page.goto(server.url + path)
                _settle(page, questions)
                _save(page, into / f"{name}-{screen.width}-{theme}.webp")
            context.close()


class _Questions:
    """What a page has asked of the server's API, and was not answered yet; the stream does not count."""

    def __init__(self, page: Page) -> None:
        self._open: set[Request] = set()
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def answered(self) -> bool:
        return not self._open

    def _answered(self, request: Request) -> None:
        self._open.discard(request)

    def _asked(self, request: Request) -> None:
        if "/v1/" in request.url and "/v1/stream" not in request.url:
            self._open.add(request)


def _settle(page: Page, questions: _Questions) -> None:
    """Waits until the numbers are there and the stream stands."""
    expect(page.locator("lk-connection")).to_have_text("Live", timeout=30_000)
    for each in page.get_by_text("Loading…").all():  # what is far below loads when it is near
        expect(each).not_to_be_in_viewport()
    quiet, deadline = 0, time.monotonic() + _PATIENCE_S
    while quiet < _QUIET_BEATS:  # an answer leads to another question, or to a frame, of which nothing tells
        if time.monotonic() > deadline:
            raise RuntimeError(f"{page.url} is still asking")
        page.wait_for_timeout(100)
        quiet = quiet + 1 if questions.answered() else 0


def _save(page: Page, path: Path) -> None:
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    content = base64.b64decode(shot["data"])
    if len(content) > _LARGEST_BYTES:
        raise RuntimeError(f"{path.name} takes {len(content)} bytes, expected at most {_LARGEST_BYTES}")
    path.write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=IMAGES)
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    with browsing() as browser, lively_shop() as server:
        _note(server)
        _wait_for_an_alert(server)
        take(browser, server, options.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
