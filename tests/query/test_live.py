"""What a commit changed, told to many wants at once: with what was known before it, it is what each says when it is asked anew."""

import random
from pathlib import Path

import pytest

from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.moments import time_text
from livekpi.query import live
from livekpi.query.live import Told, Want, changed, check
from livekpi.query.points import Request
from livekpi.query.steps import QueryError
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import DAY_US, HOUR_US, MINUTE_US, NOON_US, at, definition, rehearsed, send

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
CLOCK_CHANGES_US = at("2026-03-29T12:00:00")
QUIET = Commit(0, 0, {})
STEPS = {None: None, "5m": 5 * MINUTE_US, "15m": 15 * MINUTE_US, "3h": 3 * HOUR_US, "1d": DAY_US, "1w": 7 * DAY_US}

Known = dict[tuple[int, tuple[object, ...]], object]


def commits(server: Rehearsal) -> list[Commit]:
    found: list[Commit] = []
    server.engine.subscribe(found.append)
    return found


def event(chance: random.Random, time_us: int) -> dict[str, object]:
    return {
        "ts": time_text(time_us),
        "c": chance.choice([None, "DE", "FR", f"late{chance.randrange(5)}"]),
        "ok": chance.random() < 0.5,
        "user": f"u{chance.randrange(20)}",
        "x": chance.choice([None, chance.randrange(-20, 200) / 4]),
    }


def asked(server: Rehearsal, want: Want, step: str | None, from_us: int | None = None) -> Known:
    """All values of a want, by a range's answer."""
    request = Request(want.kpi, from_us, None, step, want.by, want.where, want.timezone)
    with server.query() as query:
        return {(point.time_us, point.dimensions): point.value for point in query.points(request).points}


def tell(server: Rehearsal, wants: list[Want], commit: Commit) -> dict[Want, Told]:
    with server.query() as query:
        return dict(changed(query, server.definition, wants, commit).told)


def known(told: Told | None) -> Known:
    return {} if told is None else {(point.time_us, point.dimensions): point.value for point in told.points.points}


def every_want(made: Definition) -> dict[Want, str | None]:
    """Wants of all kinds, each with its step's text."""
    return {
        Want(name, by, STEPS[step], timezone, where): step
        for name in made.kpis
        for step, timezone in ((None, "UTC"), ("5m", "UTC"), ("15m", "Asia/Kathmandu"), ("3h", "Europe/Berlin"), ("1d", "Europe/Berlin"))
        for by, where in (((), None), (("c",), None), ((), "c = 'DE' or c is null"), (("c",), "c in ('late1', 'FR')"))
    }


@pytest.mark.parametrize("seed", range(3))
def test_what_was_known_and_what_is_told_is_what_there_is(tmp_path: Path, seed: int) -> None:
    """Over the hours in which Berlin's clocks change, with events that come late and slices that begin in the past."""
    chance = random.Random(seed)
    begin_us = CLOCK_CHANGES_US - 14 * HOUR_US
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED), begin_us) as server:
        send(server, *(event(chance, begin_us - chance.randrange(30 * MINUTE_US)) for _ in range(10)))
        server.redefine(definition(FIELDS, KPIS | LATER, composed=COMPOSED))  # the later ones are complete from a later bucket on
        found, all_wants = commits(server), every_want(server.definition)
        wants = {want: all_wants[want] for want in chance.sample(list(all_wants), 80)}
        page = {want: asked(server, want, step) for want, step in wants.items()}
        now_us = begin_us
        for wait_us, late_us in ((MINUTE_US, MINUTE_US), (7 * MINUTE_US, 20 * MINUTE_US), (3 * HOUR_US, HOUR_US), (MINUTE_US, 4 * HOUR_US)):
            now_us += wait_us
            server.clock.set_us(now_us)
            send(server, *(event(chance, now_us - chance.randrange(late_us)) for _ in range(4)))
            told = tell(server, list(wants), found[-1])
            for want, step in wants.items():
                page[want] |= known(told.get(want))
                assert page[want] == asked(server, want, step), want
        assert {want.kpi for want in told} == {*KPIS, *LATER, *COMPOSED}
        assert all(each.untold is None for each in told.values())


