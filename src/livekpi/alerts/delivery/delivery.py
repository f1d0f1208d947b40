"""Brings what waits in the outbox to its receivers: a thread for each, so that one that is away delays no other."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from livekpi.alerts.delivery.outbox import Outbox, Waiting
from livekpi.alerts.delivery.turns import Turns, backoff_us
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.notifiers.base import NeverWillBe, Notifier, Outcome, Sent, TryAgain
from livekpi.clock import Clock
from livekpi.definition.durations import format_duration, microseconds
from livekpi.definition.shape.notifying import NotifierSpec
from livekpi.store.schema import StoreError

LOOK_S = 60.0
"""How often a receiver's thread looks by itself; what is written wakes it at once."""
STORE_S = 5.0
"""How soon it looks again after the store failed."""
_SECOND_US = 1_000_000

OnRefused = Callable[[str, str], None]
"""Told (receiver, reason) where a message will never be had."""
OnOutcome = Callable[[str, Outcome, int], None]
"""Told (receiver, outcome, how many messages) of each attempt; a repeat of what fires, and a beat, count as no message."""
_log = structlog.get_logger(__name__)


def _nobody(receiver: str, outcome: Outcome, messages: int) -> None:
    """For those who do not count."""


class Delivery:
    """Delivers at least once, from `start` to `close`. What is told of one key keeps its order; see `Turns` for the rest."""

    def __init__(
        self,
        outbox: Outbox,
        notifiers: Mapping[str, Notifier],
        specs: Mapping[str, NotifierSpec],
        clock: Clock,
        rng: random.Random,
        on_refused: OnRefused,
        on_outcome: OnOutcome = _nobody,
        judges: Callable[[], bool] = lambda: True,
    ) -> None:
        """`notifiers` and `specs` are by receiver; the notifiers are closed with this. `judges` says whether livekpi judges at the time:
        dead man's switches are told only then. The callbacks come from the receivers' threads."""
        self._receivers = {
            name: Receiver(name, outbox, notifier, specs[name], clock, rng, on_refused, on_outcome, judges)
            for name, notifier in notifiers.items()
        }

    def start(self) -> None:
        for receiver in self._receivers.values():
            receiver.start()

    def wake(self, receivers: Iterable[str]) -> None:
        """Says that something was written for these; names that are no receivers are passed over."""
        for name in receivers:
            if name in self._receivers:
                self._receivers[name].wake()

    def step(self, receiver: str) -> float | None:
        """Does one thing for a receiver that is not started; see `Receiver.step`."""
        return self._receivers[receiver].step()

    @property
    def crash(self) -> BaseException | None:
        """What ended a receiver's thread, if anything did: a mistake of livekpi's own."""
        return next((receiver.crash for receiver in self._receivers.values() if receiver.crash is not None), None)

    def close(self, timeout_s: float) -> None:
        """Delivers no more; waits for what is being handed over, for so long in all. What waits stays in the outbox."""
        deadline = time.monotonic() + timeout_s
        for receiver in self._receivers.values():
            receiver.stop()
        for receiver in self._receivers.values():
            receiver.join(max(0.0, deadline - time.monotonic()))


