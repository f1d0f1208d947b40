"""Somebody who looks at the page, and what went wrong in their browser meanwhile."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

_NETWORK = re.compile(r"Failed to load resource|net::ERR_")
"""What the browser itself says of a request that failed; of one that the page expects to fail, it can't be kept from it."""


class Visitor:
    """A browser's profile of its own; every page it opens is watched."""

    def __init__(self, browser: Browser, **settings: Any) -> None:
        """Settings are those of Playwright's new_context."""
        usual: dict[str, Any] = {"locale": "en-GB", "timezone_id": "Europe/Berlin", "viewport": {"width": 1280, "height": 800}}
        self.context: BrowserContext = browser.new_context(**{**usual, **settings})
        self.context.set_default_timeout(15_000)
        self.context.on("weberror", lambda error: self._wrong(f"uncaught: {error.error}"))
        self.context.on("console", self._said)
        self.wrong: list[str] = []
        self._network_may_fail = False

    def open(self, url: str) -> Page:
        """A new page at an address."""
        page = self.context.new_page()
        page.goto(url)
        return page

    def expect_failed_requests(self) -> None:
        """From now on a request may fail: a test breaks the network, or is refused."""
        self._network_may_fail = True

    def leave(self) -> None:
        """Closes all; fails with what went wrong."""
        self.context.close()
        assert self.wrong == []

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"} or (self._network_may_fail and _NETWORK.search(message.text)):
            return
        self._wrong(f"{message.type}: {message.text} ({message.location})")

    def _wrong(self, text: str) -> None:
        self.wrong.append(text)


Visit = Callable[..., Visitor]
"""Begins a visit, with settings of Playwright's new_context."""
