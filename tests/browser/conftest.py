"""A browser and a server for each module, a visitor for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.launching import browsing
from tests.browser.serving import Server, definition
from tests.browser.visiting import Visit, Visitor
from tests.servers.cache import UnavailableError

expect.set_options(timeout=15_000)


# Of a module, not of the run: while it is open, Playwright's event loop runs in this thread, and other tests could start none.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        opened = browsing()
        found = opened.__enter__()
    except UnavailableError as error:
        pytest.skip(f"no Chromium: {error}")
    yield found
    opened.__exit__(None, None, None)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Begins visits; each must end without an error in the browser."""
    begun: list[Visitor] = []

    def begin(**settings: object) -> Visitor:
        begun.append(Visitor(browser, **settings))
        return begun[-1]

    yield begin
    for visitor in begun:
        visitor.leave()


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """One with a desktop's screen, in Germany, who reads British English."""
    return visit()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shop that is shared by a module's tests."""
    server = Server(tmp_path_factory.mktemp("shop"), definition())
    yield server
    server.close()
