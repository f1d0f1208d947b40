import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.alerts.delivery.outbox import Waiting
from livekpi.alerts.delivery.turns import ASKED_US, LONGEST_US, Turns, backoff_us
from tests.alerts.made import NOW_US, SECOND_US, message


def row(number: int, key: str = "", attempts: int = 0, not_before_us: int = 0) -> Waiting:
    return Waiting(message(number=number, key=key or f"key-{number}"), attempts, not_before_us)


def numbers(found: Sequence[Waiting] | int | None) -> list[int]:
    assert found is not None
    assert not isinstance(found, int)
    return [each.message.number for each in found]


@given(st.integers(min_value=1, max_value=10_000), st.integers())
def test_the_wait_is_anything_up_to_a_bound_that_doubles(failures: int, seed: int) -> None:
    bound = min(15 * 60, 2 ** min(failures - 1, 30)) * SECOND_US
    assert 0 < backoff_us(failures, random.Random(seed)) <= bound


def test_the_whole_of_the_bound_is_used() -> None:
    rng = random.Random(1)
    waits = [backoff_us(1_000, rng) for _ in range(2_000)]
    assert min(waits) < 0.01 * LONGEST_US
    assert max(waits) > 0.99 * LONGEST_US
    assert 0.45 < sum(waits) / len(waits) / LONGEST_US < 0.55


def test_the_oldest_first_and_nothing_from_nothing() -> None:
    assert Turns(20).next([], NOW_US) is None
    assert numbers(Turns(20).next([row(1), row(2)], NOW_US)) == [1]


def test_what_was_put_off_by_others_waits() -> None:
    later = row(1, not_before_us=NOW_US + 5 * SECOND_US)
    assert Turns(20).next([later], NOW_US) == 5 * SECOND_US
    assert Turns(20).next([row(3, not_before_us=NOW_US + 9 * SECOND_US), later], NOW_US) == 5 * SECOND_US
    assert numbers(Turns(20).next([later, row(2)], NOW_US)) == [2]
    assert numbers(Turns(20).next([later], NOW_US + 5 * SECOND_US)) == [1]
    far = row(1, not_before_us=NOW_US + 2 * ASKED_US)  # as after a clock that was set back
    assert numbers(Turns(20).next([far], NOW_US)) == [1]


def test_one_that_fails_holds_up_what_is_of_its_key_and_no_other() -> None:
    turns = Turns(20)
    until_us = turns.failed([1], NOW_US, None, random.Random(1))
    waiting = [row(1, "a", attempts=1, not_before_us=until_us), row(2, "a")]
    assert turns.next(waiting, NOW_US) == until_us - NOW_US
    assert numbers(turns.next([*waiting, row(3, "b")], NOW_US)) == [3]
    turns.sent([3], NOW_US)
    assert numbers(turns.next(waiting, NOW_US)) == [1, 2]  # the receiver is back: what was put off for its sake goes at once, as one


def test_what_was_tried_less_often_goes_first() -> None:
    turns = Turns(20)
    assert numbers(turns.next([row(1, attempts=3), row(2, attempts=1), row(3, attempts=1)], NOW_US)) == [2]


def test_a_receiver_that_asks_to_be_left_alone_is_left_alone() -> None:
    turns = Turns(20)
    assert turns.failed([1], NOW_US, 90 * SECOND_US, random.Random(1)) == NOW_US + 90 * SECOND_US
    waiting = [row(1, attempts=1, not_before_us=NOW_US + 90 * SECOND_US), row(2)]
    assert turns.next(waiting, NOW_US + 30 * SECOND_US) == 60 * SECOND_US
    assert numbers(turns.next(waiting, NOW_US + 90 * SECOND_US)) == [2]
    assert turns.failed([1], NOW_US, 10**15, random.Random(1)) == NOW_US + ASKED_US


def test_a_clock_that_is_set_back_makes_no_rest_longer() -> None:
    turns = Turns(20)
    turns.failed([1], NOW_US, None, random.Random(1))
    wait = turns.next([row(1, attempts=1, not_before_us=NOW_US)], NOW_US - 1_000 * ASKED_US)
    assert isinstance(wait, int)
    assert wait <= ASKED_US


def test_beyond_the_rate_messages_wait_and_go_out_as_one() -> None:
    turns = Turns(3)
    waiting = [row(number) for number in range(1, 8)]
    for number in (1, 2, 3):
        assert numbers(turns.next(waiting, NOW_US)) == [number]
        turns.sent([number], NOW_US)
        waiting = waiting[1:]
    assert turns.next(waiting, NOW_US + 20 * SECOND_US) == 40 * SECOND_US
    waiting.append(row(8))
    assert numbers(turns.next(waiting, NOW_US + 60 * SECOND_US)) == [4, 5, 6, 7, 8]
    turns.sent([4, 5, 6, 7, 8], NOW_US + 60 * SECOND_US)
    assert numbers(turns.next([row(9), row(10)], NOW_US + 60 * SECOND_US)) == [9]


