"""Dashboards of the file, on a desk and on a wall."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.serving import Server, definition, shop_events
from tests.browser.visiting import Visitor

pytestmark = pytest.mark.timeout(120)
TWO = """\
  sales: { title: Sales, rows: [[revenue, { kpi: orders, size: large, by: country }], [{ text: "Ask <b>Ada</b>.", size: wide }]] }
  people: { title: People, rows: [{ title: Who comes, tiles: [visits, conversion] }] }
"""


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), definition(dashboards=TWO))
    server.post(*shop_events(server, 200), server.event(0))
    yield server
    server.close()


def test_dashboards_are_as_the_file_says_and_change_with_it(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    page.get_by_role("link", name="Sales").click()
    expect(page.get_by_role("heading", name="Sales", level=1)).to_be_visible()
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€360.00")
    expect(page.get_by_role("article", name="Orders")).to_contain_text("FR")
    expect(page.get_by_text("Ask <b>Ada</b>.")).to_be_visible()
    page.get_by_role("link", name="People").click()
    expect(page.get_by_role("region", name="Who comes")).to_contain_text("Conversion")

    page.evaluate("window.sameDocument = true")
    shop.file.write_text(definition(dashboards=TWO.replace("Who comes", "Who came").replace("Sales", "Money")))
    expect(page.get_by_role("region", name="Who came")).to_contain_text("Conversion", timeout=30_000)
    expect(page.get_by_role("link", name="Money")).to_be_visible()
    assert page.evaluate("window.sameDocument")

    page.get_by_role("link", name="Money").click()
    tile = page.get_by_role("article", name="Orders")
    tile.get_by_role("button", name=re.compile("FR")).click()
    expect(page.get_by_role("button", name="Only country FR: remove")).to_be_visible()


def test_a_file_that_is_not_in_effect_is_said_to_be(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/dashboard/sales")
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€360.00")
    assert page.get_by_text("The file has changed").count() == 0
    shop.file.write_text(definition(dashboards=TWO.replace("kpi: orders", "kpi: <b>ordes</b>")))
    expect(page.get_by_text("The file has changed, but this is what it said before.")).to_be_visible(timeout=40_000)
    page.get_by_role("link", name="Why").click()
    expect(page.get_by_text(re.compile("not in effect.*<b>ordes</b>"))).to_be_visible()
    shop.file.write_text(definition(dashboards=TWO))
    expect(page.get_by_text("not in effect")).to_have_count(0, timeout=40_000)


def test_a_wall_shows_one_after_the_other(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/tv?every=5")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sales")
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€360.00")
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("People", timeout=15_000)
    page.keyboard.press(" ")
    expect(page.get_by_text("2 of 2, paused")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sales")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
