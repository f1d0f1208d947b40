"""Whatever a job writes in whatever order, again and again, and whatever befalls the server: the numbers are those of one batch query."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from livekpi.clock import ManualClock
from livekpi.query.steps import QueryError
from livekpi.store import dead_letters
from tests.clusters import shop
from tests.clusters.served import Served
from tests.properties.played import same
from tests.properties.shop import KPIS
from tests.properties.test_engine import cuts_a_bucket, worlds_apart
from tests.properties.worlds import Act, Ask, World, asks, worlds

SHOP = shop.definition()


@contextmanager
def serving(now_us: int, **rest: object) -> Iterator[Served]:
    with TemporaryDirectory() as directory:
        served = Served(Path(directory), ManualClock(now_us), shop.definition(**rest) if rest else SHOP)
        try:
            yield served
        finally:
            served.close()


def play(served: Served, act: Act, random: Random) -> None:
    for partition, records in act.records:
        served.topic.arrive(partition, records, served.clock.now_us())
    if act.kind == "arrive":
        served.compute(random)
        served.commit(act.cut)
    elif act.kind == "die":
        served.compute(random)
        served.kill_in(served.commit)
    elif act.kind == "restart":
        served.job_begins_anew(random)
    elif act.kind == "kill":
        served.kill()
    elif act.kind == "compact":
        with served.store.transaction() as cursor:
            housekeeping = served.engine._housekeeping
            housekeeping.run(cursor, housekeeping.everything())
    else:
        served.clock.set_us(served.clock.now_us() + act.wait_us)
        served.commit()


def check(served: Served, ask: Ask) -> None:
    expected, steps = served.expected(ask)
    if cuts_a_bucket(ask, steps):
        with pytest.raises(QueryError, match=r"cut one in two|kept in buckets of"):
            served.asked(ask)
        return
    values, final = served.asked(ask)
    assert values.keys() == expected.keys(), ask
    for key, value in expected.items():
        assert same(values[key], value, KPIS[ask.kpi].kpi.tolerance), (ask, key, values[key], value)
    ends, final_before_us = dict(steps), served.topic.final_before_us(served.clock.now_us())
    early = {key for key, said in final.items() if said and ends[key[0]] > final_before_us}
    assert early == set(), ask


@worlds_apart
@given(st.data())
def test_the_numbers_are_those_of_one_batch_query(data: st.DataObject) -> None:
    world: World = data.draw(worlds())
    random = Random(data.draw(st.integers(0, 2**32 - 1)))
    with serving(world.now_us) as served:
        for act in world.acts:
            play(served, act, random)
        served.settle()
        for ask in data.draw(st.lists(asks(world.times), min_size=12, max_size=12)):
            check(served, ask)
        with served.cursor() as cursor:
            letters = [(letter.partition, letter.position) for letter in dead_letters.find(cursor)]
        assert len(letters) == len(set(letters))
        assert set(letters) == served.topic.dead
        note(f"{len(served.topic.events)} events, {len(letters)} dead letters")
