"""The shop work: JSON events of about 250 bytes in the partitions of a Kafka topic, and five KPIs a minute over them."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer

from bench.common import arguments, module, run
from tests.servers.kafka_server import KafkaServer, start_kafka

PARTITIONS = 4
EVENTS_A_MINUTE = 100_000  # in event time
USERS = 50_000
FIRST_US = int(datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()) * 1_000_000
COUNTRIES = ("DE", "FR", "GB", "US", "ES", "IT", "NL", "PL", "SE", "JP")
SERVICES = ("catalog-api", "cart-api", "checkout-api", "search-api", "account-api")
KINDS = ("page_view", "search", "add_to_cart", "purchase")
STATUSES = (200, 204, 301, 404, 500)

FIELDS = """\
      ts: timestamp
      event: string
      event_id: string
      user_id: string
      country: string
      service: string
      status: integer
      duration_ms: number
      amount: optional decimal(18, 2)
      trace_id: string
"""
KPIS = """\
  events:  { value: count(*), every: 1m, by: [country] }
  revenue: { value: sum(amount), every: 1m, by: [country] }
  orders:  { value: count(*) filter (where event = 'purchase'), every: 1m, by: [country] }
  users:   { value: count(distinct user_id), every: 1m }
  p95:     { value: "quantile(duration_ms, 0.95)", every: 1m }
"""


def definition(source: str, *, kpis: str = KPIS, more: str = "") -> str:
    """A definition file; `source` is the line that says where from, `more` what else is said of the source."""
    return f"sources:\n  shop:\n    {source}\n    time: ts\n{more}    fields:\n{FIELDS}kpis:\n{kpis}"


def kafka(brokers: str, topic: str) -> str:
    """The line of a source that reads a topic."""
    return f'kafka: {{ brokers: "{brokers}", topic: {topic} }}'


def events(count: int, *, seed: int = 1, a_minute: int = EVENTS_A_MINUTE) -> Iterator[bytes]:
    """Events in the order of their times, evenly spaced; the same for the same seed."""
    step_us = 60_000_000 / a_minute
    return made((FIRST_US + int(index * step_us) for index in range(count)), seed)


def made(times_us: Iterable[int], seed: int) -> Iterator[bytes]:
    """An event for each time (µs since the epoch); no two have the same id."""
    rng = random.Random(seed)
    second, prefix = -1, ""
    for index, time_us in enumerate(times_us):
        if time_us // 1_000_000 != second:
            second = time_us // 1_000_000
            prefix = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
        draw, word = rng.random(), rng.getrandbits(128)
        kind = KINDS[0 if draw < 0.7 else 1 if draw < 0.85 else 2 if draw < 0.95 else 3]
        # a few users come often; answers take longer now and then
        user, duration_ms = int(USERS * rng.random() ** 2), 5 / (1.001 - rng.random()) ** 0.8
        status = STATUSES[0] if word & 15 else STATUSES[(word >> 4) % 5]
        amount = f',"amount":{(word >> 8) % 20_000 / 100:.2f}' if kind == "purchase" else ""
        yield (
            f'{{"ts":"{prefix}.{time_us % 1_000_000 // 1000:03}Z","event":"{kind}","event_id":"evt_{word ^ index:032x}",'
            f'"user_id":"user_{user:06}","country":"{COUNTRIES[(word >> 24) % 10]}","service":"{SERVICES[(word >> 32) % 5]}",'
            f'"status":{status},"duration_ms":{duration_ms:.2f}{amount},"trace_id":"{word:032x}"}}'
        ).encode()


def produce(brokers: str, topic: str, count: int) -> int:
    """Puts events into a topic, its partitions in turn; returns their bytes. Raises RuntimeError where some did not arrive."""
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 50, "batch.size": 1_000_000, "queue.buffering.max.messages": 200_000})
    total_bytes = 0
    for index, event in enumerate(events(count)):
        total_bytes += len(event)
        while True:
            try:
                producer.produce(topic, event, partition=index % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        if index % 1_000 == 0:
            producer.poll(0)
    if left := producer.flush(120):
        raise RuntimeError(f"{left} events did not get into {topic}")
    return total_bytes


def fill(server: KafkaServer, topic: str, count: int) -> int:
    """Makes a topic with events, by a process of its own; returns their bytes."""
    server.create_topic(topic, PARTITIONS)
    return int(run(module("shop", server.brokers, topic, count)).output) if count else 0


@contextmanager
def broker() -> Iterator[tuple[KafkaServer, Path]]:
    """A Kafka broker, and a directory for whatever is needed beside it; both gone afterwards."""
    with TemporaryDirectory(prefix="livekpi-bench-") as scratch:
        (Path(scratch) / "kafka").mkdir()
        server = start_kafka(Path(scratch) / "kafka")
        try:
            yield server, Path(scratch)
        finally:
            server.close()


def main() -> None:
    """Fills a topic, and prints how many bytes that were."""
    parser = arguments(__doc__)
    parser.add_argument("brokers")
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    print(produce(options.brokers, options.topic, options.count))


if __name__ == "__main__":
    main()
