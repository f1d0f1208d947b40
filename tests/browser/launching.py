"""A browser that Playwright drives, in the Chromium that this machine has or gets."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.servers.chromium import ARGUMENTS, chromium


@contextmanager
def browsing(*arguments: str) -> Iterator[Browser]:
    """A browser until the block ends. Raises UnavailableError where there is no Chromium."""
    found = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program, env={**found.environ}, args=[*ARGUMENTS, *arguments], timeout=60_000
        )
        try:
            yield browser
        finally:
            browser.close()
