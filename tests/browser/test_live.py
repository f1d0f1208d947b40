"""What moves moves by itself, and a break leaves no gap."""

import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import Server, shop_events
from tests.browser.visiting import Visit, Visitor

pytestmark = pytest.mark.timeout(120)
REVENUE = "/kpi/revenue?table=yes"


def euros(amount: float) -> str:
    return f"€{amount:,.2f}"


def row_with(page: Page, *texts: str) -> Locator:
    """The rows of a KPI's table that say all of these."""
    found = page.get_by_role("region", name="Numbers").get_by_role("row")
    for text in texts:
        found = found.filter(has_text=text)
    return found


def connection(page: Page) -> Locator:
    return page.locator("lk-connection").get_by_role("status")


def until(condition: Callable[[], bool], page: Page, timeout_s: float = 30) -> None:
    """Waits for what no page shows."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)  # the browser goes on meanwhile


def test_a_number_moves_without_a_reload(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url + REVENUE)
    expect(connection(page)).to_have_text("Live")
    page.evaluate("window.sameDocument = true")
    shop.post(shop.purchase(shop.apart_s(), 123.45))
    expect(row_with(page, euros(123.45))).to_have_count(1)
    assert page.evaluate("window.sameDocument")


def test_a_card_moves_without_a_reload(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    card = page.get_by_role("article", name="Orders")
    expect(card).to_be_visible()
    expect(connection(page)).to_have_text("Live")
    # into the minute that ended last and into this one, which may end meanwhile
    begun_s = time.time() % 60
    shop.post(*(shop.purchase(ago_s, 1) for ago_s in (begun_s + 30, begun_s / 2) for _ in range(1_200)))
    expect(card.get_by_text(re.compile(r"^1,2\d\d$"))).to_be_visible()


def test_what_is_open_is_called_provisional(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url + REVENUE)
    shop.post(shop.purchase(0, 17))
    expect(row_with(page, "provisional").first).to_be_visible()
    expect(page.get_by_role("list", name="Legend")).to_contain_text("provisional")
    shop.post(shop.event(-20))  # time goes on: what was open is final
    expect(row_with(page, "provisional", euros(17))).to_have_count(0, timeout=30_000)  # once the clock has passed its end and `late`, too


def test_a_late_correction_changes_the_number_and_leaves_a_mark(shop: Server, visitor: Visitor) -> None:
    ts = shop.event(shop.apart_s())["ts"]  # one for both, so that they are in one bucket
    shop.post(shop.purchase(240, 41, ts=ts), shop.event(0))
    page = visitor.open(shop.url + REVENUE)
    expect(row_with(page, euros(41), "final")).to_have_count(1)
    expect(connection(page)).to_have_text("Live")
    shop.post(shop.purchase(240, 1000, ts=ts))
    for _ in ("as it came", "as the server has it"):
        expect(row_with(page, euros(1041), "final, corrected")).to_have_count(1)
        expect(page.get_by_role("list", name="Legend")).to_contain_text("corrected after it was final")
        page.reload()


def test_a_server_that_is_killed_leaves_a_word_and_no_gap(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url + REVENUE)
    expect(connection(page)).to_have_text("Live")
    visitor.expect_failed_requests()
    shop.kill()
    expect(connection(page)).to_have_text(re.compile(r"Disconnected, since \d\d:\d\d:\d\d; trying again"))
    shop.restart()
    shop.post(shop.purchase(shop.apart_s(), 77.01))  # likely before the page is back
    expect(connection(page)).to_have_text("Live")
    expect(row_with(page, euros(77.01))).to_have_count(1)
    shop.post(shop.purchase(shop.apart_s(), 77.02))
    expect(row_with(page, euros(77.02))).to_have_count(1)


def test_a_network_that_breaks_leaves_no_gap(shop: Server, visitor: Visitor) -> None:
    shop.post(*shop_events(shop, 60))
    visitor.context.add_init_script("delete window.SharedWorker")  # what is emulated for a page is not for its workers
    page = visitor.open(shop.url + "/kpi/orders?table=yes&span=15m")
    expect(connection(page)).to_have_text("Live")
    visitor.expect_failed_requests()
    cut = page.context.new_cdp_session(page)
    cut.send("Network.enable")
    cut.send("Network.emulateNetworkConditions", {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
    # a stream that is open goes on where only new connections are refused; the server ends it
    shop.kill()
    expect(connection(page)).to_contain_text("Disconnected")
    shop.restart()
    ago_s = shop.apart_s()
    shop.post(*(shop.purchase(ago_s, 1) for _ in range(137)))  # a number that no time holds
    page.wait_for_timeout(1_500)  # long enough for it to try, in vain
    expect(row_with(page, "137")).to_have_count(0)
    cut.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    expect(connection(page)).to_have_text("Live", timeout=20_000)
    expect(row_with(page, "137", "final")).to_have_count(1)


def test_a_hidden_tab_costs_nothing(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    expect(connection(page)).to_have_text("Live")
    until(lambda: shop.metric("livekpi_viewers") == 1, page)
    hide(page, True)
    until(lambda: shop.metric("livekpi_viewers") == 0, page)
    hide(page, False)
    expect(connection(page)).to_have_text("Live")
    until(lambda: shop.metric("livekpi_viewers") == 1, page)


def test_more_windows_than_a_browser_has_connections_move_at_once(shop: Server, visitor: Visitor) -> None:
    paths = [REVENUE, *(f"{REVENUE}&span={span}" for span in ("15m", "1h", "6h", "1d")), f"{REVENUE}&by=country", "/alerts", "/"]
    pages = [visitor.open(shop.url + path) for path in paths]
    for page in pages:
        expect(connection(page)).to_have_text("Live")
    until(lambda: shop.metric("livekpi_viewers") == 1, pages[0])
    shop.post(shop.purchase(shop.apart_s(), 31.07, country="DE"))
    for page in (*pages[:3], pages[5]):
        expect(row_with(page, euros(31.07)).first).to_be_visible()
    pages.pop(0).close()  # the one for which the stream was opened
    shop.post(shop.purchase(shop.apart_s(), 32.07, country="DE"))
    for page in (*pages[:2], pages[4]):
        expect(row_with(page, euros(32.07)).first).to_be_visible()
    assert [connection(page).inner_text() for page in pages] == ["Live"] * 7
    last = pages.pop()
    for page in pages:
        page.close()
    hide(last, True)
    until(lambda: shop.metric("livekpi_viewers") == 0, last)


def test_where_windows_can_share_nothing_each_moves_by_itself(shop: Server, visitor: Visitor) -> None:
    visitor.context.add_init_script("delete window.SharedWorker")
    pages = [visitor.open(shop.url + REVENUE) for _ in range(2)]
    for page in pages:
        expect(connection(page)).to_have_text("Live")
    until(lambda: shop.metric("livekpi_viewers") == 2, pages[0])
    shop.post(shop.purchase(shop.apart_s(), 33.07))
    for page in pages:
        expect(row_with(page, euros(33.07))).to_have_count(1)


@pytest.mark.parametrize("wrong_h", [-1, 1])
def test_a_clock_that_is_wrong_changes_nothing(shop: Server, visitor: Visitor, wrong_h: int) -> None:
    page = visitor.context.new_page()
    page.clock.install(time=time.time() + wrong_h * 3600)
    page.goto(shop.url + REVENUE)
    expect(connection(page)).to_have_text("Live")
    shop.post(shop.purchase(shop.apart_s(), 55.5 + wrong_h))
    expect(row_with(page, euros(55.5 + wrong_h))).to_have_count(1)
    page.goto(shop.url)
    fresh = page.get_by_role("article", name="Revenue").get_by_role("time")
    expect(fresh).to_have_text(re.compile("just now|sec|min"))


def test_another_viewer_sees_the_same(shop: Server, visit: Visit) -> None:
    pages = [visit(locale=locale).open(shop.url + f"/kpi/revenue?{quote('table')}=yes") for locale in ("en-GB", "de-DE")]
    shop.post(shop.purchase(shop.apart_s(), 4321.5))
    expect(row_with(pages[0], "€4,321.50")).to_have_count(1)
    expect(row_with(pages[1], "4.321,50\u00a0€")).to_have_count(1)


def hide(page: Page, hidden: bool) -> None:
    """Has a page believe that it is looked at, or not: a headless browser shows all of them."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )
