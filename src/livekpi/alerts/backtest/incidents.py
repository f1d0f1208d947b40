"""Incidents that people know of, and how well rules found them.

An alert is right when it fired at any time of an incident; an incident is found when any alert fired at any time of it. Precision is the
share of alerts that are right, recall the share of incidents that are found. An incident is detected when the first such alert was told
of, or would have been but for a silence; at once where it was already known when the incident began.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from livekpi.alerts.backtest.trial import Tried
from livekpi.alerts.ledger import Alert


@dataclass(frozen=True)
class Incident:
    """Something that should have been told: from a time up to another, µs since the epoch."""

    start_us: int
    end_us: int
    name: str | None = None
    rule: str | None = None
    """The rule that should have told it; None: any."""


@dataclass(frozen=True)
class Found:
    """How an incident was found by some rules."""

    incident: Incident
    detected_us: int | None
    """When it was first known; None where it was not found."""


@dataclass(frozen=True)
class Score:
    """How well some rules did."""

    alerts: int
    right: int
    incidents: int
    found: int
    times_us: tuple[int, ...]
    """How long after its start each that was found was known."""

    @property
    def precision(self) -> float | None:
        """None where nothing was told."""
        return self.right / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        """None where nothing was to be found."""
        return self.found / self.incidents if self.incidents else None

    @property
    def median_us(self) -> int | None:
        return int(median(self.times_us)) if self.times_us else None

    @property
    def worst_us(self) -> int | None:
        return max(self.times_us, default=None)


def within(incidents: Iterable[Incident], tried: Sequence[Tried]) -> list[Incident]:
    """Those that were going on while one of the rules that should have told them was judged."""
    return [
        incident
        for incident in incidents
        if any(incident.start_us < each.until_us and incident.end_us > each.from_us for each in tried if _concerns(incident, each))
    ]


def find(incidents: Sequence[Incident], tried: Sequence[Tried]) -> list[Found]:
    """How each incident was found."""
    return [Found(incident, _detected_us(incident, tried)) for incident in incidents]


def score(incidents: Sequence[Incident], tried: Sequence[Tried]) -> Score:
    """How well these rules did together; of one rule, only with the incidents that it should have told."""
    own = find(within(incidents, tried), tried)
    alerts = [(each, alert) for each in tried for alert in each.alerts]
    right = sum(any(_concerns(incident, each) and _meets(alert, incident) for incident in incidents) for each, alert in alerts)
    times = tuple(found.detected_us - found.incident.start_us for found in own if found.detected_us is not None)
    return Score(len(alerts), right, len(own), len(times), times)


def _detected_us(incident: Incident, tried: Sequence[Tried]) -> int | None:
    times = [alert.judged_at_us for each in tried if _concerns(incident, each) for alert in each.alerts if _meets(alert, incident)]
    return max(min(times), incident.start_us) if times else None


def _concerns(incident: Incident, tried: Tried) -> bool:
    return incident.rule in (None, tried.rule.name)


def _meets(alert: Alert, incident: Incident) -> bool:
    return alert.started_us <= incident.end_us and (alert.ends_us is None or alert.ends_us > incident.start_us)
