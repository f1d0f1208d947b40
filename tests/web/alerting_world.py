"""A real server that judges alerts and tells a receiver on this machine; in this process, or (as a program) in one that can be killed."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from livekpi.alerting import Alerting
from livekpi.alerts.judging.desk import Outcome
from livekpi.clock import Clock, ManualClock, SystemClock
from livekpi.definition.load import load
from livekpi.leaving import Deadline
from livekpi.metrics import Metrics
from livekpi.moments import time_text
from livekpi.run import EngineThread, inlets, measure, opened
from livekpi.web.access.tokens import Tokens
from livekpi.web.app import App
from livekpi.web.running.alerts import RunningAlerts
from livekpi.web.running.cursors import Cursors
from livekpi.web.running.numbers import Running
from livekpi.web.server import Server
from tests.alerts.http_receiver import Answer, HttpReceiver, Request

NOW_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z"""
SECOND_US = 1_000_000

FILE = """
sources:
  app: {{ http: {{}}, time: ts, fields: {{ ts: timestamp, service: optional string, status: integer }} }}
kpis:
  errors: {{ value: count(*) filter (where status >= 500), every: 1s, by: [service] }}
alerts:
  errors_high: {{ when: errors > 1, by: [service], severity: critical, keep: 1h, notify: [hook], labels: {{ team: shop }} }}
  errors_there: {{ when: errors >= 0, by: [service], for: 1d, title: There are errors }}
notify:
  hook: {{ webhook: {{ url: "{url}", allow_private: true }} }}
"""


@dataclass
class Served:
    """A server, who is told, and what its desk found."""

    address: str
    receiver: HttpReceiver
    clock: Clock
    data: Path
    alerting: Alerting
    metrics: Metrics
    outcomes: list[Outcome] = field(default_factory=list)
    happened: threading.Condition = field(default_factory=threading.Condition)

    def on_outcome(self, outcome: Outcome) -> None:
        with self.happened:
            self.outcomes.append(outcome)
            self.happened.notify_all()

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return httpx.request(method, f"http://{self.address}{path}", timeout=30, **arguments)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **content: Any) -> Any:
        answer = self.ask("POST", path, json=content)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, *services: str | None, ago_s: int = 0, errors: int = 2) -> None:
        send(self.address, self.clock.now_us(), services, ago_s, errors)

    def firing(self) -> dict[str, Any]:
        """What fires of errors_high, by service."""
        return {row["series"]["service"]: row for row in self.get("/v1/alerts?rule=errors_high")["alerts"]}

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for what the desk finds, and the receiver hears, to make something so."""
        with self.happened:
            assert self.happened.wait_for(condition, 30), self.told()

    def told(self) -> list[tuple[str, list[str]]]:
        """What the receiver heard: of each message its status, and the services that are said to be so, "" for null."""
        return [
            (
                message["status"],
                sorted(alert["series"]["service"] or "" for alert in message["alerts"] if alert["status"] == message["status"]),
            )
            for request in self.receiver.requests
            for message in request.json["messages"]
        ]


def send(address: str, now_us: int, services: Sequence[str | None], ago_s: int, errors: int, **arguments: Any) -> None:
    """Errors of some services some time ago; and an event later by 20 s, by which their bucket is judged."""
    times = [(service, ago_s) for service in services for _ in range(errors)] + [("late", ago_s - 20)]
    rows = [{"ts": time_text(now_us - ago * SECOND_US), "service": service, "status": 500} for service, ago in times]
    body = b"\n".join(json.dumps(row).encode() for row in rows)
    answer = httpx.post(f"http://{address}/v1/events/app", content=body, timeout=30, **arguments)
    assert answer.json()["accepted"] == len(rows), answer.text


@contextmanager
def served(
    directory: Path, receiver: HttpReceiver, *, clock: Clock | None = None, tokens: Tokens | None = None, file: str = FILE
) -> Iterator[Served]:
    """The server on a directory, which may hold data; put together as `livekpi run` does it."""
    path, clock, stop = directory / "shop.yaml", clock or ManualClock(NOW_US), threading.Event()
    path.write_text(file.format(url=receiver.url))
    with opened(load(path, {}), directory / "data", clock, once=False) as parts:
        engine = EngineThread(parts.engine, stop)
        alerting = Alerting(parts.definition, parts.engine.plan, parts.store, clock, parts.metrics)
        cursors = Cursors(parts.store)
        backend = Running(parts.engine, cursors, clock, engine.is_alive, alerting)
        alerts = RunningAlerts(cursors, lambda: backend.definition, clock, alerting)
        app = App(backend, inlets(parts), clock=clock, metrics=parts.metrics, tokens=tokens, alerts=alerts)
        parts.engine.subscribe(app.on_commit)
        measure(parts)
        alerting.attach(parts.engine)
        alerting.subscribe(app.on_alerts)
        server = Server(app, "127.0.0.1", 0, app.stop, drain_s=0)
        found = Served(server.address, receiver, clock, directory / "data", alerting, parts.metrics)
        alerting.subscribe(found.on_outcome)

        def hear(_request: Request) -> Answer:
            with found.happened:
                found.happened.notify_all()
            return Answer()

        receiver.usual = hear
        parts.engine.install()
        engine.start()
        try:
            alerting.start()
            server.start()
            assert parts.store.lock is not None
            parts.store.lock.announce(server.address)
            yield found
        finally:
            stop.set()
            server.stop()
            engine.join(30)
            alerting.close(Deadline(30))
        assert engine.error is None


class Elsewhere(HttpReceiver):
    """A receiver of another process, of which only the address is known."""

    def __init__(self, url: str) -> None:
        self.requests, self.answers, self.url = [], [], url


def main(directory: Path, url: str) -> None:
    """Serves until it is killed; prints its address."""
    with served(directory, Elsewhere(url), clock=SystemClock()) as found:
        sys.stdout.write(f"{found.address}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
