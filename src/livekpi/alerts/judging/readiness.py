"""When a rule's buckets can be judged: as soon as most of their events have usually arrived.

How late a source's events come is learned from those that were committed, against the newest of their partition before them; so
what is read from a backlog teaches the same as what comes live.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livekpi.alerts.judging.silence import Silence
from livekpi.definition.definition import Definition
from livekpi.definition.rules.counts import is_count, is_zero_of_nothing
from livekpi.definition.rules.rules import Rule
from livekpi.definition.sql.expressions import KpiValue
from livekpi.events import Events
from livekpi.insight.lateness import Lateness, running_behind
from livekpi.query.snapshot import Snapshot
from livekpi.store import positions

CAUTION_US = 2_000_000
"""How long is waited for late events of a source of which nothing is known yet."""
WHOLE = 0.9999
"""A bucket of which this share has arrived counts as complete."""
_MOST_BUCKETS = 1_000


@dataclass(frozen=True)
class Ready:
    """What of a rule can be judged now."""

    until_us: int
    """Up to which bucket's end."""
    over_us: int
    """Up to which bucket's end the buckets are over: of levels the open one can be judged, too."""
    present_us: int
    """The newest event's time, or the clock's where nothing is waited for."""
    share: Callable[[int], float]
    """Which share of a bucket's events is thought to be there, by its start."""

    def shares(self, until_us: int, every_us: int) -> dict[int, float]:
        """Of the buckets up to an end that are not complete, by their start."""
        found: dict[int, float] = {}
        for start_us in range(until_us - every_us, until_us - _MOST_BUCKETS * every_us, -every_us):
            share = self.share(start_us)
            if share >= WHOLE:
                break
            found[start_us] = share
        return found


class Arrivals:
    """How late events come, by source. `observe` is called on the engine's thread, the rest on the alerts'."""

    def __init__(self, definition: Definition) -> None:
        self._guard = threading.Lock()
        self._lateness = {name: Lateness(CAUTION_US) for name in definition.sources}
        self._newest: dict[tuple[str, str], int] = {}

    def observe(self, batch: Sequence[Events]) -> None:
        """Learns from events that were committed, in the order in which they came."""
        for events in batch:
            if not events.table.num_rows:
                continue
            times_us = events.table["_time"].to_numpy().astype("datetime64[us]").astype(np.int64)
            partitions = events.table["_partition"].to_numpy() if len(events.partitions) > 1 else None
            for index, name in enumerate(events.partitions):
                own = times_us if partitions is None else times_us[partitions == index]
                if len(own):
                    self._learn(events.source, name, own)

    def _learn(self, source: str, partition: str, times_us: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
        newest = self._newest.get((source, partition))
        behind_us = running_behind(times_us, newest)
        self._newest[source, partition] = max(int(times_us.max()), newest if newest is not None else int(times_us[0]))
        with self._guard:
            self._lateness[source].observe(behind_us)

    def load(self, found: Mapping[str, bytes]) -> None:
        """Goes on from what was learned before."""
        with self._guard:
            for source, state in found.items():
                if source in self._lateness:
                    self._lateness[source] = Lateness.from_bytes(state)

    def dump(self) -> dict[str, bytes]:
        with self._guard:
            return {source: lateness.to_bytes() for source, lateness in self._lateness.items()}

    def wait_us(self, source: str, every_us: int, share: float) -> int:
        """How far the watermark must be beyond a bucket's end until that share of its events is there."""
        with self._guard:
            return self._lateness[source].wait_us(every_us, share)

    def complete(self, source: str, every_us: int, past_end_us: int) -> float:
        """Which share of a bucket's events is there when the watermark is so far beyond its end."""
        with self._guard:
            return self._lateness[source].complete(every_us, past_end_us)


def ready(rule: Rule, definition: Definition, known: Snapshot, arrivals: Arrivals, silence: Silence, now_us: int) -> Ready | None:
    """What of a rule can be judged now; None before its sources' first events.

    An event from ahead of the clock brings no bucket to its end: none is over before the clock says so. After a source's last event a
    rule that asks `absent` is judged on by the clock, one that asks counts or sums for as long as these are known to be 0, and others are
    not.
    """
    zeros = zero_sources(rule, definition)
    absence = rule.asks_absence
    found = []
    for name in sources_of(rule, definition):
        own, idle_us = known.positions(name), definition.sources[name].idle_us
        watermark_us, last_us = positions.watermark_us(own, now_us, idle_us), known.last_event_us(name)
        if watermark_us is None or last_us is None:
            return None
        idle = not positions.waited_for_us(own, now_us, idle_us)
        silent_us = silence.until_us.get(name, 0)
        known_us = now_us if absence and silence.listened(name, now_us) else silent_us if absence or name in zeros else 0
        found.append(_ready(rule, arrivals, name, _Reached(watermark_us, last_us, now_us, idle, known_us, silent_us)))
    return Ready(
        min(each.until_us for each in found),
        min(each.over_us for each in found),
        min(each.present_us for each in found),
        lambda start_us: min(each.share(start_us) for each in found),
    )


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far a source is."""

    watermark_us: int
    last_us: int
    """Its newest event."""
    now_us: int
    idle: bool
    known_us: int
    """Up to when the rule can be judged after the newest event."""
    silent_us: int
    """Up to when the source is known to be silent."""


def sources_of(rule: Rule, definition: Definition) -> list[str]:
    """The sources of a rule's KPIs, in order."""
    return sorted({source for kpi in rule.kpis for source in definition.kpis[kpi].sources})


def zero_sources(rule: Rule, definition: Definition) -> set[str]:
    """The sources of which a rule asks what is 0 where nothing comes."""
    asked = [(question.function, definition.kpis[question.kpi]) for question in rule.questions]
    return {source for function, kpi in asked if _is_known_of_nothing(function, kpi.value) for source in kpi.sources}


def _is_known_of_nothing(function: str, value: KpiValue) -> bool:
    if function == "anomalous":  # what a sum usually is is learned of buckets that have events
        return is_count(value)
    return function != "absent" and is_zero_of_nothing(value)


def _ready(rule: Rule, arrivals: Arrivals, source: str, reached: _Reached) -> Ready:
    every_us, level, idle = rule.every_us, all(condition.level for condition in rule.conditions), reached.idle
    watermark_us, last_us = min(reached.watermark_us, reached.now_us), min(reached.last_us, reached.now_us)
    wait_us = 0 if idle or level else arrivals.wait_us(source, every_us, rule.ready)
    over_us = (watermark_us - wait_us) // every_us * every_us
    open_us = (last_us // every_us + 1) * every_us
    # what a level is now is known now; and after a source's last event there are no numbers to judge, unless they are known to be 0
    until_us = max(over_us, open_us) if level else over_us
    until_us = min(until_us, max(open_us, reached.known_us // every_us * every_us))

    def share(start_us: int) -> float:
        end_us = start_us + every_us
        past = end_us > reached.now_us  # what lies ahead of a clock that was set back was over before
        # nor does what was known to be whole become less so when a late event is heard
        return 1.0 if idle or level or past or end_us <= reached.silent_us else arrivals.complete(source, every_us, watermark_us - end_us)

    return Ready(until_us, min(over_us, until_us), max(watermark_us, last_us) if level else watermark_us, share)
