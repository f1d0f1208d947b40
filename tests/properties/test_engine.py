"""Whatever arrives in whatever order, and whatever befalls the server: the numbers are those of one batch query."""

import os
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from livekpi.query.steps import QueryError
from livekpi.store import dead_letters
from tests.oracle.oracle import HOUR_US, Step
from tests.properties.played import Played, playing, same
from tests.properties.shop import KPIS, MINUTE_US, definition
from tests.properties.worlds import ZONES, Act, Ask, World, asks, worlds

SHOP = definition()
_EXAMPLES = int(os.environ.get("LIVEKPI_EXAMPLES", "0"))
worlds_apart = settings(
    max_examples=_EXAMPLES or 10,  # few where all tests run; LIVEKPI_EXAMPLES says how many where one looks for what is rare
    deadline=None,
    # making a failure small takes minutes: only where one has asked for time
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if _EXAMPLES else [])],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def cuts_a_bucket(ask: Ask, steps: Sequence[Step]) -> bool:
    """Whether a step of the question begins or ends within a bucket."""
    bounds = {
        (bound, part.every_us)
        for part in KPIS[ask.kpi].kpi.parts
        for start, end in steps
        for bound in (min(start, end - part.over_us), end)
    }
    return any(bound % every_us for bound, every_us in bounds)


def check(played: Played, ask: Ask) -> None:
    expected, steps = played.expected(ask)
    if cuts_a_bucket(ask, steps):
        with pytest.raises(QueryError, match=r"cut one in two|kept in buckets of"):
            played.asked(ask)
        return
    values, final = played.asked(ask)
    assert values.keys() == expected.keys(), ask
    for key, value in expected.items():
        assert same(values[key], value, KPIS[ask.kpi].kpi.tolerance), (ask, key, values[key], value)
    ends = dict(steps)
    final_before_us = played.account.final_before_us(played.server.clock.now_us())
    assert final == {key: ends[key[0]] <= final_before_us for key in expected}, ask


@worlds_apart
@given(st.data())
def test_the_numbers_are_those_of_one_batch_query(data: st.DataObject) -> None:
    world: World = data.draw(worlds())
    with playing(SHOP, world) as played:
        for ask in data.draw(st.lists(asks(world.times), min_size=12, max_size=12)):
            check(played, ask)
        with played.server.cursor() as cursor:
            assert len(dead_letters.find(cursor)) == played.account.dead
        note(f"{len(played.account.events)} events, {played.account.dead} dead letters")


KEEP = {"1m": "6h", "30m": "2d", "1h": "400d"}


@worlds_apart
@given(st.data())
def test_the_numbers_stay_when_buckets_are_rolled_up(data: st.DataObject) -> None:
    world: World = data.draw(worlds((MINUTE_US, HOUR_US)))
    with playing(definition(keep=KEEP), world) as played:
        played.server.advance(played.server.clock.now_us() + MINUTE_US)
        for ask in data.draw(st.lists(asks(world.times, ("1h", "2h", "12h", "1d", "2d", "1w")), min_size=12, max_size=12)):
            try:
                check(played, ask)
            except QueryError as error:
                if ask.timezone != "Asia/Kolkata" or "kept in buckets of 1h" not in str(error):
                    raise  # only there days begin within a rolled-up hour


ADDITIVE = ("events", "revenue", "pieces", "many", "sorted_out", "carts", "weights")


@worlds_apart
@given(st.data())
def test_slices_and_steps_add_up(data: st.DataObject) -> None:
    world: World = data.draw(worlds())
    with playing(SHOP, world) as played:
        for name in data.draw(st.permutations(ADDITIVE))[:3]:
            by = tuple(data.draw(st.lists(st.sampled_from(KPIS[name].kpi.by), unique=True)))
            zone = data.draw(st.sampled_from(ZONES))
            total = sum(_answers(played, name, "all", (), "UTC"))
            for step, cut in (("all", by), ("1h", ()), ("1d", by), ("1w", ())):
                assert sum(_answers(played, name, step, cut, zone)) == total, (name, step, cut)


def _answers(played: Played, name: str, step: str, by: tuple[str, ...], zone: str) -> list[int]:
    """The values, as whole numbers of their smallest part."""
    values, _ = played.asked(Ask(name, step, zone, by, None, 0))
    return [
        int(value * 8) if isinstance(value, float) else int(value.scaleb(2)) if isinstance(value, Decimal) else value
        for value in values.values()
    ]


@worlds_apart
@given(st.data())
def test_neither_order_nor_pieces_nor_accidents_change_a_number(data: st.DataObject) -> None:
    world: World = data.draw(worlds())
    records = [record for act in world.acts for _, records in act.records for record in records if record.values is not None]
    # of events at the same time the later in its partition is the last, so an order is only free where there are none
    unlike = list({record.time_us: record for record in records}.values())
    shuffled = data.draw(st.permutations(unlike))
    pieces = [Act("arrive", ((index % 3, tuple(shuffled[index : index + 4])),), 1) for index in range(0, len(shuffled), 4)]
    accidents = data.draw(st.lists(st.sampled_from(["kill", "restart", "compact"]), min_size=len(pieces), max_size=len(pieces)))
    acts = [act for piece, accident in zip(pieces, accidents, strict=True) for act in (piece, Act(accident))]
    questions = data.draw(st.lists(asks(world.times), min_size=10, max_size=10))
    with (
        playing(SHOP, World(world.now_us, world.times, (Act("arrive", ((0, tuple(unlike)),)),))) as plain,
        playing(SHOP, World(world.now_us, world.times, tuple(acts))) as other,
    ):
        for ask in questions:
            try:
                assert plain.asked(ask)[0] == other.asked(ask)[0], ask
            except QueryError as error:
                if "cut one in two" not in str(error):
                    raise
