"""A viewer that is told of alerts too: the newest of each, before the points that wait."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from livekpi.alerts.listing import Shown
from livekpi.query.output import encode
from livekpi.web.alert_objects import alert_object
from livekpi.web.viewer import Viewer

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

    def _waiting(self) -> bool:
        return bool(self._alerts) or super()._waiting()

    def _take(self) -> bytes:
        return self._alerts.pop(next(iter(self._alerts))) if self._alerts else super()._take()
