"""Alerts of `livekpi run` itself, from an event posted to a real Alertmanager, a PagerDuty by its contract, and a webhook."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.http_receiver import HttpReceiver
from tests.alerts.notifiers.events_v2 import ROUTING_KEY, mistakes
from tests.alerts.notifiers.events_v2 import answer as pagerduty_answer
from tests.faults.livekpi_server import LivekpiServer
from tests.faults.posting import Client
from tests.servers.alertmanager_server import AlertmanagerServer

SERVICES = ("cart", "checkout", "search", "account")
FILE = """
sources:
  app:
    http: {{}}
    time: ts
    idle: 1s
    fields: {{ ts: timestamp, service: string, status: integer, level: optional integer }}
kpis:
  requests: {{ value: count(*), every: 1s }}
  errors:   {{ value: count(*) filter (where status >= 500), every: 1s, by: [service] }}
  stock:    {{ value: last(level), every: 1s, by: [service] }}
alerts:
  errors_high: {{ when: errors > 1, by: [service], severity: critical, notify: [oncall, am, hook] }}
  errors_stay: {{ when: errors > 1, for: 3s, notify: [hook] }}
  stock_low:   {{ when: stock < 20, by: [service], notify: [am, hook] }}
  silent:      {{ when: "absent(requests, 3s)", notify: [hook] }}
notify:
  oncall: {{ pagerduty: {{ routing_key: "{key}", url: "{oncall}/v2/enqueue" }}, rate: 1000 }}
  am:     {{ alertmanager: {{ urls: [{am}], resend: 1s }} }}
  hook:   {{ webhook: {{ url: "{hook}/told", allow_private: true }}, rate: 1000 }}
