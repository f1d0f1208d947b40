"""Jobs on a real Flink, with a real Kafka: what their topics hold is what the embedded engine has of the same records."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from livekpi.engine.cluster import ClusterError
from livekpi.engine.flink.gateway import Session
from livekpi.engine.flink.support import unsupported
from tests.engine.flink import expressions
from tests.engine.flink.composed import composed
from tests.engine.flink.expected import Record
from tests.engine.flink.shop import Shop, open_shop
from tests.engine.large_records import LARGE
from tests.servers.flink_server import FlinkServer
from tests.servers.kafka_server import KafkaServer

pytestmark = pytest.mark.timeout(300)

FIELDS = {
    "n": "optional integer",
    "x": "optional number",
    "d": "optional decimal(18, 2)",
    "vip": "optional boolean",
    "country": "optional string",
    "cart": "optional json",
    "sent": "optional timestamp(epoch_ms)",
}
KPIS = {
    "events": {"value": "count(*)", "every": "1m", "by": ["country", "vip", "n"]},
    "pieces": {"value": "sum(n)", "every": "1m", "by": ["country", "vip", "n"]},
    "dear": {"value": "sum(d) filter (where x > 0)", "every": "1m", "by": ["country", "vip", "n"]},
    "weight": {"value": "sum(x)", "every": "1m", "by": ["country"]},
    "least": {"value": "min(d) + max(n) + min(x)", "every": "1m", "by": ["country"]},
    "words": {"value": "max(country)", "every": "1h"},
    "first_words": {"value": "min(country) filter (where country > 'n')", "every": "1h"},
    "carts": {"value": "count(cart) + count(*) filter (where cart is not null)", "every": "1h", "by": ["country"]},
    "newest": {"value": "max(ts)", "every": "1h"},
    "sendings": {"value": "min(sent)", "every": "1h"},
    "latest": {"value": "last(d)", "every": "1h", "by": ["vip"]},
    "earliest": {"value": "first(country)", "every": "1h", "by": ["vip"]},
    "when": {"value": "last(sent)", "every": "1h", "by": ["vip"]},
    "people": {"value": "count(distinct country)", "every": "1h"},
    "numbers": {"value": "count(distinct x) + count(distinct n) + count(distinct vip) + count(distinct d)", "every": "1h"},
    "middle": {"value": "quantile(x, 0.5)", "every": "1h", "by": ["vip"]},
    "median": {"value": "quantile(n, 0.5) filter (where vip)", "every": "1h"},
    "items": {"value": "sum(cast(cart.items as integer))", "every": "1h"},
}
BROKEN: list[Record] = [
    *(
        b"",
        b"   ",
        b"{",
        b"[]",
        b"7",
        b'{"ts":"2026-03-01T11:00:00Z"} x',
        b"\xff\xfe",
        b'{"ts":"2026-03-01T11:00:00Z","country":"\xff"}',
        None,
    ),
    *(
        b"{}",
        b'{"ts":null}',
        b'{"ts":7}',
        b'{"ts":"2026-03-01T11:00:00"}',
        b'{"ts":"2026-02-29T11:00:00Z"}',
        b'{"ts":"2200-01-01T00:00:00Z"}',
    ),
    *(
        b'{"ts":"2026-03-01T11:00:00Z","n":"7"}',
        b'{"ts":"2026-03-01T11:00:00Z","n":7.0}',
        b'{"ts":"2026-03-01T11:00:00Z","n":9223372036854775808}',
    ),
    *(b'{"ts":"2026-03-01T11:00:00Z","d":1.005}', b'{"ts":"2026-03-01T11:00:00Z","d":"1"}', b'{"ts":"2026-03-01T11:00:00Z","vip":1}'),
    *(
        b'{"ts":"2026-03-01T11:00:00Z","sent":-1}',
        b'{"ts":"2199-03-01T11:00:00Z"}',
        b'{"ts":"2026-03-01T11:00:00Z","cart":' + b"[" * 600 + b"]" * 600 + b"}",
    ),
    b'{"ts":"2026-03-01T11:00:00Z","country":"' + b"x" * 2**20 + b'"}',
]


def events(count: int, seed: int) -> list[Record]:
    """Good and broken records; the times of the good go to and fro."""
    rng = random.Random(seed)
    choices: dict[str, list[Any]] = {
        "n": [1, 5, -7, 2**62, -(2**63), None],
        "x": [1.5, -2.25, 0, 0.0, -0.0, 1e10, 0.1, 12345.678, 1e300, None],
        "d": [1.5, -2.25, 0, 123456.78, 10, 9999999999999999.99, None],
        "vip": [True, False, None],
        "country": ["DE", "", "Österreich", "日本", "🇪🇺", "～", 'a"b\\c', "n", "v", None],
        "cart": [{"items": 3}, {"items": "4"}, {"items": "many"}, [], "text", None],
        "sent": [0, 1772323201999, None],
    }
    records: list[Record] = []
    for _ in range(count):
        if rng.random() < 0.05:
            records.append(rng.choice(BROKEN[:-1]))
            continue
        event = {"ts": f"2026-03-01T{rng.randrange(10, 13)}:{rng.randrange(60):02}:{rng.randrange(60):02}.{rng.randrange(10**6):06}Z"}
        event |= {name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.9}
        records.append(json.dumps(event, ensure_ascii=rng.random() < 0.5).encode())
    return records


def simple_events(count: int, seed: int) -> list[Record]:
    """Good events, each with an id."""
    rng = random.Random(seed)
    when = (f"2026-03-01T11:{rng.randrange(60):02}:00Z" for _ in range(count))
    return [json.dumps({"ts": ts, "id": f"{seed}-{at}", "n": rng.randrange(100), "d": 1.25}).encode() for at, ts in enumerate(when)]


def until(condition: Callable[[], bool]) -> None:
    """Waits until it is so, for a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "not within a minute"
        time.sleep(0.1)  # between questions


