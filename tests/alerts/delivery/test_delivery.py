import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from livekpi.alerts.delivery.delivery import Delivery
from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain
from livekpi.clock import ManualClock, SystemClock
from livekpi.definition.shape.notifying import Alertmanager, Alive, NotifierSpec, Webhook
from livekpi.store.schema import StoreError
from tests.alerts.made import NOW_US, SECOND_US, message, notice
from tests.alerts.memory_outbox import MemoryOutbox

DAY_US = 86_400 * SECOND_US
WEBHOOK = Webhook(url="https://example.com")


@dataclass
class Script:
    """A notifier that answers as it is told, and well when nothing is said."""

    answers: list[Outcome] = field(default_factory=list)
    resend_us: int | None = None
    rule: Callable[[Sequence[Message]], Outcome] = lambda _: Sent()
    calls: list[list[int]] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    closed: int = 0

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        self.calls.append([each.number for each in messages])
        self.at_us.append(now_us)
        return self.answers.pop(0) if self.answers else self.rule(messages)

    def close(self) -> None:
        self.closed += 1


class World:
    """One receiver, `desk`, and time that goes on by the waits that delivery asks for."""

    def __init__(self, spec: NotifierSpec | None = None, resend_us: int | None = None) -> None:
        self.outbox, self.clock, self.desk = MemoryOutbox(), ManualClock(NOW_US), Script(resend_us=resend_us)
        self.refused: list[tuple[str, str]] = []
        self.outcomes: list[tuple[str, Outcome, int]] = []
        self.judging = True
        self.delivery = Delivery(
            self.outbox,
            {"desk": self.desk},
            {"desk": spec or NotifierSpec(webhook=WEBHOOK)},
            self.clock,
            random.Random(7),
            lambda receiver, reason: self.refused.append((receiver, reason)),
            lambda *outcome: self.outcomes.append(outcome),
            lambda: self.judging,
        )

    def write(self, number: int, key: str = "", **changes: Any) -> None:
        self.outbox.write("desk", message(number=number, key=key or f"key-{number}", **changes))

    def play(self, until_us: int) -> None:
        """Steps until nothing is left to do before a time, and stands there then."""
        while (wait_s := self.delivery.step("desk")) is not None:
            next_us = self.clock.now_us() + round(wait_s * SECOND_US)
            if next_us > until_us:
                break
            self.clock.set_us(next_us)
        self.clock.set_us(max(until_us, self.clock.now_us()))


def test_what_is_written_is_sent_in_order_and_only_once() -> None:
    world = World()
    for number in (1, 2, 3):
        world.write(number)
    world.play(NOW_US)
    assert world.desk.calls == [[1], [2], [3]]
    assert world.outbox.had == [("desk", 1), ("desk", 2), ("desk", 3)]
    assert world.delivery.step("desk") is None
    assert world.outcomes == [("desk", Sent(), 1)] * 3


def test_a_receiver_that_fails_is_tried_ever_more_rarely_and_then_given_up() -> None:
    world = World()
    world.desk.rule = lambda _: TryAgain("away")
    world.write(1)
    with capture_logs() as logs:
        world.play(NOW_US + 2 * DAY_US)
    pauses = [after - before for before, after in zip(world.desk.at_us, world.desk.at_us[1:], strict=False)]
    assert all(pause <= min(900, 2**place) * SECOND_US for place, pause in enumerate(pauses))
    assert max(pauses) > 600 * SECOND_US
    assert 100 < len(pauses) < 400
    reason = "not taken within 1d: away"
    assert DAY_US <= world.desk.at_us[-1] - NOW_US <= DAY_US + 900 * SECOND_US
    assert world.outbox.lost == [("desk", 1, reason)]
    assert world.refused == [("desk", reason)]
    assert [entry["event"] for entry in logs] == ["a receiver is not told"]


def test_a_receiver_that_is_back_gets_all_at_once_and_in_order() -> None:
    world = World()
    world.desk.answers = [TryAgain("away")] * 30
    for number in range(1, 6):
        world.write(number)
    world.play(NOW_US + DAY_US)
    first, rest = world.desk.calls[30:]
    assert sorted([*first, *rest]) == [1, 2, 3, 4, 5]
    assert rest == sorted(rest)
    assert len(set(world.desk.at_us[30:])) == 1
    assert world.refused == []


def test_give_up_is_a_setting() -> None:
    world = World(NotifierSpec(webhook=WEBHOOK, give_up=timedelta(minutes=1)))
    world.desk.rule = lambda _: TryAgain("away")
    world.write(1)
    world.play(NOW_US + DAY_US)
    assert world.outbox.lost == [("desk", 1, "not taken within 1m: away")]


def test_what_waited_while_livekpi_was_away_is_tried_before_it_is_given_up() -> None:
    world = World()
    world.write(1, at_us=NOW_US - 3 * DAY_US)
    world.play(NOW_US)
    assert world.outbox.had == [("desk", 1)]


