"""A changed definition file: what takes effect at once, what needs a restart, what is broken."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from livekpi.client import Client
from livekpi.clock import SystemClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.reloading import Reloader
from livekpi.run import opened, serve

FILE = """\
sources:
  app: { http: {}, time: ts, fields: { ts: timestamp, country: optional string } }
kpis:
  orders: { value: count(*), every: 1m, by: [country], title: Orders, owner: Ann, good: up, unit: "${UNIT}" }
dashboards:
  shop: { rows: [[orders]] }
"""
ENVIRON = {"UNIT": "orders"}


class World:
    """A file, and what its viewers are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write(FILE)
        self.told: list[Definition | str] = []
        self.happened = threading.Event()
        self.reloader = Reloader(load(path, ENVIRON), ENVIRON, self.hear, self.hear, look_s=0.005)

    def hear(self, what: Definition | str) -> None:
        self.told.append(what)
        self.happened.set()

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def looked(self) -> list[Definition | str]:
        """What is told once the file has been seen standing still."""
        self.told = []
        for _ in range(3):
            self.reloader.look()
        return self.told

    def shown(self) -> Definition:
        (found,) = self.looked()
        assert isinstance(found, Definition)
        return found

    def stale(self) -> str:
        (found,) = self.looked()
        assert isinstance(found, str)
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "kpis.yaml")


def test_a_file_that_stays_as_it_was_tells_nothing(world: World) -> None:
    assert world.looked() == []
    os.utime(world.path)
    assert world.looked() == []


def test_new_dashboards_and_words_take_effect(world: World) -> None:
    world.write(FILE.replace("[[orders]]", "[[{ kpi: orders, by: country }], [orders]]"))
    assert len(world.shown().dashboards["shop"].rows) == 2
    world.write(FILE.replace("title: Orders, owner: Ann", "title: Sales, description: What was sold"))
    spec = world.shown().kpis["orders"].spec
    assert (spec.title, spec.owner, spec.description) == ("Sales", None, "What was sold")
    world.write(FILE)
    assert world.shown().kpis["orders"].spec.title == "Orders"
    assert world.looked() == []


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ("count(*)", "count(country)", "`kpis`"),
        ("good: up", "good: down", "`kpis`"),
        ("kpis:", "kpis:\n  more: { value: count(*), every: 1m }", "`kpis`"),
        ("http: {}", "http: {}, late: 2h", "`sources`"),
        ("dashboards:", "limits: { viewers: 5 }\nalerts: { low: { when: orders < 5 } }\ndashboards:", "`alerts` and `limits`"),
    ],
)
def test_anything_else_needs_a_restart_and_keeps_what_runs(world: World, old: str, new: str, keys: str) -> None:
    assert world.looked() == []
    world.write(FILE.replace(old, new).replace("[[orders]]", "[[orders], [orders]]"))
    assert world.stale() == f"{world.path}: {keys} changed; restart to apply"
    world.write(FILE)
    assert world.shown().text == FILE


def test_a_broken_file_keeps_what_runs_and_says_where(world: World) -> None:
    world.write(FILE.replace("[[orders]]", "[[ordrs, ordes]]"))
    assert world.stale() == (
        f"{world.path}:6:19: there is no KPI 'ordrs'; did you mean 'orders'? (and 1 more); mend it to apply what changed"
    )
    assert world.looked() == []
    world.write(FILE)
    assert world.shown().text == FILE


def test_a_file_that_is_gone_is_said_and_one_put_in_its_place_is_read(world: World, tmp_path: Path) -> None:
    world.path.unlink()
    assert "can't be read" in world.stale()
    other = tmp_path / "other"
    other.write_text(FILE.replace("Orders", "Sales"))
    other.rename(world.path)
    assert world.shown().kpis["orders"].spec.title == "Sales"


def test_a_file_is_not_read_while_it_is_being_written(world: World) -> None:
    assert world.looked() == []
    for length in range(len(FILE) - 40, len(FILE) - 20):
        world.write(FILE[:length])
        world.reloader.look()
    assert world.told == []
    world.write(FILE.replace("Orders", "Sales"))
    assert world.shown().kpis["orders"].spec.title == "Sales"


def test_it_looks_by_itself_until_it_is_closed(world: World) -> None:
    world.reloader.start()
    world.write(FILE.replace("Orders", "Sales"))
    assert world.happened.wait(30)
    world.reloader.close(30)
    assert [thread.name for thread in threading.enumerate() if thread.name == "reload"] == []


def test_a_pipe_is_not_watched(tmp_path: Path) -> None:
    definition = World(tmp_path / "kpis.yaml").reloader._running
    (tmp_path / "kpis.yaml").unlink()
    os.mkfifo(tmp_path / "kpis.yaml")
    told: list[object] = []
    hear: Callable[[object], None] = told.append
    reloader = Reloader(definition, {}, hear, hear, look_s=0.005)
    reloader.start()
    assert "reload" not in [thread.name for thread in threading.enumerate()]
    reloader.close(30)
    assert told == []


def test_a_server_shows_what_changed_to_who_looks(tmp_path: Path) -> None:
    path, stop, started = tmp_path / "kpis.yaml", threading.Event(), threading.Event()
    path.write_text(FILE.replace("${UNIT}", "orders"))
    addresses: list[str] = []

    def on_start(address: str) -> None:
        addresses.append(address)
        started.set()

    with opened(load(path, {}), tmp_path / "data", SystemClock(), once=False) as parts:
        server = threading.Thread(target=serve, args=(parts, "127.0.0.1", 0, None, stop, on_start))
        server.start()
        try:
            assert started.wait(30)
            client = Client(addresses[0])
            with client.stream("/v1/stream") as stream:
                events = (message.data for message in stream if message.event == "definition")
                path.write_text(
                    FILE.replace("${UNIT}", "orders").replace("title: Orders", "title: Sales").replace("[[orders]]", "[[{ text: Hi }]]")
                )
                next(events)
                answer = client.get("/v1/dashboards")
                assert answer["dashboards"][0]["rows"][0]["tiles"] == [{"text": "Hi", "size": "medium"}]
                assert answer["stale"] is None
                assert client.get("/v1/kpis")["kpis"][0]["title"] == "Sales"
                path.write_text(FILE.replace("${UNIT}", "EUR"))
                next(events)
                stale = client.get("/v1/dashboards")
                assert stale == {**answer, "stale": f"{path}: `kpis` changed; restart to apply"}
                assert client.get("/v1/kpis")["kpis"][0]["unit"] == "orders"
        finally:
            stop.set()
            server.join(30)
