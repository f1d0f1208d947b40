"""Events of services in which things go wrong for short times and are well again, and which alerts must follow.

What must follow is worked out here by plain Python over what was sent, second by second, by other means than livekpi's own.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.faults.traffic import SECOND_US

SERVICES = ("cart", "checkout", "search", "account", "catalog")
END = "end"
"""The service that has one incident, the last of all."""
DEFINITION = """
sources:
  shop:
    http: {{}}
    time: ts
    id: event_id
    idle: 1s
    fields: {{ ts: timestamp, event_id: string, service: string, status: integer, level: integer }}
kpis:
  every_event: {{ value: count(*), every: 10s }}
  errors:      {{ value: count(*) filter (where status >= 500), every: 1s, by: [service] }}
  error_rate:  {{ value: count(*) filter (where status >= 500) / count(*), every: 1s, by: [service] }}
  stock:       {{ value: last(level), every: 1s, by: [service] }}
alerts:
  errors_many: {{ when: errors > 2, by: [service], notify: {notify} }}
  errors_long: {{ when: error_rate > 0.5, by: [service], for: 3s, keep: 2s, notify: {notify} }}
  stock_low:   {{ when: stock < 20, by: [service], notify: {notify} }}
"""
RULES = ("errors_many", "errors_long", "stock_low")
LEVEL = "stock_low"
"""The rule that is judged while a bucket is still open: of what comes and goes within one it tells, and the numbers keep no trace."""

Verdict = bool | None
Incident = tuple[str, str, int, int]
"""Rule, service, beginning and end, in µs."""


@dataclass(frozen=True)
class Event:
    time_us: int
    name: str
    service: str
    status: int
    level: int

    def record(self) -> bytes:
        """As it is sent."""
        text = datetime.fromtimestamp(self.time_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{self.time_us % SECOND_US:06}Z"
        content = {"ts": text, "event_id": self.name, "service": self.service, "status": self.status, "level": self.level}
        return json.dumps(content).encode()


class Story:
    """Goes on by a second of event time with each call of `second`; some seconds come late, some have no events."""

    def __init__(self, rng: random.Random, begin_us: int) -> None:
        self.events: list[Event] = []
        """What was made so far."""
        self._rng, self._now_us = rng, begin_us // SECOND_US * SECOND_US
        self._bad = dict.fromkeys(SERVICES, False)
        self._levels = dict.fromkeys(SERVICES, 30)
        self._late: list[tuple[int, Event]] = []

    def second(self) -> list[Event]:
        """The events that come in the next second."""
        made = [self._of(service) for service in SERVICES]
        self._now_us += SECOND_US
        late = [event for due_us, event in self._late if due_us <= self._now_us]
        self._late = [(due_us, event) for due_us, event in self._late if due_us > self._now_us]
        kept: list[Event] = []
        for own in made:
            if self._rng.random() < 0.01:  # rarely enough for it not to be waited for
                due_us = self._now_us + self._rng.randrange(5, 60) * SECOND_US
                self._late += [(due_us, event) for event in own]
            else:
                kept += own
        return late + kept

    def end(self) -> Iterator[list[Event]]:
        """The last seconds: what is late comes, all is well, and then the last incident begins and ends."""
        yield [event for _, event in self._late]
        for _ in range(5):
            yield self._calm(SERVICES)
        yield self._calm(SERVICES) + self._many(END, [500] * 5, [100] * 5)
        for _ in range(5):
            yield self._calm((*SERVICES, END))

    def _of(self, service: str) -> list[Event]:
        rng = self._rng
        if rng.random() < (0.3 if self._bad[service] else 0.08):
            self._bad[service] = not self._bad[service]
        self._levels[service] = min(60, max(0, self._levels[service] + rng.randrange(-6, 7)))
        if rng.random() < 0.1:
            return []
        errors, fine = (rng.randrange(3, 7), rng.randrange(3)) if self._bad[service] else (rng.randrange(3), rng.randrange(1, 5))
        statuses = [500] * errors + [200] * fine
        rng.shuffle(statuses)
        levels = [max(0, self._levels[service] + rng.randrange(-8, 9)) for _ in statuses]
        return self._many(service, statuses, levels)

    def _calm(self, services: Iterable[str]) -> list[Event]:
        found = [event for service in services for event in self._many(service, [200] * 3, [100] * 3)]
        self._now_us += SECOND_US
        return found

    def _many(self, service: str, statuses: Sequence[int], levels: Sequence[int]) -> list[Event]:
        times_us = sorted(self._rng.sample(range(SECOND_US), len(statuses)))
        first = len(self.events)
        made = [
            Event(self._now_us + time_us, f"e{first + place}", service, status, level)
            for place, (time_us, status, level) in enumerate(zip(times_us, statuses, levels, strict=True))
        ]
        self.events += made
        return made


def expected(events: Iterable[Event]) -> set[Incident]:
    """Every incident of each rule, with its beginning and end."""
    buckets: dict[str, dict[int, list[Event]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        buckets[event.service][event.time_us // SECOND_US].append(event)
    last = max(second for seconds in buckets.values() for second in seconds)
    found: set[Incident] = set()
    for service, seconds in buckets.items():
        times = range(min(seconds), last + 1)
        each = [seconds.get(second, []) for second in times]
        judged: dict[str, tuple[Sequence[Verdict], int, int]] = {
            "errors_many": ([_errors(own) > 2 for own in each], 0, 0),
            "errors_long": ([_errors(own) / len(own) > 0.5 if own else None for own in each], 3, 2),
            LEVEL: (list(_low(each)), 0, 0),
        }
        for rule, (verdicts, for_s, keep_s) in judged.items():
            ends = (second + 1 for second in times)
            incidents = _incidents(zip(ends, verdicts, strict=True), for_s, keep_s)
            found |= {(rule, service, begin_s * SECOND_US, end_s * SECOND_US) for begin_s, end_s in incidents}
    return found


def _low(each: Iterable[list[Event]]) -> Iterator[Verdict]:
    level: int | None = None
    for own in each:
        level = max(own, key=lambda event: event.time_us).level if own else level
        yield None if level is None else level < 20


def _errors(own: list[Event]) -> int:
    return sum(event.status >= 500 for event in own)


def _incidents(verdicts: Iterable[tuple[int, Verdict]], for_s: int, keep_s: int) -> Iterator[tuple[int, int]]:
    """Beginnings and ends, from verdicts by the end of their second; the last must be over."""
    holds_since: int | None = None
    began: int | None = None
    ceased: int | None = None
    for end, verdict in verdicts:
        if began is not None and ceased is not None and end > ceased + keep_s:
            yield began, ceased + keep_s
            began = ceased = None
        if began is not None:
            ceased = None if verdict else ceased if verdict is None or ceased is not None else end
            continue
        holds_since = None if verdict is False else holds_since if holds_since is not None or not verdict else end - 1
        if verdict and holds_since is not None and end >= holds_since + for_s:
            began, holds_since = end, None
    if began is not None and ceased is not None:
        yield began, ceased + keep_s
    assert began is None or ceased is not None, "the story ends well"
