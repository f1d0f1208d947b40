"""The web over the real engine and store."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from livekpi.clock import ManualClock
from livekpi.commit import Commit
from livekpi.definition.load import load
from livekpi.query.live import Want
from livekpi.run import EngineThread, inlets, measure, opened
from livekpi.web.app import App
from livekpi.web.running.cursors import Cursors
from livekpi.web.running.numbers import Running
from tests.web.world import DEFINITION, GOOD, NOW_US, Client

pytestmark = pytest.mark.timeout(60)

FILE = DEFINITION.replace('kafka: { brokers: "localhost:9092", topic: shop }', "http: {}")


@dataclass
class Served:
    client: Client
    running: Running
    commits: list[Commit]
    committed: threading.Condition

    def post(self, source: str, body: bytes) -> None:
        """Posts events and returns once they are committed."""
        with self.committed:
            before = len(self.commits)
            assert self.client.post(f"/v1/events/{source}", content=body).status_code == 202
            assert self.committed.wait_for(lambda: len(self.commits) > before, 30)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    file = tmp_path / "test.yaml"
    file.write_text(FILE)
    clock, stop = ManualClock(NOW_US), threading.Event()
    with opened(load(file, {}), tmp_path / "data", clock, once=False) as parts:
        commits: list[Commit] = []
        committed = threading.Condition()

        def on_commit(commit: Commit) -> None:
            with committed:
                commits.append(commit)
                committed.notify_all()

        parts.engine.subscribe(on_commit)
        parts.engine.install()
        engine = EngineThread(parts.engine, stop)
        running = Running(parts.engine, Cursors(parts.store), clock, engine.is_alive)
        measure(parts)
        engine.start()
        client = Client(App(running, inlets(parts), clock=clock, metrics=parts.metrics))
        try:
            yield Served(client, running, commits, committed)
        finally:
            client.close()
            stop.set()
            engine.join(30)
        assert engine.error is None
        assert running.failure() is not None


def test_what_was_posted_is_asked_for(served: Served) -> None:
    served.post("app", GOOD + b"\n" + GOOD.replace(b"ann", b"bob"))
    answer = served.client.get("/v1/kpis/visits?step=all").json()
    assert [(point["value"], point["final"]) for point in answer["points"]] == [(2, False)]
    assert "is no multiple of" in served.client.get("/v1/kpis/visits?step=15s").json()["detail"]
    assert "has no dimension 'county'; it has country" in served.client.get("/v1/kpis/visits?by=county").json()["detail"]


def test_a_commit_says_which_points_changed(served: Served) -> None:
    served.post("app", GOOD.replace(b'"ann"', b'"ann", "country": "DE"'))
    total, by_country = Want("visits"), Want("visits", ("country",), 60_000_000)
    told = served.running.changed(served.commits[-1], [total, Want("stock"), by_country], {}).told
    assert {want: [(point.value, point.dimensions) for point in each.points.points] for want, each in told.items()} == {
        total: [(1, ())],
        by_country: [(1, ("DE",))],
    }
    assert served.running.last_commit() == served.commits[-1].number


def test_where_the_sources_stand(served: Served) -> None:
    served.post("app", GOOD)
    app, shop = served.client.get("/v1/sources").json()["sources"]
    assert (app["source"], app["kind"], app["lag"], app["last_event"]) == ("app", "http", 0, "2026-03-01T12:00:00Z")
    assert (shop["partitions"], shop["watermark"], shop["problem"]) == ([], None, None)
    assert served.client.get("/readyz").status_code == served.client.get("/healthz").status_code == 200


def test_the_door_foretells_the_dead_letters_and_they_can_be_mended(served: Served) -> None:
    wrong = GOOD.replace(b'"ann"', b"7")
    foretold = served.client.post("/v1/events/app", content=wrong + b"\n" + GOOD).json()["errors"]
    with served.committed:
        assert served.committed.wait_for(lambda: bool(served.commits), 30)
    (letter,) = served.client.get("/v1/dead-letters?source=app").json()["dead_letters"]
    assert [(error["field"], error["reason"]) for error in foretold] == [(letter["field"], letter["reason"])]
    assert (letter["record"], letter["code"]) == (wrong.decode(), "wrong_type")
    mended = {"letters": [{"number": letter["number"], "record": GOOD.decode()}]}
    assert served.client.post("/v1/dead-letters/replay", json=mended).json() == {"replayed": 1, "dead": 0, "unknown": [], "errors": []}
    assert served.client.get("/v1/dead-letters").json() == {"dead_letters": []}
    assert served.client.get("/v1/kpis/visits?step=all").json()["points"][0]["value"] == 2


def test_its_metrics_tell_what_it_did(served: Served) -> None:
    served.post("app", GOOD)
    text = served.client.get("/metrics").text
    for line in (
        'livekpi_events_total{source="app"} 1.0',
        'livekpi_lag{partition="log",source="app"} 0.0',
        'livekpi_series{kpi="visits"} 1.0',
        "livekpi_batches_total 1.0",
    ):
        assert f"\n{line}\n" in text
    assert sys.platform != "linux" or "\nprocess_open_fds " in text
    assert text.endswith("# EOF\n")
