import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from livekpi.sources.decode import Decoder
from livekpi.sources.handover import Decoded
from livekpi.sources.ingest_log import IngestLog
from livekpi.web.door.intake import TOGETHER_BYTES, Decode, Intake, Taken
from livekpi.web.problems import ProblemError
from tests.web.world import GOOD, NOW_US, World, make_world

BAD = b'{"ts": "2026-03-01T12:00:00Z", "user": 7}'
WHY = "expected a string, got 7"
AHEAD = b'{"ts": "2026-03-01T12:05:00.000001Z", "user": "ann"}'


class Decodes:
    """Decodes, and remembers what was decoded together."""

    def __init__(self, world: World) -> None:
        self.rounds: list[list[bytes]] = []
        self._decode: Decode = partial(Decoded.of, Decoder(world.backend.definition.sources["app"]))

    def __call__(self, records: Sequence[bytes], arrived_us: int) -> Decoded:
        self.rounds.append(list(records))
        if b'"crash"' in records:
            raise ZeroDivisionError
        return self._decode(records, arrived_us)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as world:
        yield world


@pytest.fixture
def decodes(world: World) -> Decodes:
    return Decodes(world)


def take(log: IngestLog, decode: Decode, *bodies: tuple[bytes, int]) -> list[Taken | BaseException]:
    """Takes bodies that are here at once, each with its arrival, counted from NOW_US."""

    async def all_at_once() -> list[Taken | BaseException]:
        with ThreadPoolExecutor(1) as pool:
            intake = Intake(log, decode, 2**20, pool)
            takes = (intake.take(body, "", NOW_US + arrived_us, lambda _: None) for body, arrived_us in bodies)
            return await asyncio.gather(*takes, return_exceptions=True)

    return asyncio.run(all_at_once())


def told(found: Taken | BaseException) -> tuple[int, dict[int, str]]:
    assert isinstance(found, Taken)
    return found.count, {index: fault.reason for index, fault in found.faults}


def test_small_bodies_that_are_here_together_are_decoded_together_and_each_gets_its_own_faults(world: World, decodes: Decodes) -> None:
    found = take(world.log, decodes, (GOOD, 0), (b"\n".join([BAD, GOOD, BAD]), 0), (GOOD, 0))
    assert decodes.rounds == [[GOOD, BAD, GOOD, BAD, GOOD]]
    assert list(map(told, found)) == [(1, {}), (3, {0: WHY, 2: WHY}), (1, {})]
    assert world.logged() == [GOOD, BAD, GOOD, BAD, GOOD]


def test_a_body_that_is_refused_costs_no_other_that_came_with_it(world: World, decodes: Decodes) -> None:
    found = take(world.log, decodes, (GOOD, 0), (b"no\njson", 0), (b"\n".join([BAD, b"", b"{", GOOD]), 0), (b"[]", 0))
    assert told(found[0]) == (1, {})
    assert isinstance(found[1], ProblemError)
    assert "nothing in the body is JSON; line 1" in found[1].detail
    count, faults = told(found[2])
    assert (count, list(faults)) == (3, [0, 2])
    assert told(found[3]) == (0, {})
    assert world.logged() == [GOOD, BAD, b"{", GOOD]


def test_each_is_decoded_by_its_own_arrival(world: World, decodes: Decodes) -> None:
    found = take(world.log, decodes, (AHEAD, 0), (AHEAD, 1), (AHEAD, 0))
    assert [len(told(each)[1]) for each in found] == [1, 0, 1]


def test_a_large_body_is_decoded_alone(world: World, decodes: Decodes) -> None:
    large = GOOD[:-1] + b',"other":"' + b"x" * TOGETHER_BYTES + b'"}'
    found = take(world.log, decodes, (GOOD, 0), (large, 0), (BAD, 0))
    assert sorted(decodes.rounds) == sorted([[GOOD, BAD], [large]])
    assert [told(each)[0] for each in found] == [1, 1, 1]


def test_a_body_over_several_lines_stays_one_record(world: World, decodes: Decodes) -> None:
    spread = GOOD.replace(b", ", b",\n")
    found = take(world.log, decodes, (GOOD, 0), (spread, 0), (GOOD, 0))
    assert list(map(told, found)) == [(1, {})] * 3
    assert sorted(filter(None, world.logged())) == sorted([GOOD, spread, GOOD])


def test_what_fails_fails_for_all_that_share_it(world: World, decodes: Decodes) -> None:
    assert [type(each) for each in take(world.log, decodes, (GOOD, 0), (b'"crash"', 0))] == [ZeroDivisionError] * 2


@pytest.mark.parametrize("gone", [0, 1])
def test_a_request_that_goes_away_takes_no_others_events_with_it(world: World, decodes: Decodes, gone: int) -> None:
    async def one_goes() -> Taken:
        with ThreadPoolExecutor(1) as pool:
            intake = Intake(world.log, decodes, 2**20, pool)
            tasks = [asyncio.create_task(intake.take(GOOD, "", NOW_US, lambda _: None)) for _ in range(2)]
            await asyncio.sleep(0)
            tasks[gone].cancel()
            return await tasks[1 - gone]

    assert told(asyncio.run(one_goes())) == (1, {})
    assert world.logged() == [GOOD, GOOD]
