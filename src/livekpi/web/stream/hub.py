"""Turns commits into messages for those who watch.

A viewer that asks for a range while it watches misses nothing, and shows nothing old, if it (1) opens the stream, (2) asks for the
range, whose answer says the last commit C it saw, and (3) leaves aside messages of commits before C. A message says the last commit S
that the store held when it was worked out (the least, where several threads did). For what a commit D changed:

- D ≤ C: the range has seen it. A message with S < C is older than the range; one with S ≥ C is as new or newer.
- D > C: it was committed after the range's snapshot was taken, so after the viewer had joined, which it does before the stream's first
  byte. The engine tells the hub of a commit once it is committed, so the hub hears of D with the viewer there, and hands what it changed
  to all who are there when it has been worked out: S ≥ D, so newer than the range. If D is merged with others, by the hub or by a viewer
  that reads slowly, the message says the last of their numbers, which is > C.

That steps become final is told as their points are, with commits and, where none come, by itself: once to all who are there. One with
S < C that a viewer leaves aside was worked out before the range was, whose answer knows it therefore.
`hello` says the last commit as of a moment at which the viewer had joined: who knows no more than commits before that is behind.
It says which definition is shown, too, so that who comes back knows whether that is another than before.
"""

import asyncio
import contextlib
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from http import HTTPStatus
from operator import attrgetter
from typing import TypeVar

import duckdb
import structlog

from livekpi.alerts.ledger import Alert
from livekpi.commit import Commit
from livekpi.metrics import Metrics
from livekpi.moments import time_text
from livekpi.query.live import Want
from livekpi.web.backend import Alerts, Backend
from livekpi.web.objects.alerts import about, alert_object, without_people
from livekpi.web.problems import ProblemError
from livekpi.web.questions import UNREADABLE
from livekpi.web.stream.viewer import Message, Notice, Rows, Viewer

RETRY_S = 1.0
QUIET_S = 1.0
"""After so long without a commit it is looked whether time alone has made something final."""
JOBS = 2
"""So many threads share the work on a commit."""
ALIKE_A_SHARE = 4
"""Fewer kinds of questions are not worth a thread of their own: each thread asks for the same facts first."""
REST = 0.2
"""How long the hub rests after a message, as a share of how long it took."""
_logger = structlog.get_logger(__name__)
T = TypeVar("T")

_NOTHING = Commit(0, 0, {})
"""That time has passed."""
_Alike = tuple[tuple[str, ...], str | None]
"""Slices and condition: wants that have them in common fail together."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a viewer wants to see; viewers with the same one share their messages."""

    wants: tuple[Want, ...]
    numbered: bool = False
    """Whether each point says which want it is of, by its place."""
    alerts: bool = False
    people: bool = True
    """Whether it is told what people said: annotations, and of an alert who looks after it or wants silence."""
    kpis: frozenset[str] | None = None
    """The only KPIs of whose alerts it is told; None: all."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is to tell of wants."""

    commit: int
    """The last that it has seen."""
    rows: Mapping[Want, Rows]
    final_us: Mapping[Want, int]


