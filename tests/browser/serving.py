"""livekpi as a page's visitors meet it: a process of the installed command, at one address in all its lives."""

import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.servers.nursery import installed_command
from tests.servers.ports import free_ports
from tests.servers.process import Process

_PATIENCE_S = 60
_POLL_S = 0.05
_BUCKET_S = 60  # no shorter than a step of the tables that tests look into
_SETTLED = 2  # buckets, after which nothing is posted by chance

Event = dict[str, object]


class Server:
    """``livekpi run`` on a definition that may change, with its files in `directory`."""

    def __init__(self, directory: Path, definition: str, *options: str, token: str | None = None) -> None:
        """`token` is what this tests' own requests present."""
        [port] = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"
        self.file = directory / "definition.yaml"
        self.file.write_text(definition)
        self._command: list[str | Path] = [*installed_command(), "run", self.file, "--data", directory / "data", "--listen", self.address]
        self._command += options
        self._log = directory / "livekpi.log"
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._ids = itertools.count()
        self._buckets: set[int] = set()
        self.process = self._begin()

    def restart(self) -> None:
        """Starts it again after `kill`; returns when it answers."""
        self.process = self._begin()

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()

    def close(self) -> None:
        self.process.close()

    def post(self, *events: Event, source: str = "shop") -> None:
        """Has events counted, or kept as dead letters; fails where the door is not open."""
        body = "\n".join(json.dumps(event) for event in events)
        status, answer = self.ask("POST", f"/v1/events/{source}", body)
        assert status == 202, answer

    def purchase(self, ago_s: float, amount: float, **others: object) -> Event:
        """An event so long ago, one more in `revenue` and `orders`."""
        return self.event(ago_s, event="purchase", amount=amount, **others)

    def event(self, ago_s: float, **fields: object) -> Event:
        """An event so long ago, a visit where nothing else is said."""
        at_s = time.time() - ago_s
        self._buckets.add(int(at_s // _BUCKET_S))
        ts = datetime.fromtimestamp(at_s, UTC).isoformat()
        return {"ts": ts, "id": f"e{next(self._ids)}", "event": "visit", "country": "DE", "service": "web", **fields}

    def apart_s(self) -> float:
        """How long ago a minute was in which no event lies: one that is posted there stands alone in its row."""
        now_s = time.time()
        bucket = int(now_s // _BUCKET_S) - _SETTLED
        while bucket in self._buckets:
            bucket -= 1
        return now_s - (bucket + 0.5) * _BUCKET_S

    def get(self, path: str) -> Any:
        """What it answers, as JSON."""
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return json.loads(answer)

    def wait_total(self, kpi: str, value: float) -> None:
        """Returns when a KPI is so much over all its time: what is posted is on disk then, and counted a moment later."""
        deadline = time.monotonic() + _PATIENCE_S
        while (points := self.get(f"/v1/kpis/{kpi}?step=all")["points"]) == [] or points[0]["value"] != value:
            assert time.monotonic() < deadline, points
            time.sleep(_POLL_S)  # nothing to wait on: it is another process

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        _, answer = self.ask("GET", "/metrics")
        [value] = [line.split()[1] for line in answer.splitlines() if line.startswith(f"{name} ")]
        return float(value)

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Status and text of an answer."""
        connection = HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def _begin(self) -> Process:
        process = Process(self._command, self._log)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert process.running(), f"livekpi ended:\n{process.tail()}"
            assert time.monotonic() < deadline, f"livekpi does not answer:\n{process.tail()}"
            time.sleep(_POLL_S)  # nothing to wait on: it is another process
        return process

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except (OSError, HTTPException):
            return False


@contextmanager
def trading(server: Server, every_s: float = 0.3, **fields: object) -> Iterator[None]:
    """A shop in which something goes on: an event, a visit where nothing else is said, every so often until the block ends."""
    ended = threading.Event()
    failed: list[BaseException] = []

    def trade() -> None:
        while not ended.wait(every_s):
            try:
                server.post(server.event(0, **fields))
            except BaseException as error:  # noqa: BLE001 - raised below
                failed.append(error)
                return

    thread = threading.Thread(target=trade, name="trading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)
    if failed:
        raise failed[0]


def definition(kpis: str = "", *, alerts: str = "", dashboards: str = "", limits: str = "") -> str:
    """A shop's file with further entries, each of them indented by two spaces."""
    parts = {"alerts": alerts, "dashboards": dashboards, "limits": limits}
    return _SHOP + kpis + "".join(f"{name}:\n{text}" for name, text in parts.items() if text)


def shop_events(server: Server, seconds: int = 600, every_s: int = 10) -> Sequence[Event]:
    """A quiet shop's last minutes: purchases and visits at a steady beat, of three countries, the oldest first."""
    found: list[Event] = []
    for ago_s in range(seconds, 0, -every_s):
        for place, country in enumerate(("DE", "FR", "GB")):
            found.append(server.purchase(ago_s, 10 * (place + 1), country=country))
            found += [server.event(ago_s, country=country) for _ in range(3)]
    return found


_SHOP = """\
sources:
  shop:
    http: {}
    time: ts
    id: id
    late: 5s
    fields:
      ts: timestamp
      id: string
      event: string
      country: optional string
      service: optional string
      amount: optional decimal(18, 2)
      status: optional integer
kpis:
  revenue:
    title: Revenue
    value: sum(amount) filter (where event = 'purchase')
    every: 10s
    by: [country]
    unit: EUR
    good: up
    description: What customers paid, before returns.
    owner: finance
    target: { 1d: 100000, timezone: Europe/Berlin }
  orders: { title: Orders, value: count(*) filter (where event = 'purchase'), every: 10s, by: [country], good: up }
  visits: { title: Visits, value: count(*) filter (where event = 'visit'), every: 10s, by: [country], good: up }
  failures: { title: Failures, value: count(*) filter (where status >= 500), every: 10s, by: [service], good: down }
  conversion: { title: Conversion, value: orders / visits, unit: ratio, good: up }
"""
