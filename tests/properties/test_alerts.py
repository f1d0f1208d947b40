"""Whatever arrives in whatever order, and whatever befalls the server: the alerts that stand are those that the final numbers make, and
each that was told is told to its end.

The oracle takes one bucket after the other, from numbers that plain Python worked out. When a receiver is told may differ, for how long
is waited for late events is learned and, after a kill, partly forgotten; what it holds in the end may not.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from livekpi.alerts import ledger
from livekpi.alerts.series import series_text
from livekpi.clock import ManualClock
from livekpi.definition.load import parse_definition
from livekpi.moments import time_text
from livekpi.scripts.rehearsal import Rehearsal
from tests.oracle.oracle import Event, Kpi, Oracle, Part, divide
from tests.properties.ruled import CONDITIONS, Ruled
from tests.properties.test_engine import worlds_apart
from tests.rehearsed import MINUTE_US, NOON_US

SECOND_US = 1_000_000
LATE_US = 20 * MINUTE_US
BEGIN_US = NOON_US + SECOND_US // 2
"""No event is at a bucket's beginning."""
FIELDS = {"ts": "timestamp", "country": "optional string", "vip": "boolean", "bad": "boolean", "ms": "optional integer"}
_BY = ("country", "vip")
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where no disk is waited for: what is killed here is the server, not the machine."""


def _ms(event: Event) -> Any:
    return event["ms"]


def _bad(event: Event) -> bool:
    return bool(event["bad"])


def _summed(total: Any, hits: Any) -> Any:
    """For rules a sum over no events is 0, where it is known that there were none."""
    return total if total is not None or hits is None else 0


_HITS, _ERRORS = Part("count", by=_BY), Part("count", where=_bad, by=_BY)
KPIS: dict[str, tuple[dict[str, Any], Kpi]] = {
    "hits": ({"value": "count(*)"}, Kpi((_HITS,))),
    "errors": ({"value": "count(*) filter (where bad)"}, Kpi((_ERRORS,))),
    "ratio": ({"value": "errors / hits"}, Kpi((_ERRORS, _HITS), divide)),
    "total": ({"value": "sum(ms)"}, Kpi((Part("sum", _ms, by=_BY), _HITS), _summed)),
    "slowest": ({"value": "max(ms)"}, Kpi((Part("max", _ms, by=_BY),))),
    "window": ({"value": "sum(ms)", "over": "3m"}, Kpi((Part("sum", _ms, by=_BY, over_us=3 * MINUTE_US), _HITS), _summed)),
    "coarse": ({"value": "count(*)", "every": "5m"}, Kpi((Part("count", by=_BY, every_us=5 * MINUTE_US),))),
    "level": ({"value": "last(ms)"}, Kpi((Part("last", _ms, by=_BY),))),
    "name": ({"value": "max(country)"}, Kpi((Part("max", lambda event: event["country"], by=_BY),))),
}


@dataclass
class Server:
    """A server with rules, what it accepted, and what a receiver holds by what it was told."""

    rehearsal: Rehearsal
    events: list[Event] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    """By key, what the receiver heard last."""
    read: int = 0

    def act(self, act: "Act") -> None:
        server = self.rehearsal
        if act.kind == "wait":
            server.advance(server.clock.now_us() + act.wait_us)
        elif act.kind in ("restart", "kill"):
            getattr(server, act.kind)()
        else:
            for partition, ago_us, values in act.events:
                time_us = server.clock.now_us() - ago_us
                self.events.append(Event(time_us, (partition, len(self.events)), values))
                record = json.dumps({"ts": time_text(time_us), **values}).encode()
                server._tapes["s"].arrive(partition, [record], server.clock.now_us())
            if act.kind == "die":
                server.kill_in(server.commit)
            elif act.kind == "unseen":  # committed, and not judged yet
                batch = [events for source in server.definition.sources.values() for events in server._unread(source)]
                server.engine.step(batch, threading.Event())
            else:
                server.commit()
        self.hear(judged=act.kind != "unseen")

    def hear(self, *, judged: bool) -> None:
        """The receiver takes its messages; then it must hold what the alerts are."""
        with self.rehearsal.cursor() as cursor:
            messages, alerts = ledger.messages(cursor, "am"), {alert.key: alert for alert in ledger.alerts(cursor)}
        for message in messages[self.read :]:
            said = {notice.key: "corrected" if notice.note == "corrected" else notice.status for notice in message.notices}
            assert said.items() - self.held.items(), ("nothing new is told", message)
            for notice in message.notices:
                if notice.status == "resolved":
                    before = ("firing", "resolved") if notice.note == "corrected" else ("firing",)
                    assert self.held.get(notice.key) in before, ("told to be over, and it had not begun", notice)
            self.held |= said
        self.read = len(messages)
        if judged:
            assert {key for key, status in self.held.items() if status == "firing"} == {
                alert.key for alert in alerts.values() if alert.ends_us is None
            }
            assert self.held.keys() == alerts.keys()
            assert len(alerts) == len(set(alerts))


@dataclass(frozen=True)
class Act:
    """Something happens. Each event is (partition, how long ago, values)."""

    kind: str
    events: tuple[tuple[int, int, dict[str, Any]], ...] = ()
    wait_us: int = 0


_VALUES = st.fixed_dictionaries(
    {
        "country": st.sampled_from(["DE", "FR", "", None]),
        "vip": st.booleans(),
        "bad": st.booleans(),
        "ms": st.none() | st.integers(-3, 9),
    }
)
_AGO_US = st.sampled_from([0, 0, 0, SECOND_US, 20 * SECOND_US, MINUTE_US, 90 * SECOND_US, 4 * MINUTE_US, 11 * MINUTE_US, LATE_US - 1])
_ARRIVE = st.builds(
    Act,
    st.sampled_from([*["arrive"] * 8, "unseen", "unseen", "die"]),
    st.lists(st.tuples(st.sampled_from([0, 0, 0, 1]), _AGO_US, _VALUES), min_size=1, max_size=5).map(tuple),
)
_WAIT = st.builds(Act, st.just("wait"), wait_us=st.sampled_from([s * SECOND_US for s in (1, 20, 60, 60, 61, 119, 150, 420)]))
_OTHER = st.sampled_from([Act("restart"), Act("kill")])
# a start costs as much as three other acts, so it is rare; of alternatives that are alike Hypothesis would count only one
_ACTS = st.lists(st.sampled_from([*[_ARRIVE] * 6, *[_WAIT] * 5, _OTHER]).flatmap(lambda kind: kind), min_size=4, max_size=40)


def fit(when: str, clear: str) -> bool:
    """Whether two conditions can be one rule's: what looks back some minutes can't be judged once in five."""
    return "coarse" not in when + clear or not any(name in when + clear for name in ("ago", "rising", "falling"))


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Ruled]:
    """Rules that fit the KPIs."""
    found = {}
    for number in range(draw(st.integers(1, 4))):
        when = draw(st.sampled_from(sorted(CONDITIONS)))
        clear = draw(st.none() | st.none() | st.sampled_from([text for text in sorted(CONDITIONS) if fit(when, text)]))
        by = draw(st.sampled_from([(), ("country",), ("vip",), ("vip", "country")]))
        hours = draw(st.sampled_from([None, None, None, "12:05-12:20"]))
        for_, keep = draw(st.sampled_from([0, 0, 1, 2, 4])), draw(st.sampled_from([0, 0, 1, 3]))
        found[f"r{number}"] = Ruled(when, clear, by, for_, keep, hours, draw(st.booleans()))
    return found


def started(made: dict[str, Ruled]) -> bytes:
    """A definition with the rules, and the KPIs that they ask: reading it is a good part of an example's time."""
    asked = {kpi for rule in made.values() for kpi in rule.kpis}
    asked |= {"errors", "hits"} if "ratio" in asked else set()
    kpis = {
        name: {**text, **({} if "every" in text or name == "ratio" else {"every": "1m"}), **({} if name == "ratio" else {"by": [*_BY]})}
        for name, (text, _) in KPIS.items()
        if name in asked
    }
    source = {"http": {}, "time": "ts", "late": "20m", "idle": "2m", "fields": FIELDS}
    rest = {
        "alerts": {name: rule.spec() for name, rule in made.items()},
        "notify": {"am": {"alertmanager": {"urls": ["http://localhost:9093"]}}},
    }
    return json.dumps({"sources": {"s": source}, "kpis": kpis, **rest}).encode()