@given(st.integers(min_value=1, max_value=5), st.lists(st.integers(min_value=0, max_value=30 * SECOND_US), min_size=1, max_size=40))
def test_no_minute_has_more_than_the_rate_and_nothing_waits_without(rate: int, pauses_us: list[int]) -> None:
    turns, now_us, waiting, sent_us = Turns(rate), NOW_US, list[Waiting](), list[int]()
    for number, pause_us in enumerate(pauses_us):
        now_us += pause_us
        waiting.append(row(number))
        while waiting and not isinstance(found := turns.next(waiting, now_us), int):
            turns.sent(numbers(found), now_us)
            sent_us.append(now_us)
            waiting = [each for each in waiting if each not in (found or ())]
        assert not waiting or sum(now_us - each < 60 * SECOND_US for each in sent_us) == rate, "what waits does so for the rate alone"
    assert all(sum(at <= each < at + 60 * SECOND_US for each in sent_us) <= rate for at in sent_us)


def test_what_failed_or_was_refused_is_of_the_rate_as_well() -> None:
    failed, refused = Turns(1), Turns(1)
    failed.failed([1], NOW_US, None, random.Random(1))
    assert refused.refused([1], NOW_US)
    assert [turns.next([row(2)], NOW_US) for turns in (failed, refused)] == [60 * SECOND_US] * 2


def test_without_a_rate_all_goes_at_once_and_one_by_one_while_the_receiver_fails() -> None:
    turns = Turns(None)
    waiting = [row(number) for number in range(1_000)]
    assert numbers(turns.next(waiting, NOW_US)) == list(range(1_000))
    turns.failed(range(1_000), NOW_US, None, random.Random(1))
    waiting = [row(number, attempts=1) for number in range(1_000)]
    assert numbers(turns.next(waiting, NOW_US + SECOND_US)) == [0]
    turns.sent([0], NOW_US + SECOND_US)
    assert numbers(turns.next(waiting[1:], NOW_US + SECOND_US)) == list(range(1, 1_000))


def test_a_receiver_that_is_back_hears_at_once_what_came_meanwhile() -> None:
    turns = Turns(20)
    waiting = [row(number, key="one") for number in range(1, 61)]
    assert numbers(turns.next(waiting, NOW_US)) == [1]
    turns.failed([1], NOW_US, None, random.Random(1))
    now_us = NOW_US + 3_600 * SECOND_US
    assert numbers(turns.next(waiting, now_us)) == [1]
    turns.sent([1], now_us)
    assert numbers(turns.next(waiting[1:], now_us)) == list(range(2, 61))
    turns.sent(range(2, 61), now_us)
    assert numbers(turns.next([row(61), row(62)], now_us)) == [61]


@pytest.mark.parametrize("rate", [None, 1])
def test_what_goes_as_one_leaves_out_what_is_put_off(rate: int | None) -> None:
    turns = Turns(rate)
    turns.sent([0], NOW_US)
    held = row(2, "b", not_before_us=NOW_US + 90 * SECOND_US)
    waiting = [row(1, "a"), held, row(3, "b"), row(4, "c")]
    turns.next(waiting, NOW_US)
    assert numbers(turns.next(waiting, NOW_US + 60 * SECOND_US)) == [1, 4]


def test_of_a_refused_digest_each_is_tried_alone_and_at_once() -> None:
    turns = Turns(1)
    turns.sent([0], NOW_US)
    waiting = [row(1), row(2), row(3)]
    assert turns.next(waiting, NOW_US) == 60 * SECOND_US
    now_us = NOW_US + 60 * SECOND_US
    assert numbers(turns.next(waiting, now_us)) == [1, 2, 3]
    assert not turns.refused([1, 2, 3], now_us)
    assert numbers(turns.next(waiting, now_us)) == [1]
    assert turns.refused([1], now_us)
    assert numbers(turns.next(waiting[1:], now_us)) == [2]
    turns.sent([2], now_us)
    assert numbers(turns.next(waiting[2:], now_us)) == [3]


def test_a_digest_of_two_that_is_refused_is_not_the_last_word() -> None:
    turns = Turns(None)
    assert not turns.refused([1, 2], NOW_US)
    assert numbers(turns.next([row(1), row(2)], NOW_US)) == [1]
    assert turns.refused([1], NOW_US)


@pytest.mark.parametrize("attempts", [0, 4])
def test_after_a_restart_what_was_put_off_stays_so(attempts: int) -> None:
    assert Turns(20).next([row(1, attempts=attempts, not_before_us=NOW_US + SECOND_US)], NOW_US) == SECOND_US
