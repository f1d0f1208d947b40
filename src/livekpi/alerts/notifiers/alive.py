"""The dead man's switch: a beat while livekpi judges, so that somebody else raises the alarm when it does not."""

import json
from collections.abc import Sequence

from livekpi.alerts.delivery.post import Poster, Resolve, resolved
from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import Outcome
from livekpi.alerts.notifiers.wording import moment
from livekpi.definition.durations import microseconds
from livekpi.definition.shape.notifying import Alive

_JSON = {"Content-Type": "application/json"}


class AliveNotifier:
    """Beats every `resend_us`; what it beats with are no messages."""

    def __init__(self, spec: Alive, *, resolve: Resolve = resolved) -> None:
        self._every_us = microseconds(spec.every)
        self._poster = Poster(spec.url, allow_private=True, resolve=resolve)

    @property
    def resend_us(self) -> int | None:
        return self._every_us

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        """A beat, whatever the messages: livekpi judges at `now_us`."""
        return self._poster.post(json.dumps({"alive": True, "at": moment(now_us)}).encode(), _JSON, now_us)

    def close(self) -> None: ...
