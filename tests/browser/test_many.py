"""Hundreds of KPIs, and thousands of series."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.serving import Server, definition
from tests.browser.visiting import Visitor

pytestmark = pytest.mark.timeout(180)
KPIS, SERIES = 500, 10_000
COUNTRIES = [f"C{number:05}" for number in range(SERIES)]  # as many as the limit: one more, and which is beyond it is chance
WHOLE = SERIES * (SERIES + 1) // 2
MANY = "".join(
    f"  extra_{number:03}: {{ title: Extra {number:03}, value: count(*) filter (where status = {number}), every: 10s }}\n"
    for number in range(KPIS - 5)
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), definition(MANY))
    server.post(*(server.event(ago, status=7, country=COUNTRIES[0]) for ago in (70, 65, 60, 0)))
    ts = server.event(30)["ts"]  # one for all, so that all are in one bucket
    for begin in range(0, SERIES, 2_000):
        server.post(*(server.purchase(30, 1 + number, country=COUNTRIES[number], ts=ts) for number in range(begin, begin + 2_000)))
    server.post(server.event(0, country=COUNTRIES[0]))
    server.wait_total("revenue", WHOLE)  # a chart keeps the series that were the greatest when it was opened
    yield server
    server.close()


def test_five_hundred_kpis_are_seen_and_found(shop: Server, visitor: Visitor) -> None:
    began = time.monotonic()
    page = visitor.open(shop.url)
    expect(page.get_by_role("list", name="KPIs").get_by_role("listitem")).to_have_count(KPIS)
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€")
    assert time.monotonic() - began < 15
    expect(page.locator("lk-connection")).to_have_text("Live")
    assert page.locator("lk-card").count() < 100  # those that are near the screen
    page.get_by_label("Find").fill("Extra 321")
    expect(page.get_by_role("list", name="KPIs").get_by_role("listitem")).to_have_count(1)
    page.get_by_label("Find").fill("")
    last = page.get_by_role("listitem").filter(has_text=f"Extra {KPIS - 6}")
    last.scroll_into_view_if_needed()
    expect(last.get_by_role("article")).to_be_visible()
    expect(page.locator("lk-connection")).to_have_text("Live")


def test_ten_thousand_series_show_the_greatest_and_the_rest(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue?by=country&table=yes")
    legend = page.get_by_role("list", name="Legend")
    expect(legend).to_contain_text(COUNTRIES[-1], timeout=30_000)
    expect(legend.get_by_role("listitem").nth(5)).to_be_visible()
    top = sum(range(SERIES - 4, SERIES + 1))
    expect(page.get_by_role("cell", name=f"€{WHOLE - top:,}")).to_be_visible()
