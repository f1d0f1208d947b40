"""Tells whatever the library Apprise knows: more than a hundred services, each by an address of Apprise's form."""

from collections.abc import Callable, Sequence

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import Outcome, Sent, TryAgain
from livekpi.alerts.notifiers.errors import NotifierError
from livekpi.alerts.notifiers.wording import by_incident, clean, cut, detail, headline, line, links, others, title, told
from livekpi.definition.shape.notifying import AppriseUrls

_TITLE_CHARACTERS = 200
_LINE_CHARACTERS = 500
_MESSAGES = 20
_ALERTS = 10


class AppriseNotifier:
    """Tells each address all; what one of them did not take, it is told again, and no other.

    Apprise says whether a service took a message, and not why it did not; so there is no refusal for good here.
    """

    resend_us: int | None = None

    def __init__(self, name: str, spec: AppriseUrls) -> None:
        """Raises NotifierError where Apprise is not installed, or does not know an address."""
        self._services = [_service(name, number, url) for number, url in enumerate(spec.urls, 1)]
        self._had: set[tuple[int, tuple[int, ...]]] = set()
        """Which service has which messages of those that not all have taken."""

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        heading, text, worst = cut(title(messages), _TITLE_CHARACTERS), body(messages), _kind(messages)
        numbers = tuple(message.number for message in messages)
        failed = []
        for place, (service, told_by) in enumerate(self._services):
            if (place, numbers) not in self._had:
                if told_by(heading, text, worst):
                    self._had.add((place, numbers))
                else:
                    failed.append(service)
        if failed:
            return TryAgain(f"Apprise could not tell {', '.join(failed)}")
        self._had.clear()
        return Sent()

    def close(self) -> None: ...


def body(messages: Sequence[Message]) -> str:
    """What is said under the title, as plain text."""
    lines: list[str] = []
    all_ = by_incident(messages)
    for message in all_[:_MESSAGES]:
        lines += [headline(message)] if len(messages) > 1 else []
        for notice in message.notices[: _ALERTS if len(messages) == 1 else 1]:
            lines += [told(notice), *(f"  {each}" for each in detail(notice))] if len(messages) == 1 else [f"  {', '.join(detail(notice))}"]
        lines += [f"{name}: {target}" for name, target in links(message.worst).items()] if len(messages) == 1 else []
    lines += [others(all_[_MESSAGES:], _LINE_CHARACTERS)] if len(all_) > _MESSAGES else []
    return "\n".join(cut(clean(each), _LINE_CHARACTERS) for each in lines)


def _kind(messages: Sequence[Message]) -> str:
    """Apprise's word for how bad it is."""
    firing = [message.worst.severity for message in by_incident(messages) if message.status == "firing"]
    if not firing:
        return "success"
    return "failure" if {"critical", "error"} & set(firing) else "warning" if "warning" in firing else "info"


def _service(name: str, number: int, url: str) -> tuple[str, Callable[[str, str, str], bool]]:
    """What to call a service by, as its address holds secrets, and how to tell it."""
    try:
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - an extra, imported when a file asks for it
    except ImportError as error:
        raise NotifierError(f"notifier {name}: Apprise needs an extra: pip install 'livekpi[apprise]' ({error})") from error
    asset = AppriseAsset(app_id="livekpi", app_desc="livekpi", app_url="", storage_mode="memory", plugin_paths=[])
    service = Apprise(asset=asset)
    if not service.add(url):
        raise NotifierError(f"notifier {name}: Apprise does not know the form of address number {number} in `urls`")

    def tell(heading: str, text: str, kind: str) -> bool:
        return bool(service.notify(text, title=heading, notify_type=kind, body_format="text", interpret_escapes=False))

    return f"{line(url.partition(':')[0])} (number {number})", tell
