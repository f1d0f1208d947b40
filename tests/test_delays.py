import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from livekpi.delays import Delays

BOUNDS_S = (0.01, 0.5, 2.0)
DELAYS = st.lists(st.integers(-1_000_000, 10_000_000) | st.sampled_from([10_000, 500_000, 2_000_000]), max_size=20)


@given(st.lists(DELAYS, max_size=2))
def test_it_counts_as_the_librarys_histogram_does(batches: list[list[int]]) -> None:
    registry = CollectorRegistry()
    theirs = Histogram("theirs", "text", ["source"], buckets=BOUNDS_S, registry=registry)
    ours = Delays("ours", "text", BOUNDS_S)
    registry.register(ours)
    for batch in batches:
        ours.observe("app", pa.array(batch, pa.int64()))
        theirs.labels("app")
        for delay_us in batch:
            theirs.labels("app").observe(max(delay_us, 0) / 1e6)
    for bound in ("0.01", "0.5", "2.0", "+Inf"):
        labels = {"source": "app", "le": bound}
        assert registry.get_sample_value("ours_bucket", labels) == registry.get_sample_value("theirs_bucket", labels)
    for name in ("count", "sum"):
        found, expected = (registry.get_sample_value(f"{which}_{name}", {"source": "app"}) for which in ("ours", "theirs"))
        assert (found is None) == (expected is None)
        assert abs((found or 0) - (expected or 0)) < 1e-6


def test_sources_are_apart_and_chunked_columns_are_taken() -> None:
    registry = CollectorRegistry()
    delays = Delays("delays", "text", BOUNDS_S)
    registry.register(delays)
    delays.observe("a", pa.chunked_array([[1], [2_500_000]], pa.int64()))
    delays.observe("b", pa.array([], pa.int64()))
    assert registry.get_sample_value("delays_count", {"source": "a"}) == 2
    assert registry.get_sample_value("delays_sum", {"source": "a"}) == 2.500001
    assert registry.get_sample_value("delays_count", {"source": "b"}) == 0