class Receiver:
    """Delivers to one receiver."""

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        notifier: Notifier,
        spec: NotifierSpec,
        clock: Clock,
        rng: random.Random,
        on_refused: OnRefused,
        on_outcome: OnOutcome,
        judges: Callable[[], bool],
    ) -> None:
        self.crash: BaseException | None = None
        self._name, self._outbox, self._notifier, self._spec, self._clock, self._rng = name, outbox, notifier, spec, clock, rng
        self._on_refused, self._on_outcome, self._judges = on_refused, on_outcome, judges
        self._give_up_us = microseconds(spec.give_up)
        self._turns = Turns(spec.messages_a_minute)
        self._unnoted: list[int] = []
        self._resend_at_us: int | None = None
        self._resends_failed = 0
        self._problem: str | None = None
        self._woken, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"tell-{self._name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._end.set()
        self._woken.set()

    def join(self, timeout_s: float) -> None:
        if self._thread is None:
            self._notifier.close()
        else:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self._woken.clear()
                try:
                    wait_s = self.step()
                except StoreError as error:
                    _log.warning("the store fails delivery", receiver=self._name, reason=str(error))
                    wait_s = STORE_S
                self._woken.wait(LOOK_S if wait_s is None else min(wait_s, LOOK_S))
        except BaseException as error:  # noqa: BLE001 - whoever put this together asks for it
            self.crash = error
            _log.exception("delivery has ended", receiver=self._name)
        finally:
            self._notifier.close()

    def step(self) -> float | None:
        """Sends once, if anything is due; returns how long to wait before the next step, in seconds, or None: until it is woken.

        Raises StoreError.
        """
        now_us = self._clock.now_us()
        waits_us = [wait_us for wait_us in (self._tell(now_us), self._resend(now_us)) if wait_us is not None]
        return min(waits_us) / _SECOND_US if waits_us else None

    def _tell(self, now_us: int) -> int | None:
        """Sends what is due; returns how long to wait, in µs."""
        if self._spec.alive is not None:
            return None
        self._note_sent(now_us)
        found = self._turns.next(self._outbox.waiting(self._name), now_us)
        if found is None or isinstance(found, int):
            return found
        outcome = self._send([each.message for each in found])
        now_us, numbers = self._clock.now_us(), [each.message.number for each in found]
        if isinstance(outcome, Sent):
            self._turns.sent(numbers, now_us)
            self._unnoted = numbers
            self._note_sent(now_us)
        elif isinstance(outcome, TryAgain):
            self._put_off(found, outcome, now_us)
        elif self._turns.refused(numbers, now_us):
            self._outbox.given_up(self._name, numbers, now_us, outcome.reason)
            self._on_refused(self._name, outcome.reason)
        self._on_outcome(self._name, outcome, len(numbers))
        return 0

    def _note_sent(self, now_us: int) -> None:
        """Notes what the receiver has. Until the store takes that nothing more is sent, or it would be sent again and again."""
        if self._unnoted:
            self._outbox.sent(self._name, self._unnoted, now_us)
            self._unnoted = []

    def _put_off(self, found: Sequence[Waiting], outcome: TryAgain, now_us: int) -> None:
        numbers = [each.message.number for each in found]
        until_us = self._turns.failed(numbers, now_us, outcome.after_us, self._rng)
        old = [each.message.number for each in found if now_us - each.message.at_us >= self._give_up_us]
        if old:
            reason = f"not taken within {format_duration(self._spec.give_up)}: {outcome.reason}"
            self._outbox.given_up(self._name, old, now_us, reason)
            self._on_refused(self._name, reason)
        young = [number for number in numbers if number not in old]
        if young:
            self._outbox.later(self._name, young, until_us, outcome.reason)

    def _resend(self, now_us: int) -> int | None:
        """Tells again what fires, or beats, where that is due; returns how long until it is, in µs, or None where it never is."""
        resend_us = self._notifier.resend_us
        if resend_us is None:
            return None
        if self._resend_at_us is None:
            # What fired when livekpi was stopped may be over: it is repeated when there was time to read what came since.
            self._resend_at_us = now_us if self._spec.alive is not None else now_us + resend_us
        self._resend_at_us = min(self._resend_at_us, now_us + resend_us)  # a clock that was set back makes no pause longer
        if self._resend_at_us > now_us:
            return self._resend_at_us - now_us
        outcome = self._send_again(now_us)
        self._resends_failed = 0 if outcome is None or isinstance(outcome, Sent) else self._resends_failed + 1
        pause_us = backoff_us(self._resends_failed, self._rng) if self._resends_failed else resend_us
        self._resend_at_us = now_us + min(resend_us, pause_us)
        return 0  # what waits may be due now

    def _send_again(self, now_us: int) -> Outcome | None:
        """None where there is nothing to say."""
        if self._spec.alive is not None:
            if not self._judges():
                return None
            messages: list[Message] = []
        else:
            firing = self._outbox.firing(self._name)
            if not firing:
                return None
            messages = [again(firing, now_us)]
        before = self._problem
        outcome = self._send(messages)
        if isinstance(outcome, Sent):
            self._turns.answered()
        elif isinstance(outcome, NeverWillBe) and outcome.reason != before:
            self._on_refused(self._name, outcome.reason)
        self._on_outcome(self._name, outcome, 0)
        return outcome

    def _send(self, messages: Sequence[Message]) -> Outcome:
        try:
            outcome = self._notifier.send(messages, self._clock.now_us())
        except Exception as error:  # noqa: BLE001 - a mistake in one notifier, or at one message, must not end all telling
            _log.exception("a notifier failed", receiver=self._name)
            outcome = TryAgain(f"{type(error).__name__}: {error}")
        problem = None if isinstance(outcome, Sent) else outcome.reason
        if problem != self._problem:
            self._problem = problem
            if problem is None:
                _log.info("a receiver is told again", receiver=self._name)
            else:
                _log.warning("a receiver is not told", receiver=self._name, reason=problem)
        return outcome


def again(firing: Sequence[Notice], now_us: int) -> Message:
    """All that fires, as a message that is in no outbox and so has no number of its own."""
    return Message("again", 0, firing[0].rule, now_us, tuple(firing))