def test_a_refusal_is_final_and_told() -> None:
    world = World()
    world.desk.answers = [NeverWillBe("wrong key")]
    world.write(1)
    world.write(2)
    world.play(NOW_US)
    assert world.outbox.lost == [("desk", 1, "wrong key")]
    assert world.refused == [("desk", "wrong key")]
    assert world.outbox.had == [("desk", 2)]


def test_a_message_that_a_receiver_chokes_on_holds_up_no_other() -> None:
    world = World(NotifierSpec(webhook=WEBHOOK, rate=1000))
    world.desk.rule = lambda messages: TryAgain("500") if any(each.number == 1 for each in messages) else Sent()
    for number in range(1, 10):
        world.write(number)
    world.play(NOW_US + 60 * SECOND_US)
    assert [number for _, number in world.outbox.had] == list(range(2, 10))
    world.write(10)
    world.play(NOW_US + 60 * SECOND_US)
    assert world.outbox.had[-1] == ("desk", 10)


def test_beyond_the_rate_a_digest_and_a_refused_digest_falls_apart() -> None:
    world = World(NotifierSpec(webhook=WEBHOOK, rate=2))
    world.desk.rule = lambda messages: NeverWillBe("bad") if any(each.number == 4 for each in messages) else Sent()
    for number in range(1, 7):
        world.write(number)
    world.play(NOW_US + 59 * SECOND_US)
    assert world.desk.calls == [[1], [2]]
    world.play(NOW_US + 61 * SECOND_US)
    assert world.desk.calls[2:] == [[3, 4, 5, 6], [3], [4], [5], [6]]
    assert world.outbox.lost == [("desk", 4, "bad")]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=25),
    st.lists(st.sampled_from("STN"), max_size=60),
    st.integers(1, 5),
)
def test_of_each_key_nothing_is_lost_or_overtaken(written: list[tuple[str, int]], answers: str, rate: int) -> None:
    world = World(NotifierSpec(webhook=WEBHOOK, rate=rate))
    by_letter: dict[str, Outcome] = {"S": Sent(), "T": TryAgain("away"), "N": NeverWillBe("bad")}
    world.desk.answers = [by_letter[letter] for letter in answers]
    for number, (key, pause_s) in enumerate(written):
        world.play(world.clock.now_us() + pause_s * SECOND_US)
        world.write(number, key, at_us=world.clock.now_us())
    world.play(world.clock.now_us() + DAY_US)
    had, lost = [number for _, number in world.outbox.had], [number for _, number, _ in world.outbox.lost]
    assert sorted(had + lost) == list(range(len(written)))
    for key in "abc":
        of_key = [number for number in had if written[number][0] == key]
        assert of_key == sorted(of_key)


