"""What somebody writes into the file or sends in an event is text on the page, and nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.serving import Server, definition
from tests.browser.visiting import Visitor

pytestmark = pytest.mark.timeout(120)
EVIL = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>"
NAMES = f'title: "{EVIL}", description: "{EVIL}", owner: "{EVIL}", unit: "{EVIL}"'
TILES = f'title: "{EVIL}", tiles: [{{ kpi: bad, by: country }}, {{ text: "{EVIL}" }}]'
FILE = definition(
    f"  bad: {{ value: count(*), every: 10s, by: [country], {NAMES} }}\n",
    alerts=f'  bad_rule: {{ title: "{EVIL}", summary: "{EVIL}", when: bad >= 0, severity: critical }}\n',
    dashboards=f'  bad_board: {{ title: "{EVIL}", rows: [{{ {TILES} }}] }}\n',
)
VIEWS = (
    "/",
    "/kpi/bad?by=country&table=yes",
    "/dashboard/bad_board",
    "/alerts",
    "/dead-letters",
    "/status",
    "/tv",
    "/embed/bad?by=country",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shop"), FILE)
    server.post(*(server.event(ago, country=EVIL) for ago in range(100, 0, -5)), server.event(0), {"id": EVIL})
    status, answer = server.ask("POST", "/v1/annotations", f'{{"text": "{EVIL}", "author": "{EVIL}"}}')
    assert status in {200, 201}, answer
    yield server
    server.close()


def test_markup_is_text(shop: Server, visitor: Visitor) -> None:
    page = visitor.context.new_page()
    for path in VIEWS:
        page.goto(shop.url + path)
        if path not in {"/status", "/alerts"}:
            expect(page.get_by_text(EVIL).first).to_be_visible()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert page.evaluate("window.hurt") is None
        assert page.locator("img[src=x]").count() == 0


def test_the_page_lets_no_script_in(shop: Server, visitor: Visitor) -> None:
    page = visitor.open(shop.url)
    page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.hurt = 1'; document.body.append(script);"
        " document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hurt=1\">'); }"
    )
    page.wait_for_timeout(300)  # nothing tells that nothing happens
    assert page.evaluate("window.hurt") is None
    assert any("Content Security Policy" in text for text in visitor.wrong)
    visitor.wrong.clear()
