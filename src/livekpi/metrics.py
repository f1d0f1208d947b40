"""What livekpi measures of itself. docs/reference/metrics.md is made from the texts here."""

from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from livekpi.delays import Delays
from livekpi.events import DeadLetter

_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_FRESHNESS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400)


class SourceOutcome(Protocol):
    """What a batch held of one source."""

    @property
    def events(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def expired(self) -> int: ...
    @property
    def repeats(self) -> int: ...
    @property
    def dead(self) -> Sequence[DeadLetter]: ...
    @property
    def times(self) -> pa.ChunkedArray | None:
        """The events' own times in µs."""


class Outcome(Protocol):
    """What a batch did."""

    @property
    def at_us(self) -> int: ...
    @property
    def sources(self) -> Mapping[str, SourceOutcome]: ...
    @property
    def series(self) -> Mapping[str, int]:
        """By KPI, how many series it has."""

    @property
    def limited(self) -> Mapping[str, int]:
        """By KPI, how many events were counted as others for the limit on series."""


MOST_FIRING = 1_000
"""How many alerts that fire are exposed one by one."""
_FIRING = f"1 for each alert that fires, of which {MOST_FIRING:,} at most are listed."


@dataclass(frozen=True)
class AlertCounts:
    """What is looked up of alerts."""

    states: Mapping[tuple[str, str, str], int]
    """By rule, severity and state (pending, firing), how many series are in it."""
    firing: Sequence[tuple[str, str, str]]
    """Rule, severity and series of each that fires, those to be named first where there are too many."""
    waiting: Mapping[str, int]
    """By receiver, how many messages it has not got yet."""


class _Maker:
    """Makes metrics in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, labels: list[str]) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)

    def seconds(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_COMMIT_S, registry=self._registry)


class Metrics:
    """All metrics, in the registry that /metrics exposes. A counter's name ends in _total there."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._find_lag: Callable[[], Mapping[str, Mapping[str, int]]] = dict
        self._find_alerts: Callable[[], AlertCounts | None] = lambda: None
        make, source = _Maker(registry), ["source"]
        counter, gauge, seconds = make.counter, make.gauge, make.seconds

        # What came in.
        self.events = counter("livekpi_events", "Events read, repeats included; dead letters are counted apart.", source)
        self.bytes = counter("livekpi_bytes", "Bytes of the records read.", source)
        self.dead_letters = counter("livekpi_dead_letters", "Records kept as dead letters, by the kind of reason.", ["source", "reason"])
        self.late_events = counter("livekpi_late_events", "Events whose bucket was final when they came.", source)
        self.expired_events = counter("livekpi_expired_events", "Events for a time that is kept no more, so that nobody sees them.", source)
        self.repeats = counter("livekpi_repeats", "Events dropped because their id was seen before.", source)
        self.lost_records = counter("livekpi_lost_records", "Records that were gone from the broker before they were read.", source)
        self.lag = gauge("livekpi_lag", "What is known to be unread: records for Kafka, bytes for others.", ["source", "partition"])

        # What is judged, and who was told.
        self.judgement = seconds("livekpi_judgement_seconds", "How long a step took in which alert rules were judged.")
        self.alerts = gauge("livekpi_alerts", "Series of an alert rule that are pending, or firing.", ["rule", "severity", "state"])
        self.alert_firing = gauge("livekpi_alert_firing", _FIRING, ["rule", "severity", "series"])
        self.outbox_waiting = gauge("livekpi_outbox_waiting", "Messages that a receiver has not got yet.", ["receiver"])
        self.notifications = counter(
            "livekpi_notifications", "Messages handed to a receiver, and attempts that failed.", ["receiver", "outcome"]
        )

        # What became of it.
        self.batches = counter("livekpi_batches", "Batches committed to the store.", [])
        self.commit = seconds("livekpi_commit_seconds", "How long a batch took to compute and commit.")
        self.freshness = Delays("livekpi_freshness_seconds", "From an event's own time to its commit.", _FRESHNESS_S)
        registry.register(self.freshness)
        self.series = gauge("livekpi_series", "Series a KPI has.", ["kpi"])
        self.limited_events = counter("livekpi_limited_events", "Events counted under __other__ for the limit on series.", ["kpi"])

        # Of a cluster's job.
        self.job_up = gauge("livekpi_job_up", "1 while the cluster says that the job runs, else 0.", ["engine"])
        self.job_restarts = gauge(
            "livekpi_job_restarts", "How often the job was restarted, by the cluster or, on Spark, by livekpi.", ["engine"]
        )
        self.job_checkpoint = gauge(
            "livekpi_job_checkpoint_seconds", "When the job's last checkpoint was complete, by the epoch.", ["engine"]
        )
        self.job_submissions = counter(
            "livekpi_job_submissions", "How often the job was submitted, at the start or because it failed.", ["engine"]
        )
        self.stale_rows = counter(
            "livekpi_stale_rows", "Rows of the job for buckets that had been rolled up already; they are not taken.", source
        )

        # The door and the viewers.
        self.http_events = counter("livekpi_http_events", "Events answered 202, by what the door saw: good or dead.", ["source", "seen"])
        self.refused_requests = counter("livekpi_http_refused_requests", "Requests with events that were refused, by status.", ["status"])
        self.viewers = gauge("livekpi_viewers", "Streams open now.", [])
        self.coalesced = counter("livekpi_viewer_coalesced", "Messages merged into a later one for a viewer that reads slowly.", [])
        self.dropped_viewers = counter("livekpi_dropped_viewers", "Streams ended because their viewer read far too slowly.", [])

        # Who asks.
        self.query = seconds("livekpi_query_seconds", "How long the answer to a question over HTTP took, once it had its turn.")
        self.queries_waiting = gauge("livekpi_queries_waiting", "Questions over HTTP that wait for their turn.", [])
        self.queries_unanswered = counter(
            "livekpi_queries_unanswered", "Questions over HTTP that were given up, by why: slow, gone, busy, memory, stopping.", ["why"]
        )

        # What it holds.
        self.ingest_log_bytes = gauge("livekpi_ingest_log_bytes", "Size of the ingest log.", source)
        self.torn_tails = counter("livekpi_ingest_log_torn_tails", "Unfinished writes found at start and cut off.", source)
        self.missing_bytes = counter("livekpi_ingest_log_missing_bytes", "Bytes of the log whose file was gone.", source)
        self.store_bytes = gauge("livekpi_store_bytes", "Size of the store's files.", [])
        self.process_memory_bytes = gauge("livekpi_process_memory_bytes", "Resident memory of this process.", [])

    def measure(
        self,
        *,
        store_bytes: Callable[[], float],
        process_memory_bytes: Callable[[], float],
        lag: Callable[[], Mapping[str, Mapping[str, int]]],
    ) -> None:
        """Says how to find out what is looked up only when somebody asks; `lag` is by source and partition."""
        self.store_bytes.set_function(store_bytes)
        self.process_memory_bytes.set_function(process_memory_bytes)
        self._find_lag = lag

    def measure_alerts(self, find: Callable[[], AlertCounts | None]) -> None:
        """Says how to find out what becomes of alerts; where it finds None that can't be known at the time, and nothing is said."""
        self._find_alerts = find

    def _look_up_alerts(self) -> None:
        for gauge in (self.alerts, self.alert_firing, self.outbox_waiting):
            gauge.clear()
        found = self._find_alerts()
        if found is None:
            return
        for labels, count in found.states.items():
            self.alerts.labels(*labels).set(count)
        for labels in found.firing[:MOST_FIRING]:
            self.alert_firing.labels(*labels).set(1)
        for receiver, count in found.waiting.items():
            self.outbox_waiting.labels(receiver).set(count)

    def exposition(self) -> bytes:
        """All of them, in OpenMetrics' text; for one thread at a time. May take a while."""
        self._look_up_alerts()
        self.lag.clear()
        for source, partitions in self._find_lag().items():
            for partition, lag in partitions.items():
                self.lag.labels(source, partition).set(lag)
        return bytes(generate_latest(self.registry))  # type: ignore[no-untyped-call]  # the library has no types there

    def read_of(self, source: str) -> tuple[int, int]:
        """How many events and dead letters of a source have been committed since the start."""
        events = self.registry.get_sample_value("livekpi_events_total", {"source": source})
        (letters,) = self.dead_letters.collect()
        dead = (each.value for each in letters.samples if each.name.endswith("_total") and each.labels["source"] == source)
        return int(events or 0), int(sum(dead))

    def batch(self, seconds: float, outcome: Outcome) -> None:
        """Counts a committed batch, which took so long."""
        self.batches.inc()
        self.commit.observe(seconds)
        for name, found in outcome.sources.items():
            self.events.labels(name).inc(found.events)
            self.bytes.labels(name).inc(found.bytes)
            self.late_events.labels(name).inc(found.late)
            self.expired_events.labels(name).inc(found.expired)
            self.repeats.labels(name).inc(found.repeats)
            for code, count in Tally(letter.code for letter in found.dead).items():
                self.dead_letters.labels(name, code).inc(count)
            if found.times is not None:
                self.freshness.observe(name, pc.subtract(pa.scalar(outcome.at_us), found.times))
        for kpi, count in outcome.series.items():
            self.series.labels(kpi).set(count)
        for kpi, count in outcome.limited.items():
            if count:
                self.limited_events.labels(kpi).inc(count)
