"""A KPI's own view: what can be chosen of it, and taken from it."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server, definition, shop_events
from tests.browser.visiting import Visitor

pytestmark = pytest.mark.timeout(120)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), definition())
    server.post(*shop_events(server), server.event(0))
    yield server
    server.close()


def heads(page: Page) -> list[str]:
    return [text.split(" ")[0].strip() for text in page.get_by_role("region", name="Numbers").get_by_role("columnheader").all_inner_texts()]


def test_it_says_what_it_is(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue")
    expect(page.get_by_role("heading", name="Revenue", level=1)).to_be_visible()
    for text in ("What customers paid, before returns.", "Times in Europe/Berlin"):
        expect(page.get_by_text(text)).to_be_visible()
    expect(page.get_by_role("region", name="About")).to_contain_text("finance")
    expect(page.get_by_role("region", name="Target")).to_contain_text("of €100k")
    expect(page.get_by_text(re.compile(r"^Last €\S+ at \d\d:\d\d:\d\d.*; lowest €\S+ at .*, highest €\S+ at"))).to_be_visible()
    expect(page).to_have_title("Revenue · livekpi")


def test_it_is_split_and_filtered_by_a_click(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue?table=yes")
    expect(page.get_by_role("cell", name="€60.00").first).to_be_visible()
    page.get_by_label("Split by").select_option("country")
    legend = page.get_by_role("list", name="Legend")
    expect(legend.get_by_role("button")).to_have_text([re.compile("GB"), re.compile("FR"), re.compile("DE")])
    assert heads(page)[1:4] == ["GB", "FR", "DE"]
    legend.get_by_role("button", name=re.compile("FR")).click()
    expect(page.get_by_role("button", name="Only country FR: remove")).to_be_visible()
    expect(page.get_by_role("cell", name="€20.00").first).to_be_visible()
    expect(page.get_by_role("cell", name="€60.00")).to_have_count(0)
    page.get_by_role("button", name="Only country FR: remove").click()
    expect(page.get_by_role("cell", name="€60.00").first).to_be_visible()


def test_the_top_few_and_the_rest_are_the_whole(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue?by=country&top=2&table=yes")
    expect(page.get_by_role("list", name="Legend")).to_contain_text("DE")
    rows = page.get_by_role("region", name="Numbers").get_by_role("row")
    expect(rows.filter(has_text="€30.00").filter(has_text="€20.00").filter(has_text="€10.00").first).to_be_visible()


def test_a_link_reproduces_the_view(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue")
    page.get_by_role("button", name="1h").click()
    page.get_by_label("Split by").select_option("country")
    page.get_by_label("Step").select_option("1m")
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_role("cell", name="€180.00").first).to_be_visible()
    other = visitor.open(page.url)
    expect(other.get_by_role("cell", name="€180.00").first).to_be_visible()
    expect(other.get_by_role("button", name="1h")).to_have_attribute("aria-pressed", "true")
    expect(other.get_by_label("Split by")).to_have_value("country")
    expect(other.get_by_label("Step")).to_have_value("1m")


def test_the_way_back_leads_to_what_was_shown_before(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    page.get_by_role("link", name="Revenue").click()
    page.get_by_label("Split by").select_option("country")
    expect(page.get_by_role("list", name="Legend")).to_contain_text("FR")
    page.go_back()
    expect(page.get_by_label("Split by")).to_have_value("")
    page.go_back()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_part_that_is_drawn_over_is_zoomed_to(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue?table=yes")
    chart = page.get_by_role("slider", name="Chart of Revenue")
    expect(page.get_by_role("cell", name="€60.00").first).to_be_visible()
    before = page.get_by_role("row").count()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=.*to="))
    expect(page.get_by_role("cell", name="€60.00").first).to_be_visible()
    assert 3 <= page.get_by_role("row").count() < before / 2
    chart.dblclick()
    expect(page.get_by_role("row")).not_to_have_count(before)


def test_keys_read_the_chart_and_zoom(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue")
    chart = page.get_by_role("slider", name="Chart of Revenue")
    expect(chart).to_have_attribute("aria-valuemax", re.compile(r"^\d\d$"))
    chart.focus()
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuenow", "0")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d: €60.00"))
    for _ in range(10):
        page.keyboard.press("Shift+ArrowRight")
    expect(chart).to_have_attribute("aria-valuenow", "10")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"from=.*to="))


def test_csv_has_the_numbers_of_the_table(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue?by=country&table=yes&expected=no")
    expect(page.get_by_role("cell", name="€20.00").first).to_be_visible()
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").click()
    assert re.fullmatch(r"revenue \d{4}-\d\d-\d\dT\d\d-\d\d\.csv", begun.value.suggested_filename)
    rows = list(csv.DictReader(io.StringIO(begun.value.path().read_text())))
    assert {(row["country"], float(row["value"])) for row in rows} == {("DE", 10), ("FR", 20), ("GB", 30)}
    assert len(rows) == 180


def test_png_is_a_picture(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue")
    expect(page.get_by_text(re.compile("^Last €"))).to_be_visible()
    with page.expect_download() as begun:
        page.get_by_role("button", name="PNG").click()
    content = begun.value.path().read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 5_000


def test_an_annotation_appears_and_goes(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/revenue")
    notes = page.get_by_role("region", name="Annotations")
    notes.get_by_role("button", name="Add").click()
    notes.get_by_label("What happened").fill("Release <b>12</b>")
    notes.get_by_label("Kind").fill("deploy")
    notes.get_by_label("By").fill("Ada")
    notes.get_by_role("button", name="Add the annotation").click()
    expect(notes.get_by_role("listitem")).to_contain_text("Release <b>12</b>")
    expect(notes.get_by_role("listitem")).to_contain_text("deploy")
    notes.get_by_role("button", name="Delete “Release <b>12</b>”").click()
    expect(notes.get_by_role("listitem")).to_have_count(0)


def test_one_that_is_posted_appears_by_itself(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/orders")
    notes = page.get_by_role("region", name="Annotations")
    expect(notes).to_contain_text("Nobody noted anything")
    expect(page.locator("lk-connection")).to_have_text("Live")
    status, answer = shop.ask("POST", "/v1/annotations", '{"text": "Autumn sale", "kind": "campaign"}')
    assert status in {200, 201}, answer
    expect(notes.get_by_role("listitem")).to_contain_text("Autumn sale")


def test_a_kpi_that_is_not_there_says_so(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/kpi/nothing")
    expect(page.get_by_role("heading", name="There is no KPI “nothing”")).to_be_visible()
