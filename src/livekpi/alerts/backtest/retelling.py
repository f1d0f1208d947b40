"""What receivers would have been told of a rule's alerts: the code that tells live ones, led through the times of the past."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message
from livekpi.alerts.telling import Said, message, to_tell
from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule


@dataclass(frozen=True)
class Retold:
    """The messages in their order, and the keys of the alerts that they were the first to name."""

    messages: tuple[Message, ...]
    told: frozenset[str]


def retell(definition: Definition, rule: Rule, alerts: Sequence[Alert], said: Said, until_us: int) -> Retold:
    """Tells of alerts as they were found by the clock (`judged_at_us`, `ended_at_us`); what people said held at its own times."""
    found: list[Message] = []
    told: set[str] = set()
    ends = {alert.key: alert for alert in alerts if alert.ended_at_us is not None}
    waiting = sorted(alerts, key=lambda alert: alert.judged_at_us, reverse=True)
    known: dict[str, Alert] = {}
    for now_us in _times(alerts, said, until_us):
        while waiting and waiting[-1].judged_at_us <= now_us:
            alert = waiting.pop()
            known[alert.key] = replace(alert, ends_us=None, ended_at_us=None)
        for key, alert in known.items():
            end = ends.get(key)
            if end is not None and alert.ends_us is None and (end.ended_at_us or 0) <= now_us:
                known[key] = replace(alert, value=end.value, note=end.note, ends_us=end.ends_us, ended_at_us=end.ended_at_us)
        for tell in to_tell(definition, rule, list(known.values()), said, now_us) if known else ():
            known |= {alert.key: alert for alert in tell.told}
            if tell.notices:
                found.append(message(rule, tell, len(found) + 1, now_us))
                told |= {notice.key for notice in tell.notices}
        known = {key: alert for key, alert in known.items() if alert.ends_us is None or alert.told != "resolved"}
    return Retold(tuple(found), frozenset(told))


def _times(alerts: Sequence[Alert], said: Said, until_us: int) -> Iterator[int]:
    """When there can be something to tell: as alerts begin and end, as somebody begins to look after them, and as what was said ceases
    to hold."""
    found = {time for alert in alerts for time in (alert.judged_at_us, alert.ended_at_us) if time is not None}
    found |= {word.until_us for word in (*said.silences, *said.acknowledgements)} | {word.from_us for word in said.acknowledgements}
    yield from sorted(time for time in found if time <= until_us)