Stand = tuple[str, str, int, int | None]


def standing(server: Server, made: dict[str, Ruled], right: set[Stand]) -> set[Stand]:
    """The alerts that are not withdrawn. Of levels open buckets are judged at once: these are seen in whole buckets, and what was so
    for a while is no mistake.
    """
    with server.rehearsal.cursor() as cursor:
        alerts = [alert for alert in ledger.alerts(cursor) if alert.note != "corrected"]
    found = set()
    for alert in alerts:
        stand = (alert.rule, alert.series, alert.started_us, alert.ends_us)
        if made[alert.rule].level:
            ends_us = None if alert.ends_us is None else _whole(alert.ends_us)
            stand = (alert.rule, alert.series, _whole(alert.started_us), ends_us)
            if stand not in right:
                continue
        found.add(stand)
    return found


def _whole(time_us: int) -> int:
    return -(-time_us // MINUTE_US) * MINUTE_US


def expected(server: Server, made: dict[str, Ruled]) -> Iterator[Stand]:
    """What the final numbers make of each rule."""
    first_us, last_us = (pick(event.time_us for event in server.events) for pick in (min, max))
    oracle = Oracle(server.events, silent_us=server.rehearsal.clock.now_us())
    for name, rule in made.items():
        every_us = rule.every_us
        goes_on = rule.asks_absence or rule.asks_zeros  # of a source that is silent counts and sums are 0
        until_us = server.rehearsal.clock.now_us() if goes_on else last_us + every_us
        begin_us = first_us // every_us * every_us
        steps = [(start, start + every_us) for start in range(begin_us - 15 * MINUTE_US, until_us // every_us * every_us, every_us)]
        values = {kpi: oracle.points(KPIS[kpi][1], steps, rule.by) for kpi in rule.kpis}
        firsts: dict[tuple[Any, ...], int] = {}
        for event in sorted(server.events, key=lambda event: event.time_us):
            firsts.setdefault(tuple(event[name] for name in rule.by), event.time_us)
        for slice_, series_us in firsts.items():
            series = series_text([str(value).lower() if isinstance(value, bool) else value for value in slice_])
            for begun, ended in rule.spans(values, slice_, [s for s in steps if s[0] >= begin_us], series_us):
                yield name, series, begun, ended


@settings(worlds_apart, max_examples=max(25, worlds_apart.max_examples))
@given(rules(), _ACTS)
def test_the_alerts_are_those_of_the_final_numbers(made: dict[str, Ruled], acts: Sequence[Act]) -> None:
    with TemporaryDirectory(dir=_MEMORY) as directory:
        definition = parse_definition(started(made), Path("made.yaml"), {})
        server = Server(Rehearsal(Path(directory), ManualClock(BEGIN_US), definition))
        try:
            for act in acts:
                server.act(act)
            for _ in range(2):
                server.act(Act("wait", wait_us=6 * MINUTE_US))
            if server.events:
                right = set(expected(server, made))
                stand = standing(server, made, right)
                note(f"{sorted(right, key=str)}")
                assert stand == right, (sorted(stand - right, key=str), sorted(right - stand, key=str))
        finally:
            server.rehearsal.close()
