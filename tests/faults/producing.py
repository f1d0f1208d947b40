"""A producer that writes a shop's traffic to Kafka steadily, on a thread of its own."""

import threading
from types import TracebackType
from typing import Self

from tests.faults.traffic import Traffic
from tests.servers.kafka_server import KafkaServer

_BURST_S = 0.02


class Producing:
    """Writes about `rate` records a second from construction until `stop`; each is acknowledged then, and is there once."""

    def __init__(self, kafka: KafkaServer, topic: str, partitions: int, traffic: Traffic, rate: int) -> None:
        # Retries write nothing twice, and go on for as long as a broker may be gone in a test.
        self._producer = kafka.producer(enable_idempotence="true", message_timeout_ms=600_000, client_id=topic)
        self._topic, self._partitions, self._traffic = topic, partitions, traffic
        self._burst = max(1, int(rate * _BURST_S))
        self._failures: list[object] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="produce", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends, and waits until all that was written is acknowledged."""
        self._stop.set()
        self._thread.join()
        assert self._producer.flush(120) == 0
        assert self._failures == []

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(_BURST_S):
            for _ in range(self._burst):
                self._producer.produce(self._topic, self._traffic.record(), partition=count % self._partitions, on_delivery=self._delivered)
                count += 1
            self._producer.poll(0)

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failures.append(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
