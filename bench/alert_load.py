"""Stocks that fall below a threshold and rise again, among a shop's other events: hands them to Kafka, and keeps when.

`python -m bench.alert_load BROKERS TOPIC SECONDS FILE` writes as JSON (sku, when in µs since the epoch) for each fall.
"""

import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Producer

from bench import shop
from bench.common import arguments

SKUS = 40
PAUSE_S = (0.1, 0.4)
FIELDS = "      sku: optional string\n      level: optional integer\n"
LOW, HIGH = 5, 100


def _event(sku: int, level: int, now_us: int) -> bytes:
    text = datetime.fromtimestamp(now_us / 1e6, UTC).isoformat(timespec="milliseconds")[:-6]
    (usual,) = shop.made([now_us], sku)
    own = usual.split(b",", 1)[1]
    return b'{"ts":"%bZ","sku":"sku-%d","level":%d,%b' % (text.encode(), sku, level, own)


def produce(producer: Producer, topic: str, seconds: float) -> list[tuple[str, int]]:
    """One falls at a time, and half a round later it is full again."""
    rng, falls, number = random.Random(1), [], 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for sku, level in ((number % SKUS, LOW), ((number + SKUS // 2) % SKUS, HIGH)):
            now_us = time.time_ns() // 1_000
            producer.produce(topic, _event(sku, level, now_us), partition=sku % shop.PARTITIONS)
            if level == LOW:
                falls.append((f"sku-{sku}", now_us))
        producer.poll(0)
        number += 1
        time.sleep(rng.uniform(*PAUSE_S))
    return falls


def main() -> None:
    """Produces for so long, and writes the falls into a file."""
    parser = arguments(__doc__)
    parser.add_argument("brokers")
    parser.add_argument("topic")
    parser.add_argument("seconds", type=float)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    producer = Producer({"bootstrap.servers": options.brokers, "linger.ms": 5, "acks": "all"})
    falls = produce(producer, options.topic, options.seconds)
    if left := producer.flush(30):
        raise RuntimeError(f"{left} events did not get into {options.topic}")
    options.file.write_text(json.dumps(falls), encoding="utf-8")


if __name__ == "__main__":
    main()
