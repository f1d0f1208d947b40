"""The loop that people write by hand for the shop work: confluent-kafka, orjson, dicts and sets. It keeps nothing after a crash.

Prints its numbers as one JSON object: KPI → series → minute → value. Times stay text: the minute is their first 16 characters.
"""

import json
import math
from collections import defaultdict

import orjson
from confluent_kafka import Consumer, TopicPartition

from bench.common import arguments
from bench.shop import PARTITIONS

KPIS = ("events", "revenue", "orders", "users", "p95")
LOG_GAMMA = math.log(1.01 / 0.99)  # 1 % relative error


class Numbers:
    """The five KPIs a minute, as they grow."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], int] = defaultdict(int)
        self.cents: dict[tuple[str, str], int] = defaultdict(int)
        self.orders: dict[tuple[str, str], int] = defaultdict(int)
        self.users: dict[str, set[str]] = defaultdict(set)
        self.bins: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, values: list[bytes]) -> None:
        """Counts a batch of records; one that is broken would end it all."""
        loads, log, ceil = orjson.loads, math.log, math.ceil
        events, cents, orders, users, bins = self.events, self.cents, self.orders, self.users, self.bins
        for value in values:
            event = loads(value)
            minute = event["ts"][:16]
            series = (event["country"], minute)
            events[series] += 1
            if event["event"] == "purchase":
                orders[series] += 1
            amount = event.get("amount")
            if amount is not None:
                cents[series] += round(amount * 100)
            users[minute].add(event["user_id"])
            bins[minute][ceil(log(event["duration_ms"]) / LOG_GAMMA)] += 1

    def quantile(self, minute: str, rank: float) -> float:
        """The middle of the bin that holds a rank."""
        found = sorted(self.bins[minute].items())
        wanted, reached = rank * (sum(count for _, count in found) - 1), 0
        for number, count in found:
            reached += count
            if reached > wanted:
                return 2 * math.exp(number * LOG_GAMMA) / (1.01 / 0.99 + 1)
        raise ValueError(f"{minute} has no value of rank {rank}")

    def result(self) -> dict[str, dict[str, dict[str, float]]]:
        found: dict[str, dict[str, dict[str, float]]] = {name: defaultdict(dict) for name in KPIS}
        for (country, minute), count in self.events.items():
            found["events"][country][minute] = count
            found["orders"][country][minute] = self.orders.get((country, minute), 0)
        for (country, minute), amount in self.cents.items():
            found["revenue"][country][minute] = amount / 100
        for minute, users in self.users.items():
            found["users"][""][minute] = len(users)
            found["p95"][""][minute] = self.quantile(minute, 0.95)
        return found


def consume(brokers: str, topic: str, numbers: Numbers) -> None:
    """Reads a topic to the ends it has now."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "by-hand", "enable.auto.commit": False, "fetch.queue.backoff.ms": 5})
    ends = {part: consumer.get_watermark_offsets(TopicPartition(topic, part))[1] for part in range(PARTITIONS)}
    consumer.assign([TopicPartition(topic, part, 0) for part in ends])
    left = sum(ends.values())
    while left > 0:
        messages = consumer.consume(500, 1.0)
        numbers.add([value for message in messages if message.error() is None and (value := message.value()) is not None])
        left -= len(messages)
    consumer.close()


def main() -> None:
    """Counts a topic's events, and prints the numbers."""
    parser = arguments(__doc__)
    parser.add_argument("brokers")
    parser.add_argument("topic")
    options = parser.parse_args()
    numbers = Numbers()
    consume(options.brokers, options.topic, numbers)
    print(json.dumps(numbers.result()))


if __name__ == "__main__":
    main()
