"""What follows of verdicts, for states and alerts: rules judged together, one after another, and what was judged before set right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from livekpi.alerts import ledger
from livekpi.alerts.judging.book import Book
from livekpi.alerts.judging.firings import key_of
from livekpi.alerts.judging.held import Held
from livekpi.alerts.judging.judge import Ask, Judge, Verdicts
from livekpi.alerts.judging.readiness import Ready
from livekpi.alerts.judging.round import TOGETHER, Result, Round
from livekpi.alerts.judging.turn import Standing, Turn, new
from livekpi.alerts.judging.values import Codes
from livekpi.alerts.ledger import Alert
from livekpi.definition.definition import Definition
from livekpi.query.query import Query
from livekpi.query.steps import QueryError
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, at, definition, rehearsed

MADE = definition(
    "shop: optional string",
    {"hits": "value: count(*), by: [shop]"},
    source="late: 20m,",
    rest="alerts: { many: { when: hits > 1, by: [shop] }, most: { when: hits > 9, by: [shop] }, all: { when: hits > 5 } }",
)
VERDICTS = {"!": 1 + 3 * 2 + 1, "-": 1 + 3 * 1 + 2, "?": 1, ".": 0}
"""A bucket in which the condition holds, does not, can't be known, and one without an answer."""


class Says(Judge):
    """Verdicts as they are written down: a character a minute from noon on, by rule and shop."""

    def __init__(self, made: Definition, said: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(made)
        self.said = said
        self.asked: list[list[str]] = []
        self.from_us: list[int] = []

    def verdicts(self, cursor: Any, query: Any, reader: Any, asks: Sequence[Ask]) -> list[Verdicts]:
        self.asked.append([ask.rule.name for ask in asks])
        self.from_us += [ask.from_us for ask in asks]
        if any(ask.rule.name not in self.said for ask in asks):
            raise QueryError("it is kept in buckets of 60s")
        return [self._heard(ask, self.said[ask.rule.name]) for ask in asks]

    def _heard(self, ask: Ask, said: Mapping[str, str]) -> Verdicts:
        codes = Codes(ask.rule.by)
        codes.of(pa.table({"g0": list(said)}) if ask.rule.by else pa.table({"none": [1]}))
        minutes = slice((ask.from_us - NOON_US) // MINUTE_US, (ask.to_us - NOON_US) // MINUTE_US)
        rows = np.array([[VERDICTS[each] for each in text[minutes]] for text in said.values()], dtype=np.uint8)
        values = np.tile(np.arange(minutes.start, minutes.stop, dtype=np.float64), (len(said), 1))
        return Verdicts(codes, ask.from_us, MINUTE_US, rows, values, np.ones(rows.shape[1], dtype=np.bool_))


class World:
    """Rounds one after the other; what one leads to is how the next begins, as with a desk."""

    def __init__(self, server: Rehearsal) -> None:
        self.server, self.book = server, Book()
        self.standing: dict[str, Standing] = {}
        self.judge = Says(server.definition, {})

    def turn(self, rule: str, start: str, until: str, open_: str | None = None) -> Turn:
        """A turn of a rule over the buckets in [start, until), complete but for the last ones from `open_` on."""
        made, shares = self.server.definition.rules[rule], {}
        if open_ is not None:
            shares = dict.fromkeys(range(at(open_), at(until), MINUTE_US), 0.5)
        ripe = Ready(at(until), at(until), at(until), lambda start_us: shares.get(start_us, 1.0))
        return Turn(made, self.standing.get(rule, new(made, replace(ripe, until_us=NOON_US))), ripe, NOON_US, at(start), at(until), shares)

    def judged(self, *turns: Turn, **said: Mapping[str, str]) -> Result:
        """A round in its own transaction; `said` is by rule."""
        self.judge.said = said
        with self.server.store.beside() as cursor:
            query = Query(cursor, self.server.definition, self.server.engine.plan, NOON_US)
            result = Round(cursor, query, self.judge, Held().over(query), self.book, at("13:00")).judge(turns)
            self.book.write(cursor)
        self.standing |= result.standing
        return result

    def tell(self) -> None:
        """All that is known is told."""
        self.book.put(replace(alert, told="firing") for alert in self.book.open())

    def alerts(self) -> list[Alert]:
        with self.server.cursor() as cursor:
            return ledger.alerts(cursor)

    def spans(self) -> list[tuple[str, int, int | None]]:
        """The alerts that are stored, as series and minutes."""
        return [
            (
                alert.series,
                (alert.started_us - NOON_US) // MINUTE_US,
                None if alert.ends_us is None else (alert.ends_us - NOON_US) // MINUTE_US,
            )
            for alert in self.alerts()
        ]

    def states(self, rule: str = "many", time: str | None = None) -> dict[str, str]:
        with self.server.cursor() as cursor:
            found = ledger.states(cursor, rule, None if time is None else at(time))
        return {series: state.phase for series, state in found.items()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with rehearsed(tmp_path, MADE) as server:
        yield World(server)


def test_a_firing_begins_and_ends(world: World) -> None:
    first = world.judged(world.turn("many", "12:00", "12:02"), many={"a": "-!", "b": "--"})
    assert [(alert.series, alert.started_us, alert.ends_us, alert.value) for alert in first.changed] == [('["a"]', at("12:02"), None, 1.0)]
    assert list(world.standing["many"].states) == ['["a"]'], "what is inactive is not remembered"
    assert (world.spans(), world.states()) == ([('["a"]', 2, None)], {'["a"]': "firing"})
    second = world.judged(world.turn("many", "12:02", "12:04"), many={"a": "-!!-", "b": "----"})
    assert [(alert.ends_us, alert.value) for alert in second.changed] == [(at("12:04"), 2.0)]
    assert (world.spans(), world.states(), world.standing["many"].states) == ([('["a"]', 2, 4)], {'["a"]': "inactive"}, {})


def test_an_alert_that_goes_on_is_no_change(world: World) -> None:
    world.judged(world.turn("many", "12:00", "12:02"), many={"a": "!!"})
    world.tell()
    result = world.judged(world.turn("many", "12:02", "12:03"), many={"a": "!!."})
    assert (result.changed, world.standing["many"].states['["a"]'].known_us) == ([], at("12:02"))
    assert world.spans() == [('["a"]', 1, None)]


def test_rules_of_the_same_dimensions_are_asked_together(world: World) -> None:
    turns = [world.turn(name, "12:00", "12:02") for name in ("many", "most", "all")]
    result = world.judged(*turns, many={"a": "!!"}, most={"a": "-!"}, all={"": "!-"})
    assert world.judge.asked == [["many", "most"], ["all"]]
    assert sorted((alert.rule, alert.series) for alert in result.changed) == [("all", "[]"), ("many", '["a"]'), ("most", '["a"]')]


def test_a_rule_that_looks_far_back_is_asked_alone(world: World) -> None:
    until = f"{12 + TOGETHER // 60}:{TOGETHER % 60 + 1:02}"
    said = {"a": "-" * (TOGETHER + 1)}
    world.judged(world.turn("many", "12:00", until), world.turn("most", "12:00", "12:02"), many=said, most=said)
    assert world.judge.asked == [["many"], ["most"]]


def test_one_that_cannot_be_judged_costs_none_of_the_others(world: World) -> None:
    result = world.judged(world.turn("most", "12:00", "12:01"), world.turn("many", "12:00", "12:01"), many={"a": "!"})
    assert world.judge.asked == [["most", "many"], ["most"], ["many"]]
    assert result.problems == {"most": "it is kept in buckets of 60s"}
    assert (list(result.standing), world.spans()) == (["many"], [('["a"]', 1, None)])


def test_what_an_open_bucket_said_is_forgotten_where_it_was_not_so(world: World) -> None:
    world.judged(world.turn("many", "12:00", "12:02", open_="12:01"), many={"a": "-!", "b": "!!"})
    before = world.standing["many"]
    assert (before.again_us, before.written, list(before.settled or {})) == (at("12:01"), True, ['["b"]'])
    assert world.spans() == [('["b"]', 1, None), ('["a"]', 2, None)]
    result = world.judged(world.turn("many", "12:01", "12:02"), many={"a": "--", "b": "!!"})
    assert (result.changed, world.spans()) == ([], [('["b"]', 1, None)]), "nobody had heard of it"
    assert world.states() == {'["b"]': "firing"}


def test_what_was_told_and_never_was_is_taken_back(world: World) -> None:
    world.judged(world.turn("many", "12:00", "12:03"), many={"a": "-!!"})
    world.tell()
    (alert,) = world.judged(world.turn("many", "12:01", "12:03"), many={"a": "---"}).changed
    assert (alert.note, alert.started_us, alert.ends_us) == ("corrected", at("12:02"), at("12:02"))


def test_before_what_is_remembered_the_store_says_how_it_stood(world: World) -> None:
    world.judged(world.turn("many", "12:00", "12:08"), many={"a": "-!!!!!!!"})
    result = world.judged(world.turn("many", "12:06", "12:09"), many={"a": "-!!!!!-.."})
    assert world.judge.from_us == [NOON_US, at("12:01")], "from so long before that a silent series would have ended"
    assert [alert.ends_us for alert in result.changed] == [at("12:07")]
    assert world.states(time="12:06") == {'["a"]': "firing"}


def test_a_series_that_was_silent_before_is_not_taken_to_have_spoken(world: World) -> None:
    world.judged(world.turn("many", "12:00", "12:06"), many={"a": "-!...."})
    result = world.judged(world.turn("many", "12:05", "12:07"), many={"a": "-!....."})
    assert [alert.ends_us for alert in result.changed] == [at("12:07")], "five minutes after it was heard of last"


def test_a_new_alert_that_begins_where_another_once_did_has_its_own_key(world: World) -> None:
    rule = MADE.rules["many"]
    usual = key_of(rule.name, rule.digest, '["a"]', at("12:02"))
    moved = Alert(usual, rule.name, rule.digest, '["a"]', at("11:30"), at("11:31"), "resolved", "late", 1.0, NOON_US, NOON_US)
    other = replace(moved, key=key_of(usual))
    with world.server.store.beside() as cursor:
        ledger.save_alerts(cursor, [moved, other])
    (alert,) = world.judged(world.turn("many", "12:00", "12:02"), many={"a": "-!"}).changed
    assert alert.key == key_of(key_of(usual))
    assert len(world.alerts()) == 3


def test_a_quiet_rule_stands_as_far_as_it_was_judged(world: World) -> None:
    result = world.judged(world.turn("many", "12:00", "12:02", open_="12:01"), many={"a": "--", "b": "?."})
    standing = result.standing["many"]
    assert (standing.states, standing.settled, standing.written, standing.shares) == ({}, {}, False, {at("12:01"): 0.5})
    assert (standing.progress.judged_us, standing.again_us) == (at("12:02"), at("12:01"))
    assert (world.alerts(), world.states()) == ([], {})
