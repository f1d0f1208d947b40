"""A histogram of delays that takes a column at a time: the client library's own takes one value, which costs a microsecond each."""

import threading
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Delays(Collector):
    """Delays in µs, by source, exposed in seconds."""

    _labelnames = ("source",)  # where the library's own metrics have them

    def __init__(self, name: str, text: str, bounds_s: Sequence[float]) -> None:
        self._name, self._text, self._bounds_s = name, text, tuple(bounds_s)
        self._found: dict[str, tuple[list[int], int]] = {}
        self._guard = threading.Lock()

    def observe(self, source: str, delays_us: pa.Array | pa.ChunkedArray) -> None:
        """Counts int64 delays; one below zero, of a clock that is ahead, counts as none."""
        delays_us = pc.max_element_wise(delays_us, pa.scalar(0, pa.int64()))
        within = [pc.sum(pc.less_equal(delays_us, pa.scalar(round(bound * 1e6)))).as_py() or 0 for bound in self._bounds_s]
        total_us = pc.sum(delays_us).as_py() or 0
        with self._guard:
            counts, sum_us = self._found.get(source, ([0] * (len(within) + 1), 0))
            self._found[source] = ([a + b for a, b in zip(counts, [*within, len(delays_us)], strict=True)], sum_us + total_us)

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._text, labels=["source"])
        with self._guard:
            for source, (counts, sum_us) in self._found.items():
                bounds = [*map(str, map(float, self._bounds_s)), "+Inf"]
                family.add_metric([source], list(zip(bounds, counts, strict=True)), sum_us / 1e6)
        yield family
