"""The stream over real sockets, as a browser has it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import httpx
import pytest

from livekpi.commit import Commit
from livekpi.query.live import Want
from livekpi.web.stream import hub as hub_module
from livekpi.web.stream import wants as wants_module
from tests.web.answers import problem
from tests.web.streaming import serving, stream, told
from tests.web.world import MINUTE_US, NOW_US, Client, World, make_world

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serving(world) as url:
        yield url


def commit(number: int, *buckets: int) -> Commit:
    return Commit(number, NOW_US, {"app_1": frozenset(NOW_US + bucket * MINUTE_US for bucket in buckets)})


def test_a_commit_is_a_message_with_the_points_that_changed(world: World, url: str) -> None:
    with stream(url, "?kpi=visits,users") as messages:
        world.app.on_commit(commit(3, 0, 1))
        assert next(messages) == {
            "commit": 3,
            "at": "2026-03-01T12:00:00Z",
            "points": [
                {"kpi": kpi, "time": time, "value": 3, "final": False}
                for kpi in ("users", "visits")
                for time in ("2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z")
            ],
        }
        world.app.on_commit(commit(4, 0))
        assert next(messages)["commit"] == 4


def test_all_kpis_unless_some_are_named(world: World, url: str) -> None:
    with stream(url) as messages, stream(url, "?by=country") as by_country:
        world.app.on_commit(commit(1, 0))
        assert [point["kpi"] for point in next(messages)["points"]] == ["revenue", "stock", "users", "visits"]
        assert [(point["kpi"], point["country"]) for point in next(by_country)["points"]] == [("users", "DE"), ("visits", "DE")]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("kpi=user", 404, "there is no KPI 'user'; did you mean 'users'?"),
        ("kpi=users&by=county", 400, "users has no dimension 'county'; it has country; did you mean 'country'?"),
        ("by=country,sku", 400, "no KPI has the dimensions country, sku"),
        ("kpis=users", 400, "unknown parameter 'kpis'; this address takes want, kpi, by, alerts"),
        ("want=kpi%3Dusers&by=country", 400, "give either want, or kpi and by: a want names its KPI and slices itself"),
        ("want=kpi%3Dusers&want=kpi%3Duser", 404, "want 1: there is no KPI 'user'; did you mean 'users'?"),
        ("want=&want=kpi%3Dvisits", 400, "want 0: expected kpi=NAME, and what else is asked of it, URL-encoded; got ''"),
        ("want=users", 400, "want 0: unknown parameter 'users'; this address takes kpi, by, step, timezone, where"),
        ("want=kpi%3Dusers%26step%3D7s", 400, "want 0: step '7s': expected a size that divides a day, such as 10s, 1m, 15m, 1h or 6h"),
        ("want=kpi%3Dusers%26step%3D10s", 400, "want 0: step 10s is no multiple of users's bucket, 1m"),
        ("want=kpi%3Dusers%26timezone%3DX", 400, "want 0: there is no time zone 'X'; expected a name such as Europe/Berlin or UTC"),
        (
            "want=kpi%3Dusers%26where%3Dsku",
            400,
            "want 0: where: users has no dimension 'sku'; it has country; text stands in single quotes: 'sku'",
        ),
    ],
)
def test_a_wrong_question(client: Client, query: str, status: int, says: str) -> None:
    assert problem(client.get(f"/v1/stream?{query}"), status) == says


def test_what_several_want_is_computed_once_and_each_gets_its_own(world: World, url: str) -> None:
    queries = ["?kpi=visits", "?kpi=stock,users", "?kpi=users", "?kpi=users&by=country"]
    with ExitStack() as stack:
        opened = [stack.enter_context(stream(url, query)) for query in queries]
        world.app.on_commit(commit(1, 0))
        told = [[point["kpi"] for point in next(messages)["points"]] for messages in opened]
        assert told == [["visits"], ["stock", "users"], ["users"], ["users"]]
        asked = sorted((want.by, want.kpi) for _, wants in world.backend.changed_asked for want in wants)
        assert asked == [((), "stock"), ((), "users"), ((), "visits"), (("country",), "users")]


def test_a_want_says_its_step_zone_and_part_and_its_points_say_which_it_is_of(world: World, url: str) -> None:
    texts = [
        {"kpi": "visits", "by": "country", "step": "1h", "timezone": "Europe/Berlin", "where": "country = 'DE'"},
        {"kpi": "users"},
        {"kpi": "visits", "step": "60s"},
    ]
    with stream(url, "?" + urlencode([("want", urlencode(text)) for text in texts])) as messages:
        world.app.on_commit(commit(3, 0))
        points = next(messages)["points"]
    assert [(point["want"], point["kpi"], point.get("country")) for point in points] == [
        (0, "visits", "DE"),
        (1, "users", None),
        (2, "visits", None),
    ]
    assert {want for _, wants in world.backend.changed_asked for want in wants} == {
        Want("visits", ("country",), 3_600_000_000, "Europe/Berlin", "country = 'DE'"),
        Want("users"),
        Want("visits", (), 60_000_000),
    }


def test_a_stream_takes_so_many_wants_and_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wants_module, "MAX_WANTS", 2)
    says = problem(client.get("/v1/stream?want=kpi%3Dusers&want=kpi%3Dusers&want=kpi%3Dusers"), 400)
    assert says == "3 wants, and a stream takes at most 2: open another stream for the rest"


def test_the_first_message_says_which_commit_is_the_last(world: World, url: str) -> None:
    world.backend.commit = 6
    with told(url) as messages:
        first = next(messages)
        assert first == {"commit": 6, "at": None, "definition": first["definition"]}
    world.app.on_commit(commit(7, 0))
    with told(url, "?kpi=users") as messages:
        assert next(messages) == {"commit": 7, "at": "2026-03-01T12:00:00Z", "definition": first["definition"]}
        world.app.on_commit(commit(8, 0))
        assert next(messages)["commit"] == 8


def test_a_stream_can_not_be_opened_while_the_store_can_not_be_read(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> int:
        raise duckdb.IOException("reopening")

    monkeypatch.setattr(world.backend, "last_commit", fails)
    assert problem(client.get("/v1/stream"), 503) == "the store can't be read now; ask again later"
    assert world.value("livekpi_viewers") == 0


def test_all_viewers_are_told_a_small_event(world: World, url: str) -> None:
    with stream(url, "?kpi=users") as one, stream(url, "?want=kpi%3Dvisits") as other:
        world.app.on_definition()
        assert next(one) == next(other)


def test_a_stream_says_which_definition_is_shown_first_and_when_it_is_another(world: World, url: str) -> None:
    def first() -> object:
        with told(url, "?kpi=users") as messages:
            return next(messages)["definition"]

    before = first()
    assert first() == before
    with told(url, "?kpi=users") as messages:
        next(messages)
        world.backend.stale = "it can't be read"
        world.app.on_definition()
        stale = next(messages)
        world.backend.definition = replace(world.backend.definition, text="kpis:")
        world.app.on_definition()
        other = next(messages)
    assert other == {"definition": first()}
    assert len({str(before), stale["definition"], other["definition"]}) == 3


def test_nobody_looks_and_nothing_is_computed(world: World, url: str) -> None:
    world.app.on_commit(commit(1, 0))
    with stream(url) as messages:
        world.app.on_commit(commit(2, 0))
        assert next(messages)["commit"] == 2
    assert [asked.number for asked, _ in world.backend.changed_asked] == [2]


def test_a_commit_whose_points_can_not_be_read_goes_out_later(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RETRY_S", 0.01)
    with stream(url, "?kpi=users") as messages:
        world.backend.error = duckdb.IOException("reopening")
        world.app.on_commit(commit(1, 0, 5))
        assert [point["time"] for point in next(messages)["points"]] == ["2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z"]
        assert len(world.backend.changed_asked) == 2


def test_commits_that_come_while_one_is_worked_on_are_one_message(world: World, url: str) -> None:
    begun, go = threading.Event(), threading.Event()
    changed = world.backend.changed

    def slowly(*asked: Any) -> Any:
        begun.set()
        assert go.wait(30)
        return changed(*asked)

    world.backend.changed = slowly  # type: ignore[method-assign, assignment]
    with stream(url, "?kpi=users") as messages:
        world.app.on_commit(commit(1, 0))
        assert begun.wait(30)
        for number in range(2, 6):
            world.app.on_commit(commit(number, number))
        go.set()
        assert next(messages)["commit"] == 1
        last = next(messages)
        assert (last["commit"], len(last["points"])) == (5, 4)


def test_too_many_viewers(tmp_path: Path) -> None:
    with make_world(tmp_path, limits="{ viewers: 1 }") as world, serving(world) as url:
        with stream(url):
            assert world.value("livekpi_viewers") == 1
            assert "1 streams are open (`limits: viewers`)" in problem(httpx.get(f"{url}/v1/stream"), 503)
        for _ in range(100):  # until the server has seen it go
            if httpx.get(f"{url}/v1/sources").status_code and world.value("livekpi_viewers") == 0:
                break
        with stream(url):
            pass


def test_a_viewer_that_does_not_read_holds_up_nobody(world: World) -> None:
    with serving(world) as url, socket.socket() as asleep:
        asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = url.removeprefix("http://").split(":")
        asleep.connect((host, int(port)))
        asleep.sendall(b"GET /v1/stream?kpi=users HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200 OK" in asleep.recv(1000)
        with stream(url, "?kpi=users") as messages:
            for number in range(1, 600):
                world.app.on_commit(commit(number, *range(100)))
                assert next(messages)["commit"] == number
    coalesced = world.value("livekpi_viewer_coalesced_total")
    assert coalesced is not None
    assert coalesced > 0