@pytest.mark.parametrize("seed", range(4))
def test_a_level_is_carried_on_between_what_changed_and_what_became_final(tmp_path: Path, seed: int) -> None:
    """The two are told by one answer, and what was given between them is in neither."""
    chance = random.Random(seed)
    with rehearsed(tmp_path, definition(FIELDS, KPIS, source="late: 2m, idle: 5m,")) as server:
        found = commits(server)
        wants = {Want("level", by, STEPS[step]): step for by in ((), ("c",), ("ok", "c")) for step in (None, "5m")}
        final_us, page = dict.fromkeys(wants, 0), dict[Want, Known]((want, {}) for want in wants)
        now_us = NOON_US
        for _ in range(12):
            now_us += chance.choice([1, 4, 9]) * MINUTE_US
            server.clock.set_us(now_us)
            send(server, *(event(chance, now_us - chance.randrange(6 * MINUTE_US)) for _ in range(2)))
            with server.query() as query:
                changes = changed(query, server.definition, list(wants), found[-1], final_us)
            final_us |= changes.final_us
            for want, step in wants.items():
                page[want] |= known(changes.told.get(want))
                assert page[want] == asked(server, want, step), want


def test_what_is_told_together_is_what_each_is_told_alone(tmp_path: Path) -> None:
    chance = random.Random(7)
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        found = commits(server)
        for minutes in (40, 5):
            send(server, *(event(chance, NOON_US - chance.randrange(minutes * MINUTE_US)) for _ in range(20)))
        wants = list(every_want(server.definition))
        together = tell(server, wants, found[-1])
        assert together == {want: told for want in wants for told in tell(server, [want], found[-1]).values()}


