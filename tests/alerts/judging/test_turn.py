"""What of a rule is judged in a step, and what is settled."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from livekpi.alerts.judging.readiness import Ready
from livekpi.alerts.judging.turn import Standing, Turn, Turns, new, unheard
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, at, definition, rehearsed

RULES = "alerts: { many: { when: hits > 1, for: 3m } }"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Rehearsal]:
    with rehearsed(tmp_path, definition("n: integer", {"hits": "value: count(*)"}, source="late: 20m,", rest=RULES)) as found:
        yield found


def ripe(until: str, shares: Mapping[str, float]) -> Ready:
    open_ = {at(start): share for start, share in shares.items()}
    return Ready(at(until), at(until), at(until), lambda start_us: open_.get(start_us, 1.0))


def turn(server: Rehearsal, before: Standing, there: Ready, touched: str | None = None) -> Turn | Standing | None:
    with server.query() as query:
        turns = Turns(query, server.definition, server.engine.plan, NOON_US)
        keys = [] if touched is None else [grouping.key for grouping in server.engine.plan.all()]
        return turns.turn(server.definition.rules["many"], before, there, dict.fromkeys(keys, at(touched or "12:00")))


def judged(server: Rehearsal, until: str, again: str) -> Standing:
    """A rule judged up to a time, of which not all was complete."""
    shares = {} if until == again else {again: 0.5}
    found = turn(server, new(server.definition.rules["many"], ripe("12:05", {})), ripe(until, shares))
    assert isinstance(found, Turn)
    return Standing(found.progress, {}, found.whole_us, {}, found.shares, written=False)


def test_what_was_not_complete_is_judged_again_from_what_is_settled(server: Rehearsal) -> None:
    before = judged(server, "12:10", "12:09")
    found = turn(server, before, ripe("12:11", {"12:10": 0.5}))
    assert isinstance(found, Turn)
    assert (found.start_us, found.until_us, found.whole_us) == (at("12:09"), at("12:11"), at("12:10"))
    assert (found.again, found.states, found.stored_after) == (True, before.settled, False)


def test_where_nothing_is_new_there_is_no_turn(server: Rehearsal) -> None:
    before = judged(server, "12:10", "12:09")
    assert turn(server, before, ripe("12:10", {"12:09": 0.5})) is None
    assert isinstance(turn(server, before, ripe("12:10", {"12:09": 0.6})), Turn)
    assert isinstance(turn(server, before, ripe("12:10", {"12:09": 0.5}), touched="12:09"), Turn)
    assert isinstance(turn(server, replace(before, settled=None), ripe("12:10", {"12:09": 0.5})), Turn)


def test_what_was_whole_stays_so_though_less_is_known_of_how_late_events_come(server: Rehearsal) -> None:
    found = turn(server, judged(server, "12:10", "12:09"), ripe("12:11", {"12:07": 0.1, "12:08": 0.2, "12:09": 0.3, "12:10": 0.4}))
    assert isinstance(found, Turn)
    assert found.shares == {at("12:09"): 0.3, at("12:10"): 0.4}
    assert found.whole_us == at("12:09")


def test_what_was_corrected_before_is_known_to_the_store_alone(server: Rehearsal) -> None:
    found = turn(server, judged(server, "12:10", "12:10"), ripe("12:11", {}), touched="12:07:30")
    assert isinstance(found, Turn)
    assert (found.start_us, found.again, found.states, found.stored_after) == (at("12:07"), True, None, True)


def test_what_is_too_late_is_not_judged_again(server: Rehearsal) -> None:
    found = turn(server, judged(server, "12:10", "12:10"), ripe("12:11", {}), touched="11:00")
    assert isinstance(found, Turn)
    assert found.start_us == at("11:50")


def test_a_new_rule_looks_back_as_far_as_it_waits(server: Rehearsal) -> None:
    rule = server.definition.rules["many"]
    found = turn(server, new(rule, ripe("12:10", {})), ripe("12:10", {}))
    assert isinstance(found, Turn)
    assert (found.start_us, found.again) == (at("12:10") - 3 * MINUTE_US, False)


def test_before_what_could_be_judged_only_the_time_is_kept(server: Rehearsal) -> None:
    found = turn(server, unheard(server.definition.rules["many"]), ripe("11:00", {}))
    assert isinstance(found, Standing)
    assert found.progress.judged_us == at("11:00")
