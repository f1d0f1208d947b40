"""Until when it is known that sources had nothing more to say: up to there what nothing came for counts 0, and not unknown.

That a server heard nothing says little of a source: it may have been down, far behind, or cut off. A source is known to be silent once
it has been listened to at its end, with all of it in the store, for as long as its `idle` without a break. What was known once stays
known through a restart; else what was judged by it would be judged anew without it.
"""

import threading
from collections.abc import Mapping

import duckdb

from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.query.snapshot import Snapshot
from livekpi.store.positions import Quiet


class Silence:
    """What is known of each source. `heard` may be called from any thread, the rest belongs to the one that judges."""

    def __init__(self, definition: Definition, started_us: int | None = None) -> None:
        """`started_us` is since when it has been listened at all; None where no time passes, as over history."""
        self.until_us: dict[str, int] = {}
        """By source, up to when it is known; a source that never fell silent is not in it."""
        self._sources = {name: source for name, source in definition.sources.items() if goes_on(source)}
        self._grain_us: dict[str, int] = {}
        for kpi in definition.kpis.values():
            for source in kpi.sources:
                self._grain_us[source] = min(kpi.every_us, self._grain_us.get(source, kpi.every_us))
        self._started_us = started_us
        self._guard = threading.Lock()
        self._quiet: Mapping[str, Quiet] = {}

    def listen_anew(self, now_us: int) -> None:
        """As at a start: what was silent before now may have been so because nobody could listen."""
        self._started_us = now_us

    def heard(self, quiet: Mapping[str, Quiet]) -> None:
        """Which sources are at their end now, and since when without a break; the others have something unread, or can't be read."""
        with self._guard:
            self._quiet = quiet

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Goes on from what was known before."""
        rows = cursor.execute("SELECT source, origin, until_us FROM quiet").fetchall()
        self.until_us.clear()
        self.until_us.update(
            (name, until) for name, origin, until in rows if name in self._sources and self._sources[name].origin == origin
        )

    def look(self, cursor: duckdb.DuckDBPyConnection, known: Snapshot, now_us: int) -> dict[str, int]:
        """Learns what is known by now, and writes it; returns by source from when on that is new."""
        with self._guard:
            quiet = self._quiet
        new: dict[str, int] = {}
        for name in self._sources.keys() & quiet.keys() & self._grain_us.keys():
            until_us, last_us = self._silent_until_us(name, quiet[name], now_us), known.last_event_us(name)
            if until_us is None or last_us is None:
                continue
            before_us = max(last_us, self.until_us.get(name, last_us))
            if until_us > before_us:
                new[name], self.until_us[name] = before_us, until_us
                cursor.execute("INSERT OR REPLACE INTO quiet VALUES (?, ?, ?)", [name, self._sources[name].origin, until_us])
        return new

    def listened(self, source: str, now_us: int) -> bool:
        """Whether there was time enough to hear of a source: what lay waiting for the server to start is not its silence."""
        goes_on = self._sources.get(source)
        return goes_on is None or self._started_us is None or now_us - self._started_us > goes_on.idle_us

    def _silent_until_us(self, name: str, quiet: Quiet, now_us: int) -> int | None:
        """In whole buckets, so that it says something new no more often than there is something to judge."""
        until_us, grain_us = min(quiet.until_us, now_us), self._grain_us[name]
        return until_us // grain_us * grain_us if until_us - quiet.since_us > self._sources[name].idle_us else None


def goes_on(source: SourceDefinition) -> bool:
    """Whether more may come at any time: a file that is read once, or a stream that ends, says nothing of what comes after it."""
    return source.spec.http is not None or source.spec.kafka is not None or (source.spec.file is not None and source.spec.file.follow)
