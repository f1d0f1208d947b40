"""A thread a source: reads, decodes and hands over, so that the engine never waits for a source and none for another."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import structlog

from livekpi.clock import ATTENTIVE_US, Clock
from livekpi.events import Events
from livekpi.sources.base import Chunk, Source, SourceError
from livekpi.sources.decode import Decoder
from livekpi.store.positions import Quiet

log = structlog.get_logger()

READ_RECORDS = 10_000
"""Read at once; small enough that the first of them are not kept waiting."""
READ_TIMEOUT_S = 0.25
"""How long a read waits for records before it looks whether it should end."""
LARGE_RECORDS = 60_000
"""A batch of this size costs little more an event than a larger one."""
PENDING_RECORDS = 100_000
"""Read ahead of the engine, a source; more waits in the source."""
RETRY_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class Inbox:
    """Where readers put batches and the engine takes them; bounded a source."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: deque[Events] = deque()
        self._records: dict[str, int] = {}
        self._woken = False

    def put(self, events: Events, stop: threading.Event) -> None:
        """Adds a batch; waits while its source is too far ahead."""
        with self._changed:
            while self._records.get(events.source, 0) >= PENDING_RECORDS and not stop.is_set():
                self._changed.wait(READ_TIMEOUT_S)
            self._pending.append(events)
            self._records[events.source] = self._records.get(events.source, 0) + events.records
            self._changed.notify_all()

    def take(self, timeout_s: float, more_s: float = 0.0) -> list[Events]:
        """All that is there; waits up to `timeout_s` for the first, and then up to `more_s` for a large batch."""
        with self._changed:
            if not self._pending:
                self._changed.wait(timeout_s)
            if more_s and self._pending:
                self._woken = False
                self._changed.wait_for(lambda: self._woken or sum(self._records.values()) >= LARGE_RECORDS, more_s)
            taken = list(self._pending)
            self._pending.clear()
            self._records.clear()
            self._changed.notify_all()
            return taken

    @property
    def empty(self) -> bool:
        with self._changed:
            return not self._pending

    def wake(self) -> None:
        """Lets a waiting `take` look again."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()


class Reader:
    """Reads one source on a thread of its own until stopped, or (with `once`) to the end of what was there."""

    def __init__(self, name: str, source: Source, decoder: Decoder, inbox: Inbox, clock: Clock, *, once: bool) -> None:
        self.name = name
        self.failure: str | None = None
        """Why the source can't be read now; None while it can."""
        self.crash: BaseException | None = None
        self.quiet: Quiet | None = None
        """Through which time nothing was unread, up to the last look; None while something is, or that can't be known."""
        self.decoder = decoder
        self._source, self._inbox, self._clock, self._once = source, inbox, clock, once
        self._committed: Mapping[str, int] | None = None
        # where a source that failed goes on: behind what the engine has, committed or not
        self._handed_over: dict[str, int] = {}
        self._failures = 0
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()

    def start(self, positions: Mapping[str, int]) -> None:
        """Starts reading at committed positions."""
        self._handed_over = dict(positions)
        self._thread = threading.Thread(target=self._run, name=f"read-{self.name}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it reads no more; what it had read is in the inbox then."""
        return self._ended.is_set()

    def commit(self, positions: Mapping[str, int]) -> None:
        """Says what is in the store; passed on to the source on its own thread."""
        self._committed = positions

    def lag(self) -> Mapping[str, int]:
        return self._source.lag()

    def stop(self) -> None:
        self._stop.set()
        self._inbox.wake()

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._read_with_retries()
        except BaseException as error:  # noqa: BLE001 - the engine raises it on its own thread
            self.crash = error
        finally:
            self._ended.set()
            self._inbox.wake()

    def _read_with_retries(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._source.start(self._handed_over)
                    self._read_all()
                    return
                except SourceError as error:
                    self.failure, self.quiet = str(error), None
                    if self._once:
                        raise
                    wait_s = RETRY_S[min(self._failures, len(RETRY_S) - 1)]
                    self._failures += 1
                    log.warning("source failed", source=self.name, error=self.failure, again_in_s=wait_s)
                    self._stop.wait(wait_s)
        finally:
            self._source.close()

    def _read_all(self) -> None:
        while not self._stop.is_set():
            looked_us = self._clock.now_us()
            read = self._source.read(READ_RECORDS, READ_TIMEOUT_S)
            self.failure = self._source.problem
            self.quiet = None if read else self._still_quiet(looked_us)
            if read:
                self._failures = 0  # it can be read: the next fault begins with the shortest wait
                for events in self._decoded(read):
                    self._inbox.put(events, self._stop)
                    self._handed_over.update(events.next_positions)
            elif self._once and self._source.at_end():
                return
            committed, self._committed = self._committed, None
            if committed is not None:
                self._source.committed(committed)

    def _still_quiet(self, now_us: int) -> Quiet | None:
        """When a look at a time found nothing."""
        if self.failure is not None or not self._source.at_end() or any(self._source.lag().values()):
            return None
        before = self.quiet
        unbroken = before is not None and 0 <= now_us - before.until_us <= ATTENTIVE_US
        return Quiet(before.since_us if before is not None and unbroken else now_us, now_us)

    def _decoded(self, read: Sequence[Chunk | Events]) -> Iterable[Events]:
        """What was read, in its order: as it is where the source decoded it, else decoded together."""
        for decoded, run in groupby(read, lambda each: isinstance(each, Events)):
            if decoded:
                yield from (each for each in run if isinstance(each, Events))
            else:
                yield self.decoder.decode([each for each in run if isinstance(each, Chunk)], self._clock.now_us())