Open = Callable[..., Shop]


@pytest.fixture
def opened(kafka: KafkaServer, flink: FlinkServer, tmp_path: Path) -> Iterator[Open]:
    """Opens definitions over new topics, or over one that is given."""
    with ExitStack() as stack:
        yield lambda fields, kpis, **more: stack.enter_context(closing(open_shop(kafka, flink, tmp_path, fields, kpis, **more)))


SIMPLE = {"id": "optional string", "n": "integer", "d": "decimal(9, 2)"}
SIMPLE_KPIS = {"sum": {"value": "sum(n)", "every": "1m"}, "people": {"value": "count(distinct n)", "every": "1h"}}


def test_every_kind_of_number(opened: Open, flink: FlinkServer) -> None:
    shop = opened(FIELDS, KPIS, flink={"parallelism": 2})
    for partition in (0, 1):
        # each of them is more than Kafka's producer sends, were all of it kept
        large = [record for record, kept in LARGE if kept < len(record)][:3]
        shop.produce([*events(2_000, seed=partition), *BROKEN, *large], partition)
    assert shop.cluster.state().state == "missing"
    shop.cluster.submit()
    assert shop.settled() == {}
    # one scan and one decoding, whatever the number of tables
    vertices = flink.ask(f"/jobs/{shop.cluster.state().job_id}")["vertices"]
    assert [vertex["name"].count("Source: KafkaSource") for vertex in vertices].count(1) == 1


