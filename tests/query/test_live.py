"""What a commit changed, told of many KPIs at once, is what each says when it is asked alone."""

import random
from pathlib import Path

import pytest

from livekpi.commit import Commit
from livekpi.query.live import changed
from livekpi.query.output import time_text
from livekpi.query.points import Points, Request
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, definition, rehearsed, send

FIELDS = "c: optional string, ok: boolean, user: string, x: optional number"
KPIS = {
    "events": "value: count(*), by: [c, ok]",
    "users": "value: count(distinct user), by: [c]",
    "slow": "value: 'quantile(x, 0.9)', by: [c]",
    "level": "value: last(x), by: [ok, c]",
    "mean": "value: avg(x), by: [c], every: 5m",
    "lately": "value: sum(x), by: [c], over: 10m",
    "share": "value: count(*) filter (where ok) / count(*), by: [c]",
    "most": "value: max(user), by: [c]",
}
LATER = {"spread": "value: max(x) - min(x), by: [c]", "bad": "value: count(*) filter (where not ok), by: [c]"}
COMPOSED = {"per_user": "events / users"}


def sent(server: Rehearsal, chance: random.Random, minute: int) -> Commit:
    """Commits events of the half hour before a minute after noon."""
    found: list[Commit] = []
    server.engine.subscribe(found.append)
    now_us = NOON_US + minute * MINUTE_US
    server.clock.set_us(now_us)
    events = [
        {
            "ts": time_text(now_us - chance.randrange(30 * MINUTE_US)),
            "c": chance.choice([None, "DE", "FR"]),
            "ok": chance.random() < 0.5,
            "user": f"u{chance.randrange(20)}",
            "x": chance.choice([None, chance.randrange(-20, 200) / 4]),
        }
        for _ in range(12)
    ]
    send(server, *events)
    (commit,) = found
    return commit


def everything(server: Rehearsal, name: str, by: tuple[str, ...]) -> dict[tuple[int, tuple[object, ...]], object]:
    """All values of a KPI by time and dimensions."""
    with server.query() as query:
        return {(point.time_us, point.dimensions): point.value for point in query.points(Request(name, by=by)).points}


def alone(server: Rehearsal, commit: Commit, name: str, by: tuple[str, ...]) -> Points | None:
    """A KPI's changed points, asked for by a range and picked out."""
    with server.query() as query:
        told = next(iter(changed(query, [server.definition.kpis[name]], commit, by).points), None)
        if told is None:
            return None
        asked = query.points(Request(name, by=by)).points
    times = {point.time_us for point in told.points}
    assert [point for point in asked if point.time_us in times] == told.points
    return told


@pytest.mark.parametrize("by", [(), ("c",)])
def test_together_they_say_what_each_says_alone(tmp_path: Path, by: tuple[str, ...]) -> None:
    chance = random.Random(7)
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        # no series begins before this, whose zeros would be new as well
        early = time_text(NOON_US - 60 * MINUTE_US)
        send(server, *({"ts": early, "c": c, "ok": ok, "user": "u"} for c in (None, "DE", "FR") for ok in (True, False)))
        for minute in range(4):
            sent(server, chance, minute)
        server.redefine(definition(FIELDS, KPIS | LATER, composed=COMPOSED))  # the later ones are complete from a later bucket on
        before = {name: everything(server, name, by) for name in server.definition.kpis}
        for minute in (4, 5, 9, 10, 45, 46):
            commit = sent(server, chance, minute)
            with server.query() as query:
                together = changed(query, list(server.definition.kpis.values()), commit, by)
            each = [alone(server, commit, name, by) for name in server.definition.kpis]
            assert together.points == [answer for answer in each if answer is not None]
            assert together.untold == {}
            # and nothing else has changed
            after = {name: everything(server, name, by) for name in server.definition.kpis}
            for answer in together.points:
                before[answer.kpi] |= {(point.time_us, point.dimensions): point.value for point in answer.points}
            assert before == after
        assert {answer.kpi for answer in together.points if answer.points} == {*KPIS, *LATER, *COMPOSED}


def test_one_that_changed_in_too_many_points_costs_no_other(tmp_path: Path) -> None:
    kpis = {"few": "value: count(*), by: [ok, user]", "many": "value: count(*) + 0, by: [user, ok]", "users": "value: count(distinct user)"}
    limited = definition(FIELDS, kpis, rest="limits: { points: 50 }")
    with rehearsed(tmp_path, limited) as server:
        found: list[Commit] = []
        server.engine.subscribe(found.append)
        times = [NOON_US - minute * MINUTE_US for minute in range(40)]
        send(server, *({"ts": time_text(time), "ok": True, "user": f"u{time}"} for time in times))
        with server.query() as query:
            kpis_asked = [server.definition.kpis[name] for name in ("few", "many")]
            by_user = changed(query, kpis_asked, found[0], ("user",))
            by_ok = changed(query, kpis_asked, found[0], ("ok",))
    assert by_user.points == []
    assert [*by_user.untold] == ["few", "many"]
    assert "more than 50 points" in by_user.untold["many"]
    assert [[point.value for point in answer.points] for answer in by_ok.points] == [[1] * 40] * 2
