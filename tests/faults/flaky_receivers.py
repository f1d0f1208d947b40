"""Receivers that fail now and then, and keep what they took."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.alerts.http_receiver import Answer, HttpReceiver, Request
from tests.alerts.notifiers.events_v2 import ROUTING_KEY
from tests.alerts.notifiers.events_v2 import answer as pagerduty_answer

_NOTIFY = """\
notify:
  oncall: {{ pagerduty: {{ routing_key: "{key}", url: "{oncall}/v2/enqueue" }}, rate: 1000 }}
  am: {{ alertmanager: {{ urls: ["{am}"], resend: 2s }} }}
  hook: {{ webhook: {{ url: "{hook}/told", allow_private: true }}, rate: 1000 }}
"""
_FAILURES = (Answer(500), Answer(503, {"Retry-After": "1"}), Answer(429), Answer(500), Answer(502))


class Receivers:
    """A PagerDuty, an Alertmanager and a webhook."""

    NAMES = ("oncall", "am", "hook")

    def __init__(self, rng: random.Random, stack: ExitStack) -> None:
        self.taken: dict[str, list[Request]] = {name: [] for name in self.NAMES}
        """What each said yes to, in order."""
        self.steady = False
        """Whether they fail no more."""
        self.failed = 0
        """How often they failed."""
        self._rng, self._heard, self._requests = rng, threading.Condition(), 0
        usual: Mapping[str, Callable[[Request], Answer]] = {"oncall": pagerduty_answer}
        self._open = {
            name: stack.enter_context(HttpReceiver(usual=self._flaky(name, usual.get(name, lambda _: Answer())))) for name in self.NAMES
        }
        self.definition = _NOTIFY.format(key=ROUTING_KEY, **{name: receiver.url for name, receiver in self._open.items()})
        """The definition's part that names them."""

    def _flaky(self, name: str, usual: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            with self._heard:
                self._requests += 1
                self._heard.notify_all()
                draw = 1.0 if self.steady else self._rng.random()
                self.failed += draw < 0.25
                if draw < 0.005:
                    return Answer(silent=True)
                if draw < 0.25:
                    return self._rng.choice(_FAILURES)
                given = usual(request)
                if given.status < 300:
                    self.taken[name].append(request)
                return given

        return answer

    def wait_for_requests(self, count: int, timeout_s: float) -> bool:
        """Waits for so many more, of which the last may not be answered yet when this returns; whether they came."""
        with self._heard:
            wanted = self._requests + count
            return self._heard.wait_for(lambda: self._requests >= wanted, timeout_s)


@contextmanager
def flaky_receivers(rng: random.Random) -> Iterator[Receivers]:
    with ExitStack() as stack:
        yield Receivers(rng, stack)


@dataclass(frozen=True)
class Told:
    """One message as the webhook took it."""

    number: int
    content: Mapping[str, Any]
    idempotency_key: str | None
    """Where it came alone."""


def told(requests: list[Request]) -> list[Told]:
    """What a webhook took, in order, repeats and all."""
    found = []
    for request in requests:
        messages = request.json["messages"]
        key = request.headers["Idempotency-Key"] if len(messages) == 1 else None
        found += [Told(message["number"], message, key) for message in messages]
    return found