def test_only_the_steps_that_changed_are_told(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, {"events": "value: count(*), by: [c]", "lately": "value: count(*), over: 10m"})) as server:
        found = commits(server)
        ago = [{"ts": time_text(NOON_US - minute * MINUTE_US), "c": c, "ok": True, "user": "u"} for minute in (90, 0) for c in ("DE", "FR")]
        send(server, *ago)
        send(server, {"ts": time_text(NOON_US - 37 * MINUTE_US), "c": "DE", "ok": True, "user": "u"})
        wants = [Want("events"), Want("events", ("c",), 15 * MINUTE_US), Want("lately"), Want("lately", (), 5 * MINUTE_US)]
        told = tell(server, wants, found[-1])
        starts = [sorted((NOON_US - time_us) // MINUTE_US for time_us, _ in known(told[want])) for want in wants]
    # 11:23 is in the windows of the minutes up to 11:32, and of the five minutes from 11:20 and 11:25
    assert starts == [[37], [45, 45], list(range(28, 38)), [35, 40]]


def test_what_has_become_final_is_told(tmp_path: Path) -> None:
    """By events that come after it as by time that passes without any."""
    with rehearsed(tmp_path, definition("c: string", {"events": "value: count(*), by: [c]"}, source="late: 1m, idle: 5m,")) as server:
        seen = commits(server)
        want, coarse = Want("events"), Want("events", ("c",), 5 * MINUTE_US)

        def told(commit: Commit, before_us: dict[Want, int]) -> tuple[dict[Want, list[tuple[int, bool]]], dict[Want, int]]:
            with server.query() as query:
                changes = changed(query, server.definition, [want, coarse], commit, before_us)
            points = {each: [(point.time_us, point.final) for point in said.points.points] for each, said in changes.told.items()}
            return points, dict(changes.final_us)

        send(server, *({"c": "DE", "ts": time_text(NOON_US + minute * MINUTE_US)} for minute in range(-7, -2)))
        _, known = told(QUIET, {})
        send(server, {"c": "DE"})  # a minute before which all is final now
        found, known = told(seen[-1], known)
        assert found[want] == [(NOON_US + minute * MINUTE_US, minute < -1) for minute in (-4, -3, -2, -1, 0)]
        assert found[coarse] == [(NOON_US, False)]
        server.clock.set_us(NOON_US + 20 * MINUTE_US)
        found, known = told(QUIET, known)
        assert found == {
            want: [(NOON_US - MINUTE_US, True), (NOON_US, True)],
            coarse: [(NOON_US - 5 * MINUTE_US, True), (NOON_US, True)],
        }
        assert told(QUIET, known) == ({}, known)


def test_what_is_kept_too_coarsely_is_told_at_a_coarser_step(tmp_path: Path) -> None:
    kept = definition("c: string", {"events": "value: count(*), by: [c]"}, source="late: 30d,", rest="keep: { 1m: 2h, 1h: 30d }")
    with rehearsed(tmp_path, kept, NOON_US - 5 * HOUR_US) as server:
        send(server, {"c": "DE"})
        for hours in (4, 2, 0):
            server.advance(NOON_US - hours * HOUR_US)
            send(server, {"c": "DE"})
        with server.store.transaction() as cursor:
            housekeeping = server.engine._housekeeping
            housekeeping.run(cursor, housekeeping.everything())
        found = commits(server)
        wants = {Want("events"): None, Want("events", (), HOUR_US): "1h", Want("events", (), 15 * MINUTE_US): "15m"}
        wants |= {Want("events", (), HOUR_US, "Asia/Kathmandu"): "1h"}
        send(server, {"c": "DE", "ts": time_text(NOON_US - 5 * HOUR_US + 10 * MINUTE_US)}, {"c": "DE"})
        told = tell(server, list(wants), found[-1])
        times = {want: [(NOON_US - time_us) / HOUR_US for time_us, _ in known(each)] for want, each in told.items()}
    fine, hourly, quarters, elsewhere = wants
    assert times == {fine: [0], hourly: [5, 0], quarters: [0], elsewhere: [0.75]}


def test_more_steps_than_anyone_watches_are_said_to_be_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CHANGED_STEPS", 5)
    with rehearsed(tmp_path, definition(FIELDS, {"events": "value: count(*)"})) as server:
        found = commits(server)
        send(server, *({"ts": time_text(NOON_US - minute * MINUTE_US), "ok": True, "user": "u"} for minute in range(9)))
        fine, coarse = Want("events"), Want("events", (), 5 * MINUTE_US)
        told = tell(server, [fine, coarse], found[0])
    assert sorted(known(told[fine])) == [(NOON_US - minute * MINUTE_US, ()) for minute in (4, 3, 2, 1, 0)]
    assert told[fine].untold == "more than 5 steps changed"
    assert (len(known(told[coarse])), told[coarse].untold) == (3, None)


def test_one_that_changed_in_too_many_points_costs_no_other(tmp_path: Path) -> None:
    kpis = {"few": "value: count(*), by: [ok, user]", "many": "value: count(*) + 0, by: [user, ok]", "users": "value: count(distinct user)"}
    limited = definition(FIELDS, kpis, rest="limits: { points: 50 }")
    with rehearsed(tmp_path, limited) as server:
        found = commits(server)
        times = [NOON_US - minute * MINUTE_US for minute in range(40)]
        send(server, *({"ts": time_text(time), "ok": True, "user": f"u{time}"} for time in times))
        wants = [Want(name, by) for name in ("few", "many") for by in (("user",), ("ok",))]
        told = tell(server, wants, found[0])
    for want in wants:
        values = list(known(told[want]).values())
        if want.by == ("user",):
            assert values == []
            assert "more than 50 points" in (told[want].untold or "")
        else:
            assert (values, told[want].untold) == ([1] * 40, None)


def test_what_the_definition_has_no_more_is_left_out(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, {"events": "value: count(*), by: [c]"})) as server:
        found = commits(server)
        send(server, {"ok": True, "user": "u"})
        told = tell(server, [Want("gone"), Want("events", ("gone",)), Want("events", ("c",))], found[0])
    assert [*told] == [Want("events", ("c",))]


@pytest.mark.parametrize(
    ("want", "says"),
    [
        (Want("mean", ("d",)), "mean has no dimension 'd'; it has c"),
        (Want("mean", (), 7 * MINUTE_US), "step 7m is no multiple of mean's bucket, 5m"),
        (Want("mean", (), None, "Nowhere"), "there is no time zone 'Nowhere'"),
        (Want("mean", where="d = 1"), "where: mean has no dimension 'd'; it has c"),
        (Want("mean", where="c ="), "where: "),
        (Want("hourly", (), HOUR_US, "Asia/Kathmandu"), "steps in Asia/Kathmandu would cut one in two"),
    ],
)
def test_a_want_that_can_not_be_told(want: Want, says: str) -> None:
    made = definition(FIELDS, KPIS | {"hourly": "value: count(*), every: 1h"})
    with pytest.raises(QueryError) as error:
        check(made, want, NOON_US)
    assert says in str(error.value)
