"""Topics in memory: what a job writes, and what reads it as the Kafka source would."""

from collections.abc import Mapping, Sequence

from livekpi.sources.base import Chunk
from livekpi.sources.partials import Place


class Shelf:
    """Topics of one partition each, which keep all records."""

    def __init__(self) -> None:
        self.records: dict[str, list[bytes | None]] = {}
        self.answering = True
        """Whether who asks for the ends is answered."""

    def write(self, topic: str, record: bytes | None) -> None:
        self.records.setdefault(topic, []).append(record)

    def spans(self, topics: Sequence[str]) -> dict[Place, tuple[int, int]]:
        return {(topic, 0): (0, len(self.records.get(topic, []))) for topic in topics}


class ShelfReading:
    """Reads a shelf's topics from positions on."""

    problem: str | None = None

    def __init__(self, shelf: Shelf, topics: Sequence[str], held: frozenset[str] = frozenset()) -> None:
        """Topics in `held` are not read for now."""
        self.shelf, self.topics, self.held = shelf, topics, set(held)
        self.next: dict[str, int] = {}

    def start(self, positions: Mapping[str, int]) -> None:
        self.next = {topic: positions.get(f"{topic}/0", 0) for topic in self.topics}

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        chunks = []
        for topic in self.topics:
            begin, records = self.next[topic], self.shelf.records.get(topic, [])
            if begin < len(records) and topic not in self.held:
                end = min(len(records), begin + limit)
                chunks.append(Chunk(f"{topic}/0", records[begin:end], range(begin, end), end))
                self.next[topic] = end
        return chunks

    def has_read(self, ends: Mapping[Place, int]) -> bool:
        return all(self.next[topic] >= end for (topic, _), end in ends.items())

    def at_end(self) -> bool:
        return self.has_read({place: high for place, (_, high) in self.shelf.spans(self.topics).items()})

    def committed(self, positions: Mapping[str, int]) -> None: ...

    def lag(self) -> Mapping[str, int]:
        return {f"{topic}/0": len(self.shelf.records.get(topic, [])) - begin for topic, begin in self.next.items()}

    def close(self) -> None: ...


class ShelfAsking:
    """Asks a shelf, which answers at once, or not at all."""

    problem: str | None = None

    def __init__(self, shelf: Shelf, topics: Sequence[str]) -> None:
        self.shelf, self.topics = shelf, topics
        self._answer: Mapping[Place, tuple[int, int]] | None = None
        self.asked = False

    def ask(self) -> None:
        self.asked = True
        self._answer = self.shelf.spans(self.topics)

    def answer(self) -> Mapping[Place, tuple[int, int]] | None:
        if not self.asked or not self.shelf.answering:
            return None
        self.asked = False
        return self._answer

    def forget(self) -> None:
        self.asked = False

    def close(self) -> None: ...
