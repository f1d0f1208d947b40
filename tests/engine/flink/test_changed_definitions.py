"""A definition changes while its job runs, on a real Flink: what did not change keeps its state, though the topic has lost what it was
counted from; what is new begins where the job stands.
"""

import json
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from livekpi.engine.cluster import ClusterError
from livekpi.store.layout import cells, column, spread
from tests.engine.flink.expected import Record, Rows, decoded, tables, without_repeats
from tests.engine.flink.shop import Shop, open_shop
from tests.servers.flink_server import FlinkServer
from tests.servers.kafka_server import KafkaServer

pytestmark = pytest.mark.timeout(300)

FIELDS = {"id": "optional string", "country": "optional string", "n": "integer", "x": "number", "d": "decimal(9, 2)"}
GROUP = {"every": "1m", "by": ["country"]}
FIRST = {
    "sum": {"value": "sum(n) + count(*)", **GROUP},
    "latest": {"value": "last(d)", **GROUP},
    "people": {"value": "count(distinct n)", **GROUP},
    "median": {"value": "quantile(x, 0.5)", **GROUP},
    "hours": {"value": "sum(x)", "every": "1h"},
}
MORE = {
    "heavy": {"value": "max(x)", "every": "1h", "by": ["country"]},  # a group that was not there, and stands first
    "dear": {"value": "sum(d) filter (where n > 50) + count(*) filter (where n > 90)", **GROUP},
    "least": {"value": "min(n)", **GROUP},
    "days": {"value": "count(distinct country)", "every": "1h"},
    **FIRST,
}
FEWER = {  # of the first `sum` and `people` are gone, and what `dear` says is changed
    "median": FIRST["median"],
    "latest": FIRST["latest"],
    "hours": FIRST["hours"],
    "dear": {"value": "sum(d) filter (where n > 60)", **GROUP},
    "least": MORE["least"],
}
AGAIN = {**FEWER, "sum": FIRST["sum"]}  # which was gone, and begins anew


def events(seed: int) -> list[Record]:
    """Events of which each country has some in each minute, so that all that was changed by one phase is changed by the next."""
    rng = random.Random(seed)
    found: list[Record] = []
    for at in range(400):
        country = ["DE", "FR", None][at % 3]
        ts = f"2026-03-01T11:{at % 5:02}:{rng.randrange(60):02}Z"
        amounts = {"n": rng.randrange(100), "x": rng.randrange(1, 1000) / 8, "d": rng.randrange(10**6) / 100}
        found.append(json.dumps({"ts": ts, "id": f"{seed}-{at}", "country": country, **amounts}).encode())
    return found


class Expected:
    """What the tables must hold: each partial of the records since it was begun."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str], Mapping[int, int]] = {}

    def of(self, shop: Shop, earlier: Mapping[int, int]) -> dict[str, Rows]:
        """For a shop's definition, which took over at these positions."""
        wanted = {(grouping.key, name) for grouping in shop.plan.all() for name in ("", *(partial.key for partial in grouping.partials))}
        self._begun = {key: self._begun.get(key, earlier) for key in wanted}
        made = {tuple(sorted(since.items())): _since(shop, since) for since in self._begun.values()}
        found: dict[str, Rows] = {}
        for grouping in shop.plan.all():

            def counted(name: str, table: str, group: str = grouping.key) -> Rows:
                return made[tuple(sorted(self._begun[group, name].items()))][table]

            table = cells(grouping).name
            found[table] = {key: dict(row) for key, row in counted("", table).items()}
            for partial in grouping.cells:
                own = counted(partial.key, table)
                for key, row in found[table].items():
                    row[column(partial).name] = own[key][column(partial).name]
            for partial in grouping.spreads:
                found[spread(grouping, partial).name] = counted(partial.key, spread(grouping, partial).name)
        return found


def _since(shop: Shop, since: Mapping[int, int]) -> dict[str, Rows]:
    """The tables of the events from these positions on, but for repeats of earlier ones."""
    read = decoded(shop.definition, "shop", shop.records, time.time_ns() // 1_000)
    table = without_repeats(read.table, shop.definition.sources["shop"].spec.id)
    places = ((each >> 48, each % 2**48) for each in table["_position"].to_pylist())
    return tables(shop.definition, shop.plan, "shop", table.filter(pa.array([at >= since.get(of, 0) for of, at in places], pa.bool_())))


class Life:
    """One definition after the other over one topic."""

    def __init__(self, kafka: KafkaServer, flink: FlinkServer, directory: Path, stack: ExitStack, more: Mapping[str, Any]) -> None:
        """`more` is said of the source."""
        self._open, self._stack, self._more = (kafka, flink, directory), stack, more
        self._kafka, self._expected = kafka, Expected()
        self._counts: dict[int, int] = {0: 0, 1: 0}
        self.shop: Shop | None = None

    def begin(self, kpis: Mapping[str, Any]) -> Shop:
        """Opens the next definition, after the topic has lost all that was read."""
        before = self.shop
        topic = None if before is None else before.topic
        self.shop = self._stack.enter_context(closing(open_shop(*self._open, FIELDS, kpis, topic=topic, **self._more)))
        if before is not None:
            self.shop.records = before.records
            self._counts = {partition: len(records) for partition, records in before.records.items()}
            for partition, count in self._counts.items():
                self._kafka.delete_records(before.topic, partition, count)
        return self.shop

    def holds(self, *repeated: Record, seed: int) -> None:
        """Brings events, and with them some that came before, and looks whether the numbers are right."""
        assert self.shop is not None
        records = events(seed)
        self.shop.produce([*repeated, *records[::2]], 0)
        self.shop.produce(records[1::2], 1)
        assert self.shop.settled(self._expected.of(self.shop, self._counts)) == {}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("more", [{}, {"id": "id", "flink": {"parallelism": 2}}], ids=["plain", "ids"])
def test_what_did_not_change_keeps_its_state(
    kafka: KafkaServer, flink: FlinkServer, tmp_path: Path, stack: ExitStack, more: Mapping[str, Any]
) -> None:
    life, repeated = Life(kafka, flink, tmp_path, stack, more), events(1)[:50:2] if "id" in more else []  # of partition 0
    life.begin(FIRST).cluster.submit()
    life.holds(seed=1)

    shop = life.begin(MORE)
    assert shop.cluster.state().state == "outdated"
    shop.cluster.submit()  # which replaces what runs
    life.holds(*repeated, seed=2)
    savepoint = shop.cluster.stop(savepoint=True)

    shop = life.begin(FEWER)
    shop.cluster.submit(savepoint)
    life.holds(*repeated, seed=3)
    shop.cluster.stop(savepoint=True)

    shop = life.begin(AGAIN)  # by a server that has not seen where it was stopped
    shop.cluster.submit()
    life.holds(*repeated, seed=4)


def test_a_savepoint_of_other_topics_is_refused(kafka: KafkaServer, flink: FlinkServer, tmp_path: Path, stack: ExitStack) -> None:
    shop = stack.enter_context(closing(open_shop(kafka, flink, tmp_path, FIELDS, FIRST)))
    with pytest.raises(ClusterError, match="made by a job that writes to the topics 'other-out'"):
        shop.cluster.submit("file:/savepoints/livekpi-other-out-0123456789ab/savepoint-1")