def test_by_hand(opened: Open) -> None:
    """A sum and a count, by no code of ours."""
    shop = opened(SIMPLE, {"sum": {"value": "sum(d) filter (where n >= 50) + count(*)", "every": "1m"}})
    records = simple_events(500, seed=1)
    shop.produce(records)
    shop.cluster.submit()
    assert shop.settled() == {}
    counts: Counter[int] = Counter()
    sums: Counter[int] = Counter()
    for record in records:
        event = json.loads(record or b"")
        bucket = int(datetime.fromisoformat(event["ts"]).timestamp()) * 1_000_000
        counts[bucket] += 1
        sums[bucket] += 125 if event["n"] >= 50 else 0
    [grouping] = shop.plan.all()
    [total] = [partial.key for partial in grouping.cells if partial.kind == "sum"]
    found = {row["bucket"]: (row["n"], row[total]) for row in shop.topics.rows[f"cells_{grouping.key}"].values()}
    assert found == {bucket: (str(counts[bucket]), f"{sums[bucket] / 100:.2f}" if sums[bucket] else None) for bucket in counts}


def test_expressions_mean_what_they_mean_embedded(opened: Open) -> None:
    texts = [*expressions.EXPRESSIONS, *composed(60, int(os.environ.get("LIVEKPI_TEST_SEED", "3")))]
    shop = opened(expressions.FIELDS, expressions.kpis(texts))
    assert unsupported(shop.definition, shop.plan) == []
    shop.produce(expressions.events(200, seed=1))
    shop.cluster.submit()
    assert shop.settled() == {}


def test_brokers_that_want_a_password_and_a_certificate(opened: Open, kafka: KafkaServer) -> None:
    """The source is read with a login, the job's topics are written over TLS."""
    topic = kafka.create_topic(partitions=2)
    source = {"brokers": kafka.sasl_brokers, "topic": topic, "settings": kafka.sasl_settings}
    shop = opened(SIMPLE, SIMPLE_KPIS, topic=topic, kafka=source, flink={"brokers": kafka.tls_brokers, "client": kafka.tls_settings})
    shop.produce(simple_events(100, seed=1))
    shop.cluster.submit()
    assert shop.settled() == {}


def test_a_stopped_job_goes_on_from_its_savepoint(opened: Open) -> None:
    shop = opened(SIMPLE, SIMPLE_KPIS, id="id")
    first = simple_events(300, seed=1)
    shop.produce(
        [*first, *first[:50], b'{"ts": "2026-03-01T11:00:00Z", "n": 7, "d": 1}', b'{"ts": "2026-03-01T11:00:00Z", "n": 7, "d": 1}']
    )
    shop.cluster.submit()
    assert shop.settled() == {}
    assert shop.cluster.state().state == "running"
    shop.cluster.submit()  # it runs: nothing is done
    savepoint = shop.cluster.stop(savepoint=True)
    assert savepoint is not None
    assert shop.cluster.state().state == "finished"
    assert shop.cluster.stop(savepoint=True) is None

    shop.produce([*simple_events(300, seed=2), *first[100:200]])  # those came before
    shop.cluster.submit(savepoint)
    assert shop.settled() == {}


def test_what_was_aborted_is_not_counted(opened: Open, kafka: KafkaServer) -> None:
    shop = opened(SIMPLE, SIMPLE_KPIS)
    producer = kafka.producer(transactional_id=shop.topic)
    producer.init_transactions(30)
    producer.begin_transaction()
    for record in simple_events(100, seed=2):
        producer.produce(shop.topic, record, partition=0)
    assert producer.flush(30) == 0
    producer.abort_transaction(30)
    shop.produce(simple_events(100, seed=1))
    shop.cluster.submit()
    assert shop.settled() == {}


def test_the_printed_file_runs_as_it_is(opened: Open, flink: FlinkServer) -> None:
    """Whatever its fields are called."""
    fields = {"_id": "optional string", "_count": "integer", **SIMPLE}
    del fields["id"]
    kpis = {**SIMPLE_KPIS, "all": {"value": "sum(_count)", "every": "1h"}}
    shop = opened(fields, kpis, id="_id")
    shop.produce([record.replace(b'"id"', b'"_count": 7, "_id"') for record in simple_events(100, seed=1) * 2 if record is not None])
    with Session(flink.gateway, {}) as session:
        for statement in shop.cluster.render().split(";\n\n"):
            session.execute(statement.rstrip(";\n") if statement.startswith("SET") else statement)
    assert shop.settled() == {}
    assert shop.cluster.state().state == "running"  # and is known as ours


