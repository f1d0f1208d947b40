"""What livekpi measures of itself. docs/metrics.md describes each for those who watch it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_FRESHNESS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400)


class Metrics:
    """All metrics, in the registry that /metrics exposes. A counter's name ends in _total there."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        source = ["source"]

        def counter(name: str, text: str, labels: list[str]) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, labels: list[str]) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        # What came in.
        self.events = counter("livekpi_events", "Records read, dead letters and repeats included.", source)
        self.bytes = counter("livekpi_bytes", "Bytes of the records read.", source)
        self.dead_letters = counter("livekpi_dead_letters", "Records kept as dead letters, by the kind of reason.", ["source", "reason"])
        self.late_events = counter("livekpi_late_events", "Events counted into a bucket that was already final.", source)
        self.repeats = counter("livekpi_repeats", "Events dropped because their id was seen before.", source)
        self.lost_records = counter("livekpi_lost_records", "Records that were gone from the broker before they were read.", source)
        self.lag = gauge("livekpi_lag", "What is known to be unread: records for Kafka, bytes for others.", ["source", "partition"])

        # What became of it.
        self.batches = counter("livekpi_batches", "Batches committed to the store.", [])
        self.commit = Histogram("livekpi_commit_seconds", "How long a batch's transaction took.", buckets=_SECONDS, registry=registry)
        self.freshness = Histogram(
            "livekpi_freshness_seconds",
            "From an event's own time to its commit.",
            source,
            buckets=_FRESHNESS_SECONDS,
            registry=registry,
        )
        self.series = gauge("livekpi_series", "Series a KPI has.", ["kpi"])
        self.limited_events = counter("livekpi_limited_events", "Events counted under __other__ for the limit on series.", ["kpi"])

        # The door.
        self.posted_events = counter(
            "livekpi_http_events", "Events in requests that were answered 202, by what the door saw: good or dead.", ["source", "seen"]
        )
        self.refused_requests = counter("livekpi_http_refused_requests", "Requests to the door that were not taken, by status.", ["status"])
        self.viewers = gauge("livekpi_viewers", "Streams open now.", [])
        self.coalesced = counter("livekpi_viewer_coalesced", "Messages merged into a later one for a viewer that reads slowly.", [])

        # What it holds.
        self.ingest_log_bytes = gauge("livekpi_ingest_log_bytes", "Size of the ingest log.", source)
        self.torn_tails = counter("livekpi_ingest_log_torn_tails", "Unfinished writes found at start and cut off.", source)
        self.missing_bytes = counter("livekpi_ingest_log_missing_bytes", "Bytes of the log whose file was gone.", source)
        self.store_bytes = gauge("livekpi_store_bytes", "Size of the store's files.", [])
        self.process_memory_bytes = gauge("livekpi_process_memory_bytes", "Resident memory of this process.", [])
