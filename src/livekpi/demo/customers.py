"""The shop's customers: post its events to the server's door as they arrive."""

import json
import threading

from livekpi.client import Client
from livekpi.clock import Clock
from livekpi.demo.generator import Shop, incident_at

SOURCE = "shop"
BODY_EVENTS = 1_000
BEAT_S = 0.5


class Customers:
    """Posts until it is stopped; says how it goes."""

    def __init__(self, client: Client, shop: Shop, seed: int, clock: Clock) -> None:
        self._client, self._shop, self._seed, self._clock = client, shop, seed, clock
        self.posted_events = 0
        """How many events the server has accepted."""

    def post(self, stop: threading.Event) -> None:
        """Posts what arrives until `stop` is set; raises ClientError where the server no longer takes it."""
        while not stop.is_set():
            events = self._shop.until(self._clock.now_us())
            for begin in range(0, len(events), BODY_EVENTS):
                lines = b"".join(json.dumps(event).encode() + b"\n" for event in events[begin : begin + BODY_EVENTS])
                self.posted_events += self._client.post_events(SOURCE, lines)["accepted"]
            stop.wait(BEAT_S)

    def news(self) -> str:
        """What goes on in the shop just now, in a line."""
        incident = incident_at(self._seed, self._clock.now_us())
        trouble = f"incident: {incident.service} fails, {incident.country} stops buying" if incident else "all is well"
        return f"{self.posted_events:,} events posted · {trouble}"
