"""Who may see what: tokens, sessions, frames on other pages, and what the page's policy lets through."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server, definition, shop_events
from tests.browser.visiting import Visit, Visitor

pytestmark = pytest.mark.timeout(120)
EMBED, READ = "framing-token-0123456789", "reading-token-0123456789"
ACT, ALL = "acting-token-0123456789", "whole-token-0123456789"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for a token."""
    directory = tmp_path_factory.mktemp("guarded")
    tokens = directory / "tokens"
    tokens.write_text(f"embed {EMBED}\nread {READ}\nact {ACT}\n{ALL}\n")
    tokens.chmod(0o600)
    server = Server(directory, definition(), "--token-file", str(tokens), token=ALL)
    server.post(*shop_events(server, 200), server.event(0))
    yield server
    server.close()


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_a_token_is_asked_for_and_kept_from_scripts(guarded: Server, visitor: Visitor) -> None:
    visitor.expect_failed_requests()
    page = visitor.open(f"{guarded.url}/kpi/revenue?by=country")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("does not know that token")
    expect(page.get_by_role("heading", name="Revenue")).to_have_count(0)
    sign_in(page, READ)
    expect(page.get_by_role("heading", name="Revenue", level=1)).to_be_visible()
    expect(page.get_by_role("list", name="Legend")).to_contain_text("FR")
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert READ not in cookie["value"]
    assert page.evaluate("document.cookie") == ""
    assert READ not in json.dumps(page.context.storage_state()["origins"])
    expect(page.get_by_role("button", name="Add")).to_have_count(0)  # it may only read


def test_a_session_lasts_over_a_reload_and_not_over_the_server(guarded: Server, visitor: Visitor) -> None:
    visitor.expect_failed_requests()
    page = visitor.open(guarded.url)
    sign_in(page, ACT)
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€")
    page.reload()
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€")
    guarded.kill()
    guarded.restart()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)
    sign_in(page, ACT)
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€")


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], str]]:
    """Serves a page of another origin; its address."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, b"")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def serve(body: str) -> str:
        pages["/page"] = f"<!doctype html><title>Elsewhere</title><link rel=icon href=data:,>{body}".encode()
        return f"http://localhost:{server.server_port}/page"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_kpi_in_a_frame_on_another_page(guarded: Server, visitor: Visitor, elsewhere: Callable[[str], str]) -> None:
    asked: list[str] = []
    visitor.context.on("request", lambda request: asked.append(request.url))
    address = f"{guarded.url}/embed/revenue?by=country#token={EMBED}"
    page = visitor.open(elsewhere(f'<iframe title="Revenue" width="500" height="320" src="{address}"></iframe>'))
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("article", name="Revenue")).to_contain_text("€")
    expect(frame.get_by_role("article", name="Revenue")).to_contain_text("FR")
    this_minute_s = time.time() % 60
    # into the minute that ended last and into this one, which may end meanwhile
    guarded.post(guarded.purchase(this_minute_s + 30, 0.7), guarded.purchase(this_minute_s / 2, 0.7))
    expect(frame.get_by_role("article", name="Revenue")).to_contain_text(re.compile(r"€[\d,]+\.70"))
    sent = [url for url in asked if EMBED in url.partition("#")[0]]
    assert sent == []
    assert EMBED not in frame.locator("body").evaluate("() => location.href")


def test_a_frame_without_a_token_says_what_is_missing(guarded: Server, visitor: Visitor, elsewhere: Callable[[str], str]) -> None:
    visitor.expect_failed_requests()
    page = visitor.open(elsewhere(f'<iframe title="Revenue" src="{guarded.url}/embed/revenue"></iframe>'))
    expect(page.frame_locator("iframe").get_by_text("needs a token of the scope embed")).to_be_visible()


def test_the_page_itself_is_shown_in_no_frame(guarded: Server, visit: Visit, elsewhere: Callable[[str], str]) -> None:
    visitor = visit()
    page = visitor.open(elsewhere(f'<iframe title="All" src="{guarded.url}/"></iframe>'))
    expect(page.frame_locator("iframe").get_by_role("heading", name="Sign in")).to_have_count(0)
    assert [text for text in visitor.wrong if "frame-ancestors" in text] == visitor.wrong != []
    visitor.wrong.clear()


def test_another_page_can_change_nothing(guarded: Server, visitor: Visitor, elsewhere: Callable[[str], str]) -> None:
    visitor.expect_failed_requests()
    page = visitor.open(guarded.url)
    sign_in(page, ACT)
    expect(page.get_by_role("article", name="Revenue")).to_be_visible()
    page.goto(elsewhere("<p>Elsewhere</p>"))
    send = "([url, body]) => fetch(url, { method: 'POST', credentials: 'include', mode: 'no-cors', body }).then(() => 1, () => 0)"
    page.evaluate(send, [f"{guarded.url}/v1/annotations", '{"text": "Forged"}'])
    assert guarded.get("/v1/annotations")["annotations"] == []


def test_nothing_is_asked_of_anyone_else(guarded: Server, visitor: Visitor) -> None:
    asked: list[str] = []
    visitor.context.on("request", lambda request: asked.append(request.url))
    visitor.expect_failed_requests()
    page = visitor.open(guarded.url)
    sign_in(page, ACT)
    for path in ("/", "/kpi/revenue", "/alerts", "/status", "/dead-letters", "/tv"):
        page.goto(guarded.url + path)
        page.wait_for_load_state("load")
        expect(page.locator("lk-connection")).to_have_text("Live")
    assert {url.split("/")[2] for url in asked if not url.startswith(("data:", "blob:"))} == {guarded.address}