def test_a_job_that_is_stopped_has_ended(opened: Open) -> None:
    shop = opened(SIMPLE, SIMPLE_KPIS)
    shop.cluster.submit()
    until(lambda: shop.cluster.state().state == "running")
    assert shop.cluster.stop(savepoint=False) is None
    assert shop.cluster.state().state == "finished"


def test_a_failed_job_goes_on_from_its_last_checkpoint(opened: Open, flink: FlinkServer) -> None:
    shop = opened(SIMPLE, SIMPLE_KPIS, id="id", flink={"settings": {"restart-strategy.type": "none"}})
    shop.produce(simple_events(300, seed=1))
    shop.cluster.submit()
    assert shop.settled() == {}
    until(lambda: shop.cluster.state().last_checkpoint_us is not None)
    shop.produce(simple_events(300, seed=2))
    flink.taskmanager.kill()
    until(lambda: shop.cluster.state().state == "failed")
    assert shop.cluster.state().detail
    flink.restart_taskmanager()
    shop.cluster.submit()
    assert shop.settled() == {}
    job_id = shop.cluster.state().job_id
    assert flink.ask(f"/jobs/{job_id}/checkpoints")["latest"]["restored"] is not None


def test_a_job_goes_on_when_the_cluster_was_killed(opened: Open, flink: FlinkServer) -> None:
    """First the TaskManager, whose work Flink begins again by itself; then the JobManager, which afterwards knows nothing."""
    shop = opened(SIMPLE, SIMPLE_KPIS)
    shop.produce(simple_events(300, seed=1))
    shop.cluster.submit()
    until(lambda: shop.cluster.state().last_checkpoint_us is not None)
    flink.taskmanager.kill()
    shop.produce(simple_events(300, seed=2))
    flink.restart_taskmanager()
    assert shop.settled() == {}
    until(lambda: shop.cluster.state().state == "running" and (shop.cluster.state().restarts or 0) >= 1)
    flink.jobmanager.kill()
    with pytest.raises(ClusterError, match=r"JobManager at .* does not answer"):
        shop.cluster.state()
    flink.restart_jobmanager()
    assert shop.cluster.state().state == "missing"
    shop.produce(simple_events(300, seed=3))
    shop.cluster.submit()
    assert shop.settled() == {}
    job_id = shop.cluster.state().job_id
    assert flink.ask(f"/jobs/{job_id}/checkpoints")["latest"]["restored"] is not None


def test_a_job_whose_checkpoint_is_gone_begins_anew(opened: Open, flink: FlinkServer, tmp_path: Path) -> None:
    """The job went on while nobody looked, let go of the checkpoint that was seen, and then vanished."""
    shop = opened(SIMPLE, SIMPLE_KPIS)
    shop.produce(simple_events(300, seed=1))
    shop.cluster.submit()
    until(lambda: shop.cluster.state().last_checkpoint_us is not None)
    seen = tmp_path / "flink.json"
    told = json.loads(seen.read_text(encoding="utf-8"))
    flink.jobmanager.kill()
    flink.restart_jobmanager()
    seen.write_text(json.dumps({**told, "checkpoint": f"{told['checkpoint']}0000"}), encoding="utf-8")
    assert shop.cluster.state().state == "missing"
    shop.produce(simple_events(300, seed=2))
    shop.cluster.submit()
    assert shop.settled() == {}
    job_id = shop.cluster.state().job_id
    assert flink.ask(f"/jobs/{job_id}/checkpoints")["latest"]["restored"] is None


def test_what_flink_refuses_is_said(opened: Open) -> None:
    shop = opened(SIMPLE, SIMPLE_KPIS, flink={"settings": {"parallelism.default": "many"}})
    with pytest.raises(ClusterError, match="many"):
        shop.cluster.submit()
