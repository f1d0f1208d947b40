"""Alerts as people meet them: one fires, somebody looks after it, somebody wants quiet; what could not be counted; how the server is."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server, definition, trading
from tests.browser.visiting import Visitor

pytestmark = pytest.mark.timeout(180)
CRASHES = """\
  crashes: { title: Crashes, value: count(*) filter (where event = 'crash'), every: 1s, by: [service], good: down }
"""
RULE = """\
  many_crashes: { title: Many crashes, when: crashes > 2, by: [service], keep: 1h, severity: critical, summary: Look at the service }
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), definition(CRASHES, alerts=RULE))
    yield server
    server.close()


@pytest.fixture(scope="module")
def _traded(shop: Server) -> Iterator[None]:
    with trading(shop):
        yield


@pytest.fixture
def firing(shop: Server, visitor: Visitor, _traded: None) -> Page:
    """The alerts view, in which a rule fires."""
    page = visitor.open(f"{shop.url}/alerts")
    shop.post(*(shop.event(0, event="crash", service="cart") for _ in range(5)))
    expect(page.get_by_role("article", name="Many crashes")).to_contain_text("1 series fires", timeout=60_000)
    return page


def test_one_that_fires_is_shown_by_itself(shop: Server, visitor: Visitor, firing: Page) -> None:
    article = firing.get_by_role("article", name="Many crashes")
    for text in ("cart", "critical", "Look at the service"):
        expect(article).to_contain_text(text)
    expect(firing.get_by_role("link", name="Alerts 1 firing")).to_be_visible()
    expect(firing).to_have_title(re.compile(r"^\(1\) Alerts"))
    firing.get_by_role("link", name="Overview").click()
    card = firing.get_by_role("article", name="Crashes")
    expect(card).to_contain_text("Alert")
    expect(firing.get_by_role("main")).to_contain_text("Many crashes")


def test_somebody_looks_after_it(firing: Page) -> None:
    firing.get_by_role("button", name=re.compile("^Acknowledge")).first.click()
    dialog = firing.get_by_role("dialog")
    dialog.get_by_label("Why").fill("It is the cart <i>again</i>")
    dialog.get_by_label("Who you are").fill("Ada")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)
    article = firing.get_by_role("article", name="Many crashes")
    expect(article).to_contain_text("Acknowledged by Ada")
    expect(article).to_contain_text("It is the cart <i>again</i>")


def test_somebody_wants_quiet(shop: Server, firing: Page) -> None:
    firing.get_by_role("button", name=re.compile("^Silence")).first.click()
    dialog = firing.get_by_role("dialog")
    dialog.get_by_role("button", name="Silence").click()  # the browser asks for what is missing
    expect(dialog).to_be_visible()
    dialog.get_by_label("Why").fill("We know")
    dialog.get_by_label("Who you are").fill("Grace")
    dialog.get_by_role("button", name="Silence").click()
    expect(firing.get_by_role("article", name="Many crashes")).to_contain_text("Silenced by Grace")
    firing.get_by_role("link", name="Silences").click()
    expect(firing.get_by_role("main")).to_contain_text("We know")
    assert [silence["author"] for silence in shop.get("/v1/silences")["silences"]] == ["Grace"]


def test_what_could_not_be_counted_is_shown_as_it_is(shop: Server, visitor: Visitor) -> None:
    shop.post({**shop.event(0), "amount": "<script>alert(1)</script>"})
    page = visitor.open(f"{shop.url}/dead-letters")
    letters = page.get_by_role("region", name="The letters")
    expect(letters).to_contain_text("<script>alert(1)</script>")
    expect(letters.get_by_role("article").first).to_contain_text("amount")
    shop.post({"id": 7})
    refresh = page.get_by_role("button", name="Refresh")
    while len(shop.get("/v1/dead-letters")["dead_letters"]) < 2:  # it is kept a moment after it was taken
        time.sleep(0.05)
    refresh.click()
    expect(letters.get_by_role("article")).to_have_count(2)
    page.get_by_role("group", name="Kind").get_by_role("button", name=re.compile("missing")).click()
    expect(letters.get_by_role("article")).to_have_count(1)


def test_the_status_says_how_the_server_is(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/status")
    expect(page.get_by_role("region", name="Readiness")).to_contain_text("Ready")
    expect(page.get_by_role("article", name="shop")).to_contain_text("Last event")
    expect(page.get_by_role("region", name="The server")).to_contain_text(str(shop.get("/v1/status")["version"]))


def test_a_badge_is_a_picture(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(f"{shop.url}/status")
    seen = page.evaluate(
        "url => new Promise(done => { const image = new Image(); image.onload = () => done(image.naturalWidth);"
        " image.onerror = () => done(0); image.src = url; })",
        f"{shop.url}/badge/visits.svg",
    )
    assert seen > 40
