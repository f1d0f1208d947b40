import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from livekpi.sources.faults import Fault, Faults
from livekpi.web.examine import TOGETHER_BYTES, Examined, Examiner


class Checks:
    """Finds fault with the records that say so, and remembers what it was given together."""

    def __init__(self) -> None:
        self.rounds: list[list[bytes]] = []

    def __call__(self, records: Sequence[bytes], arrived_us: int) -> Faults:
        self.rounds.append(list(records))
        if b'"crash"' in records:
            raise ZeroDivisionError
        return {
            index: Fault("wrong_type", f"{record.decode()} at {arrived_us}") for index, record in enumerate(records) if b"bad" in record
        }


def examine(checks: Checks, *bodies: tuple[bytes, int]) -> list[Examined | BaseException]:
    async def all_at_once() -> list[Examined | BaseException]:
        with ThreadPoolExecutor(1) as pool:
            examiner = Examiner(checks, 2**20, pool)
            return await asyncio.gather(*(examiner.examine(body, "", at_us) for body, at_us in bodies), return_exceptions=True)

    return asyncio.run(all_at_once())


def test_small_bodies_that_are_here_together_share_a_check_and_each_gets_its_own_faults() -> None:
    checks = Checks()
    found = examine(checks, (b"1\n2", 7), (b'"bad"\n3\n"bad 2"', 7), (b"4", 7))
    assert checks.rounds == [[b"1", b"2", b'"bad"', b"3", b'"bad 2"', b"4"]]
    assert found == [
        Examined(b"1\n2", 2, []),
        Examined(
            b'"bad"\n3\n"bad 2"', 3, [(0, Fault("wrong_type", '"bad" at 7')), (2, Fault("wrong_type", '"bad 2" at 7'))]
        ),
        Examined(b"4", 1, []),
    ]  # fmt: skip


def test_each_is_checked_by_its_own_arrival() -> None:
    checks = Checks()
    found = examine(checks, (b'"bad"', 7), (b'"bad"', 8), (b'"bad"', 7))
    reasons = [each.faults[0][1].reason for each in found if isinstance(each, Examined)]
    assert reasons == ['"bad" at 7', '"bad" at 8', '"bad" at 7']


def test_a_large_body_is_checked_alone() -> None:
    checks = Checks()
    large = b"1" * (TOGETHER_BYTES + 1)
    found = examine(checks, (b"2", 7), (large, 7), (b"3", 7))
    assert sorted(checks.rounds) == sorted([[b"2", b"3"], [large]])
    assert [each.count for each in found if isinstance(each, Examined)] == [1, 1, 1]


def test_a_check_that_fails_fails_all_that_share_it() -> None:
    assert [type(each) for each in examine(Checks(), (b"1", 7), (b'"crash"', 7))] == [ZeroDivisionError] * 2


@pytest.mark.parametrize("gone", [0, 1])
def test_a_request_that_goes_away_takes_no_others_check_with_it(gone: int) -> None:
    async def one_goes() -> Examined:
        with ThreadPoolExecutor(1) as pool:
            examiner = Examiner(Checks(), 2**20, pool)
            tasks = [asyncio.create_task(examiner.examine(b"1", "", 7)) for _ in range(2)]
            await asyncio.sleep(0)
            tasks[gone].cancel()
            return await tasks[1 - gone]

    assert asyncio.run(one_goes()) == Examined(b"1", 1, [])