class Hub:
    """The streams that are open, and what they are told.

    A commit that comes while the last one is worked on waits, and is merged with those that come after it; and after each message the
    hub rests for a part of the time that took. So many viewers or slow questions make messages rarer, and never hold up the engine.
    """

    def __init__(
        self, backend: Backend, metrics: Metrics, pool: Executor, max_viewers: int, alerts: Alerts | None = None, quiet_s: float = QUIET_S
    ) -> None:
        """`alerts` is None where none are judged."""
        self._quiet_s = quiet_s
        self._backend = backend
        self._alerts = alerts
        self._metrics = metrics
        self._pool = pool
        self._max_viewers = max_viewers
        self._viewers: dict[Subscription, set[Viewer]] = defaultdict(set)
        self._viewer_count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last: Commit | None = None
        self._pending: Commit | None = None
        self._owed: dict[_Alike, Commit] = {}  # what could not be read yet
        self._final_us: dict[Want, int] = {}  # up to which they have been told what is final
        self._changed: dict[str, Alert] = {}
        self._wake = asyncio.Event()
        self._closed = False
        self._failed: str | None = None

    def on_commit(self, commit: Commit) -> None:
        """Tells the hub of a commit; from any thread, and quick."""
        self._last = commit  # before it is looked who is there: one who joins meanwhile finds it
        self._soon(self._notice, commit)

    def on_alerts(self, changed: Sequence[Alert]) -> None:
        """Tells the hub of alerts that changed; from any thread, and quick."""
        if changed:
            self._soon(self._notice_alerts, {alert.key: alert for alert in changed})

    def tell(self, name: str, content: object, key: object = None, *, by_people: bool = False) -> None:
        """Tells all viewers a small event, or those only who are told what people said; from any thread, and quick. A later one of the
        same key replaces one that still waits."""
        self._soon(self._tell, (Notice(name, content, key), by_people))

    def tell_definition(self) -> None:
        """Tells all viewers which definition is shown now, or that what is known of it changed; from any thread, and quick."""
        self.tell("definition", {"definition": self._definition()}, key=())

    async def run(self) -> None:
        """Works until cancelled; no stream outlives it."""
        self._loop = loop = asyncio.get_running_loop()
        try:
            while True:
                quiet = not await self._woken()
                begun_s = loop.time()
                commit, self._pending = self._pending, None
                if commit is None and quiet:
                    commit = _NOTHING if self._last is None else replace(_NOTHING, number=self._last.number, at_us=self._last.at_us)
                if commit is not None or self._owed:
                    await self._send_out(commit)
                changed, self._changed = self._changed, {}
                if changed:
                    await self._send_out_alerts(changed)
                await asyncio.sleep(0)  # those who were woken have their turn: what they send is part of the work
                await asyncio.sleep((loop.time() - begun_s) * REST)
        except Exception as error:
            _logger.exception("the streams have failed")
            self._failed = f"no streams are served until a restart, for a fault of livekpi's: {type(error).__name__}: {error}"
            raise
        finally:
            self.close()

    def failure(self) -> str | None:
        """Why no streams are served any more, for good; None while they are, and where they were ended."""
        return self._failed

    async def _woken(self) -> bool:
        """Waits until there is something to tell; False where nothing was for a while."""
        try:
            async with asyncio.timeout(self._quiet_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def join(self, subscription: Subscription) -> Viewer:
        """Adds a viewer; raises ProblemError 503 where there are too many, or the hub is closed."""
        if self._closed or self._viewer_count >= self._max_viewers:
            reason = "no streams are served any more" if self._closed else f"{self._max_viewers} streams are open (`limits: viewers`)"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}; try again later", {"Retry-After": "5"})
        viewer = Viewer()
        self._viewers[subscription].add(viewer)
        self._count(+1)
        return viewer

    def leave(self, subscription: Subscription, viewer: Viewer) -> None:
        self._viewers[subscription].discard(viewer)
        if not self._viewers[subscription]:
            del self._viewers[subscription]
        self._count(-1)
        self._metrics.coalesced.inc(viewer.merged_messages)
        self._metrics.dropped_viewers.inc(viewer.overrun)

    async def hello(self) -> dict[str, object]:
        """The last commit, when it was, where it is one of this process, and which definition is shown; for a viewer that has joined.

        Raises ProblemError 503 where it can't be read.
        """
        if self._last is not None:
            return {"commit": self._last.number, "at": time_text(self._last.at_us), "definition": self._definition()}
        try:
            number = await asyncio.get_running_loop().run_in_executor(self._pool, self._backend.last_commit)
        except duckdb.Error as error:
            _logger.error("the store can't be read", reason=str(error))
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, UNREADABLE, {"Retry-After": "1"}) from error
        return {"commit": number, "at": None, "definition": self._definition()}

    def _definition(self) -> str:
        """Names the definition that is shown, with why it is not what the file says: another text where either changed."""
        shown = json.dumps([self._backend.definition.text, self._backend.stale])
        return hashlib.sha256(shown.encode()).hexdigest()[:12]

    def close(self) -> None:
        """Ends all streams, and takes no new ones."""
        self._closed = True
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.close()

    def _count(self, change: int) -> None:
        self._viewer_count += change
        self._metrics.viewers.set(self._viewer_count)

    def _soon(self, work: Callable[[T], None], what: T) -> None:
        """Has something done on the loop, if anybody looks."""
        if self._loop is not None and self._viewer_count:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed: nobody looks any more
                self._loop.call_soon_threadsafe(work, what)

    def _notice(self, commit: Commit) -> None:
        self._pending = _merge(self._pending, commit)
        self._wake.set()

    def _notice_alerts(self, changed: Mapping[str, Alert]) -> None:
        self._changed |= changed  # the newest of each counts
        self._wake.set()

    def _tell(self, told: tuple[Notice, bool]) -> None:
        notice, by_people = told
        for subscription, viewers in self._viewers.items():
            for viewer in viewers if subscription.people or not by_people else ():
                viewer.tell([notice])

    async def _send_out(self, commit: Commit | None) -> None:
        """Tells what a commit changed, and what is owed of those before it."""
        owed, self._owed = self._owed, {}
        alike: dict[_Alike, dict[Want, None]] = defaultdict(dict)
        for want in (want for subscription in self._viewers for want in subscription.wants):
            alike[want.by, want.where][want] = None
        # in few jobs, which spares asking for the same facts again; but what failed is asked alone, so that it fails alone
        together = [key for key in alike if key not in owed] if commit is not None else []
        shares = min(JOBS, -(-len(together) // ALIKE_A_SHARE))
        parts = [*(together[part::shares] for part in range(shares)), *([key] for key in alike if key in owed)]
        asked = [(keys, found) for keys in parts if (found := self._due(keys, owed, commit)) is not None]
        loop = asyncio.get_running_loop()
        before_us = self._final_us
        jobs = [
            loop.run_in_executor(self._pool, self._rows, found, [want for key in keys for want in alike[key]], before_us)
            for keys, found in asked
        ]
        wanted = {want for those in alike.values() for want in those}
        self._final_us = {want: final_us for want, final_us in self._final_us.items() if want in wanted}
        told: list[tuple[Commit, _Found]] = []
        for (keys, found), each in zip(asked, await asyncio.gather(*jobs), strict=True):
            if each is None:
                self._owed |= dict.fromkeys(keys, found)
            else:
                told.append((found, each))
        if self._owed:
            loop.call_later(RETRY_S, self._wake.set)
        if told:
            self._hand_out(told)

    @staticmethod
    def _due(keys: Sequence[_Alike], owed: Mapping[_Alike, Commit], commit: Commit | None) -> Commit | None:
        """What is to be told to those who have the same debts; None where nothing is."""
        return _merge(owed.get(keys[0]), commit) if keys else None

    def _hand_out(self, told: Sequence[tuple[Commit, _Found]]) -> None:
        rows: dict[Want, Rows] = {}
        seen = min(found.commit for _, found in told)
        at_us = max(commit.at_us for commit, _ in told) or None
        for _, found in told:
            rows |= found.rows
            if found.commit == seen:  # who leaves this message aside may not know yet what another has found since
                self._final_us |= found.final_us
        for subscription, viewers in self._viewers.items():
            mine = {place: rows[want] for place, want in enumerate(subscription.wants) if want in rows}
            if mine:
                message = Message(seen, at_us, mine, subscription.numbered)
                for viewer in viewers:
                    viewer.put(message)

    def _rows(self, commit: Commit, wants: Sequence[Want], before_us: Mapping[Want, int]) -> _Found | None:
        """On a thread of the pool: what changed of wants, each that did; None where it can't be read now."""
        try:
            changes = self._backend.changed(commit, wants, before_us)
            rows = {want: Rows.of(told) for want, told in changes.told.items()}
        except duckdb.Error as error:
            _logger.error("the changed points can't be read yet", commit=commit.number, reason=str(error))
            return None
        except Exception:  # whatever is wrong with these, the others go on being told
            _logger.exception("the changed points can't be told; trying again", commit=commit.number)
            return None
        return _Found(changes.commit, {want: each for want, each in rows.items() if each.points or not each.complete}, changes.final_us)

    async def _send_out_alerts(self, changed: dict[str, Alert]) -> None:
        loop, alerts = asyncio.get_running_loop(), self._alerts
        if alerts is None or not any(subscription.alerts for subscription in self._viewers):
            return
        try:
            shown = await loop.run_in_executor(self._pool, alerts.alerts_now, list(changed.values()))
        except duckdb.Error as error:
            _logger.error("alerts that changed can't be told yet", reason=str(error))
            self._owe_alerts(changed)
            return
        except Exception:  # whatever is wrong with these, points go on being told
            _logger.exception("alerts that changed can't be told; trying again")
            self._owe_alerts(changed)
            return
        notices: dict[tuple[bool, frozenset[str] | None], list[Notice]] = {}
        for subscription, viewers in self._viewers.items():
            if not subscription.alerts:
                continue
            people, kpis = eyes = subscription.people, subscription.kpis
            if eyes not in notices:
                seen = about(self._backend.definition, kpis, shown)
                notices[eyes] = [Notice("alert", alert_object(each if people else without_people(each)), each.key) for each in seen]
            for viewer in viewers:
                viewer.tell(notices[eyes])

    def _owe_alerts(self, changed: dict[str, Alert]) -> None:
        self._changed = changed | self._changed
        asyncio.get_running_loop().call_later(RETRY_S, self._wake.set)


def _merge(earlier: Commit | None, later: Commit | None) -> Commit | None:
    """What both changed, under the number of the later one."""
    if earlier is None or later is None:
        return later or earlier
    touched = {
        grouping: earlier.touched.get(grouping, frozenset()) | later.touched.get(grouping, frozenset())
        for grouping in (*earlier.touched, *later.touched)
    }
    before_us = {**later.before_us, **earlier.before_us}
    return replace(max(earlier, later, key=attrgetter("number")), touched=touched, before_us=before_us)
