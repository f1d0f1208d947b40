"""Produces numbered shop events at a steady rate, and keeps when each was handed to Kafka's client."""

import time
from array import array
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from confluent_kafka import Producer

from bench import shop
from bench.common import arguments

TICK_S = 0.005
_PREFIX_BYTES = len('{"ts":"2026-03-02T08:00:00.000Z",')
_POOL = 20_000
FIELDS = "      sequence: integer\n      lane: string\n"
"""What these events have beside the shop's fields; a lane is a partition, in which events keep their order."""


def produce(producer: Producer, topic: str, rate: int, total: int) -> "array[int]":
    """Returns when each event was handed over, in µs since the epoch, by its number."""
    bodies = cycle([event[_PREFIX_BYTES:] for event in shop.events(_POOL)])
    sent_us: array[int] = array("q")
    begin = time.monotonic()
    while len(sent_us) < total:
        due = int((time.monotonic() - begin) * rate)
        for number in range(len(sent_us), min(total, due)):
            now_us = time.time_ns() // 1_000
            # a clock's text to the ms, as services write it
            text = datetime.fromtimestamp(now_us / 1e6, UTC).isoformat(timespec="milliseconds")[:-6]
            lane = number % shop.PARTITIONS
            event = b'{"ts":"%bZ","sequence":%d,"lane":"%d",%b' % (text.encode(), number, lane, next(bodies))
            producer.produce(topic, event, partition=lane)
            sent_us.append(now_us)
        producer.poll(0)
        time.sleep(TICK_S)
    return sent_us


def main() -> None:
    """Produces so many events, and writes the times into a file."""
    parser = arguments(__doc__)
    parser.add_argument("brokers")
    parser.add_argument("topic")
    parser.add_argument("rate", type=int)
    parser.add_argument("total", type=int)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    producer = Producer({"bootstrap.servers": options.brokers, "linger.ms": 5, "acks": "all", "queue.buffering.max.messages": 1_000_000})
    sent_us = produce(producer, options.topic, options.rate, options.total)
    if left := producer.flush(30):
        raise RuntimeError(f"{left} events did not get into {options.topic}")
    options.file.write_bytes(sent_us.tobytes())


if __name__ == "__main__":
    main()
