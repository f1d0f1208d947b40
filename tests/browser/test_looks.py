"""For people: every view in both themes, from a phone to a wall, by keyboard alone, by a screen reader, in the viewer's own language."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server, definition, shop_events
from tests.browser.visiting import Visit, Visitor

pytestmark = pytest.mark.timeout(120)
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
BOARDS = "  sales: { title: Sales, rows: [[revenue, { kpi: orders, size: large, by: country }], [{ text: Ask Ada., size: wide }]] }\n"
RULES = "  no_orders: { title: No orders, when: orders < 1, keep: 1h, severity: warning }\n"
VIEWS = {
    "overview": "/",
    "kpi": "/kpi/revenue?by=country&table=yes",
    "kpi whole": "/kpi/revenue?compare=1d",
    "dashboard": "/dashboard/sales",
    "alerts": "/alerts",
    "silences": "/alerts?part=said",
    "history": "/alerts?part=history",
    "try": "/alerts?part=try",
    "dead letters": "/dead-letters",
    "status": "/status",
    "tv": "/tv",
    "embed": "/embed/revenue?by=country",
    "unknown": "/kpi/nothing",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), definition(alerts=RULES, dashboards=BOARDS))
    server.post(*shop_events(server), server.event(0), {"id": 1}, {"id": 2})
    yield server
    server.close()


def settled(page: Page) -> None:
    """Waits until what a view asks for is there."""
    expect(page.get_by_role("main").first).to_be_visible()
    for each in page.get_by_text("Loading…").all():  # what is far below loads when it is near
        expect(each).not_to_be_in_viewport()
    page.wait_for_load_state("load")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(shop: Server, visit: Visit, theme: str) -> None:
    visitor = visit(color_scheme=theme, bypass_csp=True)  # axe is no part of the page
    found: dict[str, Any] = {}
    page = visitor.context.new_page()
    for name, path in VIEWS.items():
        page.goto(shop.url + path)
        settled(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        asked = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
        for violation in page.evaluate("asked => axe.run(document, asked)", asked)["violations"]:
            where = [(node["target"], node["failureSummary"].replace("\n", " ")) for node in violation["nodes"][:3]]
            found[f"{name}: {violation['id']}"] = where
    assert found == {}


def test_axe_would_find_something(shop: Server, visit: Visit) -> None:
    page = visit(bypass_csp=True).open(shop.url)
    settled(page)
    page.evaluate("() => { const image = document.createElement('img'); image.src = 'data:,'; document.body.append(image); }")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert "image-alt" in [violation["id"] for violation in page.evaluate("axe.run(document)")["violations"]]


@pytest.mark.parametrize("width", [360, 768, 1920, 3840])
def test_nothing_is_wider_than_the_screen(shop: Server, visit: Visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 800}).context.new_page()
    wider = {}
    for name, path in VIEWS.items():
        page.goto(shop.url + path)
        settled(page)
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            wider[name] = needed
    assert wider == {}


def test_nothing_to_press_is_smaller_than_a_finger_needs(shop: Server, visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 800}).context.new_page()
    small = {}
    for name, path in VIEWS.items():
        page.goto(shop.url + path)
        settled(page)
        for control in page.locator("button:visible, select:visible, input:visible").all():
            box = control.bounding_box()
            text = control.get_attribute("aria-label") or control.inner_text()
            if box is not None and min(box["width"], box["height"]) < 20 and control.get_attribute("type") != "checkbox":
                small[f"{name}: {text}"] = box
    assert small == {}


def test_the_system_s_wish_counts_until_a_viewer_has_another(shop: Server, visit: Visit) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    page = visit(color_scheme="dark").open(shop.url)
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Display").click()
    page.get_by_label("Colours").select_option("light")
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    page.get_by_role("button", name="Display").click()
    expect(page.get_by_label("Colours")).to_have_value("light")
    assert page.evaluate(ground) == light
    page.get_by_label("Colours").select_option("system")
    assert page.evaluate(ground) == dark


def test_all_can_be_reached_by_keyboard(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    settled(page)
    expect(page.get_by_role("article", name="Conversion")).to_be_visible()
    reached, rings = [], []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_FOCUSED))
        rings.append(page.evaluate(_RING))
    for name in ("To the content", "Overview", "Sales", "Alerts", "TV", "Display", "Values of the", "Revenue", "Conversion"):
        assert any(name in each for each in reached), reached
    assert all(width > 0 for text, width in zip(reached, rings, strict=True) if text), list(zip(reached, rings, strict=True))


def test_how_it_is_displayed_is_chosen_by_keyboard(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    page.get_by_role("button", name="Display").focus()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(2):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_FOCUSED).split()[0])
    assert reached == ["Colours", "Time"]
    page.keyboard.press("Escape")
    expect(page.get_by_label("Colours")).to_be_hidden()
    assert "Display" in page.evaluate(_FOCUSED)


def test_on_a_phone_the_chart_and_the_alerts_are_at_hand(shop: Server, visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 760}).open(f"{shop.url}/kpi/revenue?by=country")
    chart = page.get_by_role("slider", name="Chart of Revenue")
    expect(chart).to_be_in_viewport(ratio=0.8)
    expect(page.get_by_role("link", name=re.compile("^Alerts"))).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Split by")).to_be_hidden()
    page.get_by_role("button", name="Options (1)").click()
    page.get_by_label("Split by").select_option("")
    expect(page.get_by_role("button", name="Options", exact=True)).to_be_visible()
    page.goto(f"{shop.url}/status")
    expect(page.get_by_role("link", name="Status", exact=True)).to_be_in_viewport(ratio=1)


def test_a_kpi_is_opened_split_and_left_by_keyboard(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€")
    page.get_by_role("link", name="Revenue").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Revenue", level=1)).to_be_visible()
    page.get_by_label("Split by").focus()
    page.keyboard.press("c")
    expect(page.get_by_role("list", name="Legend")).to_contain_text("FR")
    page.get_by_role("list", name="Legend").get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Only country .*: remove$"))).to_be_visible()


def test_numbers_dates_and_currency_are_the_viewer_s(shop: Server, visit: Visit) -> None:
    page = visit(locale="de-DE", timezone_id="America/New_York").open(f"{shop.url}/kpi/revenue?table=yes")
    expect(page.get_by_role("cell", name="60,00\u00a0€").first).to_be_visible()
    expect(page.get_by_role("cell", name=re.compile(r"^\d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d$")).first).to_be_visible()
    here = page.get_by_role("cell", name=re.compile(r"^\d\d\.")).first.inner_text()
    expect(page.get_by_text("Times in America/New_York")).to_be_visible()
    page.get_by_role("button", name="Display").click()
    page.get_by_label("Time zone").select_option("kpi")
    expect(page.get_by_text("Times in America/New_York")).to_have_count(0)
    expect(page.get_by_role("cell", name=re.compile(r"^\d\d\.")).first).not_to_have_text(here)


def test_a_browser_with_a_language_nobody_knows_shows_numbers(shop: Server, visitor: Visitor) -> None:
    for name, said in (("languages", "['en-US@posix', 'xx_YY']"), ("language", "'en-US@posix'")):
        visitor.context.add_init_script(f"Object.defineProperty(navigator, '{name}', {{ get: () => {said}, configurable: true }})")
    page = visitor.open(shop.url)
    expect(page.get_by_role("article", name="Revenue")).to_contain_text("€")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_where_the_system_forces_its_colours_charts_take_them(shop: Server, visit: Visit, theme: str, chosen: str) -> None:
    page = visit(forced_colors="active", color_scheme=theme).context.new_page()
    page.add_init_script(f"localStorage.setItem('theme', '{chosen}')")
    page.goto(f"{shop.url}/kpi/revenue?span=1h")
    expect(page.get_by_text(re.compile("^Last "))).to_be_visible()
    expect(page.locator("lk-connection")).to_have_text("Live")
    page.wait_for_timeout(500)  # by then it is drawn
    text, nearest = page.evaluate(_AXIS)
    assert nearest < 40, (text, nearest)


_AXIS = """() => {
  const within = (root) => [...root.querySelectorAll("*")].flatMap(({ shadowRoot }) => (shadowRoot ? [shadowRoot] : []));
  const find = (root) => root.querySelector("canvas") ?? within(root).map(find).find(Boolean);
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = "CanvasText";
  const text = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  const canvas = find(document);
  const { data } = canvas.getContext("2d").getImageData(0, 0, 40, canvas.height);
  let nearest = 999;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 200) nearest = Math.min(nearest, Math.max(...text.map((value, place) => Math.abs(value - data[at + place]))));
  }
  return [text, nearest];
}"""
"""The colour that texts have, and how near to it the nearest to it of the upright axis's numbers comes."""
_FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  if (found === null || found === document.body) return "";
  const label = found.labels?.[0]?.textContent ?? "";
  return `${found.getAttribute("aria-label") ?? ""} ${label} ${found.textContent}`.trim().slice(0, 80);
}"""
_RING = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return parseFloat(getComputedStyle(found).outlineWidth) || 0;
}"""
