"""A viewer that is told of alerts too: the newest of each, before the points that wait."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from livekpi.alerts.listing import Shown
from livekpi.query.output import encode
from livekpi.web.alert_objects import alert_object
from livekpi.web.viewer import STILL_HERE, Viewer

QUEUED_ALERTS = 10_000
"""A viewer that is further behind is sent away: it may come back and ask for a list."""


@dataclass(frozen=True)
class AlertMessage:
    """An alert that changed."""

    alert: Shown
    encoded: bytes = field(init=False)
    """As a server-sent event; made once for all who get it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoded", b"event: alert\ndata: %b\n\n" % encode(alert_object(self.alert)))


class AlertViewer(Viewer):
    """One open stream; used on the event loop only."""

    def __init__(self) -> None:
        super().__init__()
        self._alerts: dict[str | None, bytes] = {}

    def tell(self, messages: Sequence[AlertMessage]) -> None:
        """Adds alerts; never waits."""
        for message in messages:
            self._alerts.pop(message.alert.key, None)
            self._alerts[message.alert.key] = message.encoded
        if len(self._alerts) > QUEUED_ALERTS:
            self.overrun = True
            self.close()
        self._wake.set()

    def close(self) -> None:
        self._alerts.clear()
        super().close()

    async def next(self, timeout_s: float) -> bytes | None:
        if not (self._alerts or self._queue or self._newest or self._closed):
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                return STILL_HERE
        if self._alerts:
            return self._alerts.pop(next(iter(self._alerts)))
        return await super().next(timeout_s)