def test_what_fires_is_told_again_and_again() -> None:
    world = World(NotifierSpec(alertmanager=Alertmanager(urls=["http://localhost:9093"])), resend_us=60 * SECOND_US)
    world.play(NOW_US + 120 * SECOND_US)
    assert world.desk.calls == []  # nothing fires
    world.outbox.fires = [notice(series={"service": name}) for name in ("cart", "checkout")]
    world.play(NOW_US + 300 * SECOND_US)
    assert [(at - NOW_US) // SECOND_US for at in world.desk.at_us] == [180, 240, 300]
    assert world.desk.calls == [[0]] * 3
    assert world.outcomes == [("desk", Sent(), 0)] * 3


def test_a_resend_that_fails_comes_again_sooner_and_never_later() -> None:
    world = World(NotifierSpec(alertmanager=Alertmanager(urls=["http://localhost:9093"])), resend_us=60 * SECOND_US)
    world.outbox.fires = [notice()]
    world.desk.rule = lambda _: TryAgain("away")
    world.play(NOW_US + 3_600 * SECOND_US)
    pauses = [after - before for before, after in zip(world.desk.at_us, world.desk.at_us[1:], strict=False)]
    assert pauses[0] <= SECOND_US
    assert max(pauses) <= 60 * SECOND_US


def test_what_is_told_again_shows_that_a_receiver_is_back() -> None:
    world = World(NotifierSpec(alertmanager=Alertmanager(urls=["http://localhost:9093"])), resend_us=10 * SECOND_US)
    world.desk.rule = lambda _: TryAgain("away")
    world.write(1)
    world.play(NOW_US + 3_600 * SECOND_US)
    world.desk.rule, world.outbox.fires = lambda _: Sent(), [notice()]
    world.play(NOW_US + 3_610 * SECOND_US)
    assert world.outbox.had == [("desk", 1)]


def test_a_clock_that_is_set_back_stops_no_resend() -> None:
    world = World(NotifierSpec(alertmanager=Alertmanager(urls=["http://localhost:9093"])), resend_us=60 * SECOND_US)
    world.outbox.fires = [notice()]
    world.play(NOW_US + 60 * SECOND_US)
    world.clock.set_us(NOW_US - DAY_US)
    world.play(NOW_US - DAY_US + 60 * SECOND_US)
    assert len(world.desk.calls) == 2


def test_what_fired_before_a_start_is_not_repeated_at_once() -> None:
    world = World(NotifierSpec(alertmanager=Alertmanager(urls=["http://localhost:9093"])), resend_us=60 * SECOND_US)
    world.outbox.fires = [notice()]
    world.play(NOW_US + 59 * SECOND_US)
    assert world.desk.calls == []
    world.play(NOW_US + 60 * SECOND_US)
    assert world.desk.calls == [[0]]


def test_a_dead_mans_switch_hears_a_beat_while_livekpi_judges() -> None:
    world = World(NotifierSpec(alive=Alive(url="https://example.com")), resend_us=60 * SECOND_US)
    world.play(NOW_US + 120 * SECOND_US)
    assert world.desk.calls == [[], [], []]
    world.judging = False
    world.play(NOW_US + 600 * SECOND_US)
    assert len(world.desk.calls) == 3
    world.judging, world.desk.answers = True, [NeverWillBe("404"), NeverWillBe("404")]
    world.play(NOW_US + 800 * SECOND_US)
    assert len(world.desk.calls) > 5
    assert world.refused == [("desk", "404")]


def test_a_mistake_in_a_notifier_is_tried_again() -> None:
    world = World()

    def fail(messages: Sequence[Message]) -> Outcome:
        raise KeyError("oh")

    world.desk.rule = fail
    world.write(1)
    with capture_logs() as logs:
        world.delivery.step("desk")
    assert [row.attempts for row in world.outbox.waiting("desk")] == [1]
    assert logs[0]["event"] == "a notifier failed"
    world.desk.rule = lambda _: Sent()
    world.play(NOW_US + SECOND_US)
    assert world.outbox.had == [("desk", 1)]


class Threads:
    """Two receivers on threads of their own, by the machine's clock."""

    def __init__(self, first: Script, second: Script, outbox: MemoryOutbox) -> None:
        self.outbox = outbox
        spec = NotifierSpec(webhook=WEBHOOK)
        self.delivery = Delivery(
            outbox,
            {"first": first, "second": second},
            {"first": spec, "second": spec},
            SystemClock(),
            random.Random(1),
            lambda receiver, reason: pytest.fail(reason),
        )
        self.delivery.start()

    def write(self, receiver: str, number: int) -> None:
        self.outbox.write(receiver, message(number=number, key=str(number), at_us=SystemClock().now_us()))
        self.delivery.wake([receiver, "nobody"])

    def wait_for(self, *had: tuple[str, int]) -> None:
        with self.outbox.changed:
            assert self.outbox.changed.wait_for(lambda: set(had) <= set(self.outbox.had), 30)


def test_a_receiver_that_hangs_delays_no_other() -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(messages: Sequence[Message]) -> Outcome:
        hangs.set()
        goes_on.wait(30)
        return Sent()

    first, second = Script(rule=hang), Script()
    threads = Threads(first, second, MemoryOutbox())
    threads.write("first", 1)
    assert hangs.wait(30)
    for number in range(2, 10):
        threads.write("second", number)
    threads.wait_for(*[("second", number) for number in range(2, 10)])
    assert ("first", 1) not in threads.outbox.had
    threads.delivery.close(0.01)
    assert first.closed == 0
    goes_on.set()
    threads.wait_for(("first", 1))  # what was under way is noted all the same
    threads.delivery.close(30)
    assert (first.closed, second.closed) == (1, 1)


def test_what_the_store_could_not_note_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livekpi.alerts.delivery.delivery.STORE_S", 0.01)
    outbox, failures = MemoryOutbox(), [StoreError("disk full")] * 3
    whole = outbox.sent

    def sent(receiver: str, numbers: Any, now_us: int) -> None:
        if failures:
            raise failures.pop()
        whole(receiver, numbers, now_us)

    monkeypatch.setattr(outbox, "sent", sent)
    first = Script()
    threads = Threads(first, Script(), outbox)
    threads.write("first", 1)
    threads.wait_for(("first", 1))
    assert first.calls == [[1]]
    threads.write("first", 2)
    threads.wait_for(("first", 2))
    assert first.calls == [[1], [2]]
    threads.delivery.close(30)
    assert threads.delivery.crash is None


def test_what_ends_a_thread_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = MemoryOutbox()

    def broken(receiver: str) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(outbox, "waiting", broken)
    first = Script()
    threads = Threads(first, Script(), outbox)
    threads.delivery.close(30)
    assert isinstance(threads.delivery.crash, ZeroDivisionError)
    assert first.closed == 1


def test_closing_what_was_never_started_closes_the_notifiers() -> None:
    world = World()
    world.delivery.close(1)
    assert world.desk.closed == 1
