from dataclasses import dataclass, field

import pyarrow as pa
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from livekpi.events import DeadLetter
from livekpi.metrics import Metrics


@dataclass
class Found:
    events: int = 3
    bytes: int = 700
    late: int = 1
    expired: int = 4
    repeats: int = 2
    dead: list[DeadLetter] = field(default_factory=list)
    times: pa.ChunkedArray | None = None


@dataclass
class Batch:
    at_us: int
    sources: dict[str, Found]
    series: dict[str, int]
    limited: dict[str, int]


def dead(code: str) -> DeadLetter:
    return DeadLetter("shop", "0", 1, None, "why", b"", 0, code)


def test_a_batch_is_counted() -> None:
    metrics = Metrics(CollectorRegistry())
    times = pa.chunked_array([[1_000_000, 2_900_000]], pa.int64())
    batch = Batch(
        3_000_000, {"shop": Found(dead=[dead("missing"), dead("missing"), dead("not_json")], times=times)}, {"orders": 5}, {"orders": 4}
    )
    for _ in range(2):
        metrics.batch(0.02, batch)
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }
    shop = (("source", "shop"),)
    assert found["livekpi_batches_total", ()] == 2
    assert found["livekpi_commit_seconds_sum", ()] == 0.04
    assert found["livekpi_events_total", shop] == 6
    assert found["livekpi_bytes_total", shop] == 1400
    assert found["livekpi_late_events_total", shop] == 2
    assert found["livekpi_expired_events_total", shop] == 8
    assert found["livekpi_repeats_total", shop] == 4
    assert found["livekpi_dead_letters_total", (("reason", "missing"), *shop)] == 4
    assert found["livekpi_dead_letters_total", (("reason", "not_json"), *shop)] == 2
    assert found["livekpi_freshness_seconds_bucket", (("le", "0.1"), *shop)] == 2
    assert found["livekpi_freshness_seconds_sum", shop] == 4.2
    assert found["livekpi_series", (("kpi", "orders"),)] == 5
    assert found["livekpi_limited_events_total", (("kpi", "orders"),)] == 8


def test_what_is_looked_up_is_looked_up_at_each_exposition() -> None:
    metrics = Metrics(CollectorRegistry())
    lag = {"shop": {"0": 7, "1": 0}}
    metrics.measure(store_bytes=lambda: 10, process_memory_bytes=lambda: 20, lag=lambda: lag)
    assert b'livekpi_lag{partition="0",source="shop"} 7.0' in metrics.exposition()
    del lag["shop"]["0"]
    text = metrics.exposition()
    assert b'partition="0"' not in text
    assert b'livekpi_lag{partition="1",source="shop"} 0.0' in text
    assert b"livekpi_store_bytes 10.0" in text
    assert b"livekpi_process_memory_bytes 20.0" in text


def test_it_is_open_metrics() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.batch(0.1, Batch(1, {"shop": Found()}, {}, {}))
    families = {family.name for family in text_string_to_metric_families(metrics.exposition().decode())}  # type: ignore[no-untyped-call]
    assert "livekpi_events" in families