"""


class Services(threading.Thread):
    """Events of the services as they are now, five times a second, until `stop`."""

    def __init__(self, address: str) -> None:
        super().__init__(name="services", daemon=True)
        self.broken: frozenset[str] = frozenset()
        """Those that fail."""
        self.levels: dict[str, int] = {}
        self.silent = False
        self.error: BaseException | None = None
        self._client, self._ended = Client(address), threading.Event()

    def run(self) -> None:
        try:
            while not self._ended.wait(0.2):
                if not self.silent:
                    self._post()
        except BaseException as error:  # noqa: BLE001 - raised by `stop`
            self.error = error

    def stop(self) -> None:
        self._ended.set()
        self.join(30)
        self._client.close()
        if self.error is not None:
            raise self.error

    def _post(self) -> None:
        now, broken = datetime.now(UTC).isoformat(), self.broken
        rows = [
            {"ts": now, "service": service, "status": 500 if service in broken else 200, "level": self.levels.get(service)}
            for service in SERVICES
            for _ in range(3)
        ]
        answer = self._client.post("app", b"\n".join(json.dumps(row).encode() for row in rows))
        assert answer is not None, "no answer"
        assert answer[0] == 202, answer


@dataclass
class World:
    server: LivekpiServer
    services: Services
    oncall: HttpReceiver
    hook: HttpReceiver
    alertmanagers: list[AlertmanagerServer] = field(default_factory=list)

    def messages(self, rule: str) -> list[Any]:
        """What the webhook heard of a rule."""
        return [message for request in list(self.hook.requests) for message in request.json["messages"] if message["rule"] == rule]

    def now(self, rule: str) -> dict[str, str]:
        """By service what the webhook heard last."""
        return {
            alert["series"].get("service", ""): alert["status"] for message in self.messages(rule) for alert in reversed(message["alerts"])
        }

    def firing(self, rule: str) -> set[str]:
        return {service for service, status in self.now(rule).items() if status == "firing"}

    def judged(self, rule: str) -> set[str]:
        """Where it fires, as the API says."""
        return {alert["series"]["service"] for alert in self.server.get(f"/v1/alerts?rule={rule}")["alerts"]}

    def calls(self) -> list[Any]:
        """What PagerDuty heard of errors_high."""
        assert not [wrong for request in self.oncall.requests for wrong in mistakes(request.body)]
        return [request.json for request in list(self.oncall.requests) if request.json["payload"]["component"] == "errors_high"]

    def until(self, holds: Callable[[], object]) -> None:
        self.server.until(lambda: bool(holds()), 60)

    def ask(self, method: str, path: str, content: object = None) -> Any:
        connection = HTTPConnection(self.server.address, timeout=30)
        connection.request(method, path, None if content is None else json.dumps(content))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status < 300, body
        return json.loads(body)


@pytest.fixture
def world(alertmanager: Callable[[str], AlertmanagerServer], tmp_path: Path) -> Iterator[World]:
    with HttpReceiver(usual=pagerduty_answer) as oncall, HttpReceiver() as hook, HttpReceiver() as ignored:
        both = [alertmanager(ignored.url) for _ in range(2)]
        text = FILE.format(key=ROUTING_KEY, oncall=oncall.url, hook=hook.url, am=", ".join(f'"{each.url}"' for each in both))
        server = LivekpiServer(tmp_path, text)
        services = Services(server.address)
        try:
            server.start()
            server.wait_until_it_answers()
            services.start()
            yield World(server, services, oncall, hook, both)
            services.stop()
            server.process.terminate()
            assert server.process.wait(10) == 0
        finally:
            server.close()


def firing_at(server: AlertmanagerServer, rule: str) -> set[str]:
    return {alert["labels"]["service"] for alert in server.alerts() if alert["labels"]["alertname"] == rule}


def test_an_incident_from_its_first_event_to_its_end(world: World) -> None:
    first, second = world.alertmanagers
    three = {"cart", "checkout", "search"}
    world.services.broken = frozenset(three)
    world.until(lambda: world.firing("errors_high") == three)
    assert len(world.messages("errors_high")) == 1, "what broke at once is told at once"
    world.until(lambda: all(firing_at(each, "errors_high") == three for each in world.alertmanagers))
    world.until(lambda: world.calls() and world.calls()[-1]["payload"]["custom_details"]["alerts_in_all"] == 3)
    assert world.calls()[0]["event_action"] == "trigger"
    world.until(lambda: world.firing("errors_stay") == {""})

    first.process.kill()
    world.services.broken = frozenset(SERVICES)
    world.until(lambda: firing_at(second, "errors_high") == set(SERVICES))
    first.restart()
    world.until(lambda: firing_at(first, "errors_high") == set(SERVICES))

    world.services.broken = frozenset()
    world.until(lambda: world.now("errors_high") == dict.fromkeys(SERVICES, "resolved"))
    world.until(lambda: world.now("errors_stay") == {"": "resolved"})
    world.until(lambda: world.calls()[-1]["event_action"] == "resolve")
    world.until(lambda: not any(firing_at(each, "errors_high") for each in world.alertmanagers))
    assert len({call["dedup_key"] for call in world.calls()}) == 1


def test_a_level_that_falls_and_a_source_that_falls_silent(world: World) -> None:
    world.services.levels = {"cart": 100, "search": 100}
    world.until(lambda: world.server.get("/v1/kpis/requests?step=all")["points"])
    world.services.levels = {"cart": 5, "search": 100}
    world.until(lambda: world.firing("stock_low") == {"cart"})
    world.until(lambda: firing_at(world.alertmanagers[0], "stock_low") == {"cart"})
    world.services.levels = {"cart": 100, "search": 100}
    world.until(lambda: world.now("stock_low") == {"cart": "resolved"})
    world.until(lambda: not firing_at(world.alertmanagers[0], "stock_low"))

    world.services.silent = True
    world.until(lambda: world.firing("silent") == {""})
    world.services.silent = False
    world.until(lambda: world.now("silent") == {"": "resolved"})


def test_what_is_silenced_is_told_when_the_silence_ends(world: World) -> None:
    said = {"rule": "errors_high", "series": {"service": "cart"}, "author": "Ada", "reason": "a release", "for": "1h"}
    number = world.ask("POST", "/v1/silences", said)["number"]
    world.services.broken = frozenset({"cart", "search"})
    world.until(lambda: world.firing("errors_high") == {"search"})
    world.until(lambda: world.judged("errors_high") == {"cart", "search"})
    assert "cart" not in world.now("errors_high")
    world.ask("DELETE", f"/v1/silences/{number}")
    world.until(lambda: world.firing("errors_high") == {"cart", "search"})
