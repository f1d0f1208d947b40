"""Badges: small pictures in which everything said is text."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.alerts.judging.pacing import Pace, Period
from livekpi.insight.pace import Projection
from livekpi.query.points import Point
from livekpi.web.access.tokens import Scope, Token, Tokens
from livekpi.web.page.picture import Badge, State, svg
from tests.web.answers import problem
from tests.web.world import NOW_US, Client, World, client_of, make_world

SVG = "{http://www.w3.org/2000/svg}"
MINUTE_US = 60_000_000


def texts(picture: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(picture).iter(f"{SVG}text")]


def test_it_says_what_it_is_told_in_two_halves() -> None:
    picture = svg(Badge("Revenue", "1,234.50 EUR", "fine"))
    root = ET.fromstring(picture)
    assert texts(picture) == ["Revenue", "1,234.50 EUR · fine"]
    assert root.get("aria-label") == "Revenue: 1,234.50 EUR · fine"
    assert root.findtext(f"{SVG}title") == root.get("aria-label")
    left, right = (float(each.get("width", "0")) for each in root.findall(f"{SVG}g/{SVG}rect"))
    assert float(root.get("width", "0")) == left + right
    assert 0 < left < right


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("state", ["fine", "watch", "alert", None])
def test_the_state_is_a_word_and_a_colour_that_white_can_be_read_on(state: State | None) -> None:
    picture = svg(Badge("a", "1", state))
    assert texts(picture)[1] == ("1" if state is None else f"1 · {state}")
    fills = [each.get("fill") or "" for each in ET.fromstring(picture).findall(f"{SVG}g/{SVG}rect")]
    assert all(1.05 / (luminance(fill) + 0.05) >= 4.5 for fill in fills)
    assert len({svg(Badge("a", "1", each)).split("fill=")[2] for each in ("fine", "watch", "alert")}) == 3


@given(st.text(), st.text())
def test_whatever_is_said_is_text(label: str, value: str) -> None:
    root = ET.fromstring(svg(Badge(label, value, "fine")).encode())
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {"svg", "title", "clipPath", "rect", "g", "text"}


def test_a_label_that_is_markup_stays_what_it_is() -> None:
    picture = svg(Badge("<img onerror=alert(1)>", 'a"b&c', None))
    assert texts(picture) == ["<img onerror=alert(1)>", 'a"b&c']
    assert ET.fromstring(picture).get("aria-label") == '<img onerror=alert(1)>: a"b&c'


def test_a_long_label_is_cut() -> None:
    assert texts(svg(Badge("x" * 500, "1", None)))[0] == "x" * 79 + "…"


@pytest.fixture
def tokened(tmp_path: Path) -> Iterator[tuple[World, Client]]:
    tokens = Tokens([Token("reader", frozenset({Scope.READ})), Token("sender", frozenset({Scope.INGEST}))])
    with make_world(tmp_path, tokens=tokens) as world, client_of(world) as client:
        yield world, client


def test_a_token_in_the_address_opens_badges_alone(tokened: tuple[World, Client]) -> None:
    _, client = tokened
    assert client.get("/badge/revenue.svg?token=reader").status_code == 200
    problem(client.get("/badge/revenue.svg"), 401)
    problem(client.get("/badge/revenue.svg?token=wrong"), 401)
    problem(client.get("/badge/revenue.svg?token=sender"), 403)
    problem(client.get("/badge/revenue.svg?token=reader", headers={"Authorization": "Bearer wrong"}), 401)
    problem(client.get("/v1/kpis?token=reader"), 401)
    problem(client.post("/badge/revenue.svg?token=reader"), 401)


def test_it_is_kept_for_a_short_time_and_loads_nothing(client: Client) -> None:
    answer = client.get("/badge/revenue.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "max-age=30"
    assert answer.headers["content-security-policy"] == "default-src 'none'"


def shown(client: Client, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return texts(answer.text)


def test_it_shows_the_newest_value_that_is_final(world: World, client: Client) -> None:
    world.backend.found = [Point(NOW_US - 20_000_000, Decimal("7.10"), True), Point(NOW_US - 10_000_000, Decimal("9.99"), False)]
    assert shown(client, "/badge/revenue.svg") == ["revenue", "7.10 EUR"]
    assert shown(client, "/badge/revenue.svg?label=Paid%20today") == ["Paid today", "7.10 EUR"]
    asked = world.backend.points_asked[0]
    assert (asked.kpi, asked.step, asked.from_us) == ("revenue", None, NOW_US - 10_000_000 - 1_000 * 10_000_000)


def test_without_a_final_value_it_looks_further_back_once(world: World, client: Client) -> None:
    world.backend.found = [Point(NOW_US, 1, False)]
    assert shown(client, "/badge/revenue.svg") == ["revenue", "no value"]
    assert [(NOW_US - (asked.from_us or 0)) // 10_000_000 for asked in world.backend.points_asked] == [1_001, 20_001]


def test_since_shows_one_value_for_all_the_time(world: World, client: Client) -> None:
    world.backend.found = [Point(NOW_US - 60 * MINUTE_US, Decimal(12), False)]
    assert shown(client, "/badge/revenue.svg?since=-1h") == ["revenue", "12.00 EUR"]
    (asked,) = world.backend.points_asked
    assert (asked.step, asked.from_us) == ("all", NOW_US - 60 * MINUTE_US)
    world.backend.found = []
    assert shown(client, "/badge/revenue.svg?since=-1h") == ["revenue", "no value"]


def pace(ratio: float, high: float = 0) -> Pace:
    return Pace(NOW_US, Period(NOW_US, NOW_US + MINUTE_US, 500), 1, Projection(500 * ratio, 0, high))


@pytest.mark.parametrize(("ratio", "state"), [(0.89, "watch"), (0.91, "fine"), (3, "fine"), (None, "fine")])
def test_a_kpi_with_a_target_is_watched_where_it_heads_below_it(world: World, client: Client, ratio: float | None, state: str) -> None:
    world.backend.found = [Point(NOW_US, 5, True)]
    world.backend.paces = [] if ratio is None else [pace(ratio)]
    assert shown(client, "/badge/users.svg") == ["Users", f"5 · {state}"]


@pytest.mark.parametrize(("high", "state"), [(499, "watch"), (500, "fine")])
def test_it_is_fine_while_its_target_lies_within_what_may_well_become(world: World, client: Client, high: float, state: str) -> None:
    world.backend.found = [Point(NOW_US, 5, True)]
    world.backend.paces = [pace(0.5, high)]
    assert shown(client, "/badge/users.svg") == ["Users", f"5 · {state}"]


def test_what_has_no_value_is_not_called_fine(world: World, client: Client) -> None:
    assert shown(client, "/badge/users.svg") == ["Users", "no value"]
    world.backend.paces = [pace(0.5)]
    assert shown(client, "/badge/users.svg") == ["Users", "no value · watch"]


def test_what_is_wrong_is_said(client: Client) -> None:
    assert "did you mean 'revenue'" in problem(client.get("/badge/revenu.svg"), 404)
    assert "since: 'x' is no time" in problem(client.get("/badge/revenue.svg?since=x"), 400)
    assert "unknown parameter 'by'" in problem(client.get("/badge/revenue.svg?by=country"), 400)


def test_alerts_on_the_kpi_give_its_state(tmp_path: Path) -> None:
    class Alerts:
        status, severity = "", ""

        def alerts(self, wanted: Any) -> list[Any]:
            assert wanted.rules == ("low",)
            return [self] if self.status else []

    rest = "alerts: { low: { when: revenue < 5 }, other: { when: visits < 5 } }\n"
    alerts = Alerts()
    with make_world(tmp_path, rest=rest, alerts=alerts) as world, client_of(world) as client:
        world.backend.found = [Point(NOW_US, Decimal(5), True)]
        for alerts.status, alerts.severity, state in (
            ("", "", "fine"),
            ("pending", "critical", "watch"),
            ("firing", "warning", "watch"),
            ("firing", "error", "alert"),
        ):
            assert shown(client, "/badge/revenue.svg") == ["revenue", f"5.00 EUR · {state}"]
