"""The alerts of a running server, put together: judged after commits, kept in the store, told to the receivers."""

import random
from collections.abc import Callable, Mapping
from contextlib import closing

import duckdb

from livekpi.alerts import ledger, listing
from livekpi.alerts.delivery.delivery import Delivery
from livekpi.alerts.delivery.stored_outbox import StoredOutbox
from livekpi.alerts.judging.desk import Desk, Outcome
from livekpi.alerts.judging.watch import Watch
from livekpi.alerts.notifiers.base import NeverWillBe, TryAgain
from livekpi.alerts.notifiers.base import Outcome as Answer
from livekpi.alerts.notifiers.opening import open_notifier
from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.engine.engine import Engine
from livekpi.engine.plan import Plan
from livekpi.leaving import Deadline
from livekpi.metrics import AlertCounts, Metrics
from livekpi.store.database import Store
from livekpi.store.schema import StoreError


class Alerting:
    """Works from `start` to `close`."""

    def __init__(self, definition: Definition, plan: Plan, store: Store, clock: Clock, metrics: Metrics) -> None:
        """Raises NotifierError where an extra is not installed."""
        self._definition, self._store, self._clock, self._metrics = definition, store, clock, metrics
        self._listeners: list[Callable[[Outcome], None]] = []
        self._desk = Desk(definition, plan, store.beside, clock)
        self.watch = Watch(self._desk, self._found, metrics.judgement.observe)
        self._delivery = Delivery(
            StoredOutbox(store.beside, definition),
            {name: open_notifier(name, spec) for name, spec in definition.spec.notify.items()},
            definition.spec.notify,
            clock,
            random.SystemRandom(),
            self._refused,
            self._answered,
            judges=lambda: self.watch.problem is None,
        )
        metrics.measure_alerts(self._counts)

    def subscribe(self, listener: Callable[[Outcome], None]) -> None:
        """Calls `listener` with what each step found, on the thread that judges; it must be quick."""
        self._listeners.append(listener)

    def attach(self, engine: Engine) -> None:
        """Lets it hear of an engine's commits."""
        engine.observe(self._desk.arrivals.observe)
        engine.subscribe(self.watch.on_commit)
        engine.attend(self._desk.on_quiet)

    def wake(self) -> None:
        """Looks at once, for somebody said something about alerts; from any thread."""
        self.watch.wake()

    def problems(self) -> Mapping[str, str]:
        """What keeps alerts from being judged or told, by the part it concerns; empty while all is well."""
        failure = self.failure()
        found = {"alerts": failure} if failure is not None else {}
        found |= {f"alert rule {name}": problem for name, problem in self._desk.problems.items()}
        return found if self.watch.problem is None else {"alerts": f"they can't be judged now: {self.watch.problem}", **found}

    def failure(self) -> str | None:
        """Why alerts are judged or told no more, until the next start; None while they are."""
        for what, crash in (("judged", self.watch.crash), ("told", self._delivery.crash)):
            if crash is not None:
                return f"alerts are no longer {what}, for a mistake of livekpi's own: {type(crash).__name__}; the log says more"
        return None

    def start(self) -> None:
        self._delivery.start()
        self.watch.start()

    def close(self, deadline: Deadline) -> None:
        """Ends; what waits is told after the next start."""
        self.watch.close(deadline.left_s())
        self._delivery.close(deadline.left_s())

    def _found(self, outcome: Outcome) -> None:
        self._delivery.wake(outcome.receivers)
        for listener in self._listeners:
            listener(outcome)

    def _refused(self, receiver: str, reason: str) -> None:
        self._desk.refused(receiver, reason)
        self.watch.wake()

    def _answered(self, receiver: str, answer: Answer, messages: int) -> None:
        kind = "refused" if isinstance(answer, NeverWillBe) else "failed" if isinstance(answer, TryAgain) else "sent"
        self._metrics.notifications.labels(receiver, kind).inc(messages if kind == "sent" else 1)
        if kind == "sent":
            self._desk.taken(receiver)

    def _counts(self) -> AlertCounts | None:
        try:
            with closing(self._store.cursor()) as cursor:
                phases = ledger.phases(cursor)
                firing = listing.current(cursor, self._definition, listing.Wanted(statuses=("firing",)), self._clock.now_us())
                waiting = ledger.outbox_waiting(cursor)
        except (duckdb.Error, StoreError):
            return None  # /metrics is answered all the same; the store's own trouble is said elsewhere
        states: dict[tuple[str, str, str], int] = {}
        for name, rule in self._definition.rules.items():
            states[name, rule.spec.severity, "pending"] = phases.get((name, "pending"), 0)
            states[name, rule.spec.severity, "firing"] = 0
        for alert in firing:
            key = (alert.rule, alert.severity or "", "firing")
            states[key] = states.get(key, 0) + 1
        series = [(alert.rule, alert.severity or "", series_label(alert.series)) for alert in firing]
        return AlertCounts(states, series, {name: waiting.get(name, 0) for name in self._definition.spec.notify})


def series_label(series: Mapping[str, str]) -> str:
    """A series as a label: ``country = DE, plan = free``; empty where the rule has no dimensions."""
    return ", ".join(f"{name} = {value}" for name, value in series.items())
