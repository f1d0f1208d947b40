"""Dashboards of the file, on a desk and on a wall."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.serving import Server, definition, shop_events
from tests.browser.visiting import Visit, Visitor

pytestmark = pytest.mark.timeout(120)
TWO = """\
  sales: { title: Sales, rows: [[revenue, { kpi: orders, size: large, by: country }], [{ text: "Ask <b>Ada</b>.", size: wide }]] }
  people: { title: People, rows: [{ title: Who comes, tiles: [visits, conversion] }] }
"""

FULL = f"  full: {{ title: Full, rows: [{', '.join(['[revenue, orders, visits, conversion, revenue]'] * 4)}] }}\n"


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), definition(dashboards=TWO))
    server.post(*shop_events(server, 200), server.event(0))
    yield server
    server.close()


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("wall"), definition(dashboards=FULL))
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


@pytest.mark.parametrize("screen", [(1920, 1080), (2560, 1440)], ids=str)
def test_rows_that_fit_share_the_screen(wall: Server, visit: Visit, screen: tuple[int, int]) -> None:
    page = visit(viewport={"width": screen[0], "height": screen[1]}).open(f"{wall.url}/dashboard/full")
    expect(page.get_by_role("article")).to_have_count(20)
    assert page.evaluate("document.documentElement.scrollHeight") <= screen[1]
    tile, chart = page.get_by_role("article").last.bounding_box(), page.locator("lk-chart").last.bounding_box()
    assert tile is not None
    assert chart is not None
    tile_end, chart_end = tile["y"] + tile["height"], chart["y"] + chart["height"]
    assert screen[1] - 40 < tile_end <= screen[1]
    assert tile_end - 20 < chart_end < tile_end

    page.set_viewport_size({"width": 1280, "height": 800})
    usual = page.get_by_role("article").last.bounding_box()
    assert usual is not None
    assert usual["height"] > 250
    assert page.evaluate("document.documentElement.scrollHeight") > 800


def test_cards_that_fit_share_the_screen(shop: Server, visit: Visit) -> None:
    page = visit(viewport={"width": 3840, "height": 2160}).open(shop.url)
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€360.00")
    card = page.get_by_role("article").last.bounding_box()
    assert card is not None
    assert 2160 - 60 < card["y"] + card["height"] <= 2160


def test_a_touch_shows_a_wall_s_controls_and_presses_none(shop: Server, visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 780}, has_touch=True).open(f"{shop.url}/tv?every=3600")
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€360.00")
    wall, controls = page.locator("lk-tv"), page.locator(".controls")
    expect(wall).not_to_have_attribute("awake", "")
    expect(controls).to_have_css("opacity", "0")
    leave = page.get_by_role("button", name="Leave").bounding_box()
    assert leave is not None
    assert leave["y"] > 700
    assert leave["height"] >= 44
    page.touchscreen.tap(leave["x"] + leave["width"] / 2, leave["y"] + leave["height"] / 2)
    expect(controls).to_have_css("opacity", "1")
    assert page.url.endswith("/tv?every=3600")
    page.get_by_role("button", name="Pause").tap()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
