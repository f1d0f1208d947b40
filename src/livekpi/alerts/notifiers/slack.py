"""Writes to a channel of Slack, by an incoming webhook.

Limits as its documentation of blocks has them: 50 blocks a message, 3,000 characters a section, 2,000 a context element. The cap on the
whole is its own, so that a message is far from what Slack refuses as too long.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from livekpi.alerts.delivery.post import Poster, Resolve, resolved
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.notifiers.base import Outcome
from livekpi.alerts.notifiers.wording import by_incident, cut, detail, headline, line, links, others, title, told
from livekpi.definition.shape.notifying import Slack

_TEXT_CHARACTERS = 500
"""Of a text before it is escaped, which makes five characters of one."""
_SECTION_CHARACTERS = 3_000
_OTHERS_CHARACTERS = _SECTION_CHARACTERS // 5
"""Before it is escaped."""
_ELEMENT_CHARACTERS = 2_000
_MESSAGES = 10
_ALERTS = 5
"""How many alerts of a message are shown; the rest are counted."""
_LINKS = 5
_MARKS: Mapping[str, str] = {"critical": "🔴", "error": "🟠", "warning": "🟡", "info": "🔵"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class SlackNotifier:
    """Writes to one channel."""

    resend_us: int | None = None

    def __init__(self, spec: Slack, *, resolve: Resolve = resolved) -> None:
        self._poster = Poster(spec.url, allow_private=spec.allow_private, resolve=resolve)

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        return self._poster.post(json.dumps(post(messages), ensure_ascii=False).encode(), _JSON, now_us)

    def close(self) -> None: ...


def post(messages: Sequence[Message]) -> Mapping[str, Any]:
    """What Slack is sent: blocks, and a text for where blocks are not shown. Of a long digest the worst is shown, and the rest named."""
    all_ = by_incident(messages)
    found = [block for message in all_[:_MESSAGES] for block in _blocks(message, _ALERTS if len(messages) == 1 else 1)]
    if len(all_) > _MESSAGES:
        found.append(_section(_plain(others(all_[_MESSAGES:], _OTHERS_CHARACTERS))))
    return {"text": escaped(title(messages)), "blocks": found}


def escaped(text: str) -> str:
    """A text that is nothing but text: Slack's own marks begin with <, and & begins what stands for one."""
    return _plain(cut(text, _TEXT_CHARACTERS))


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(message: Message, alerts: int) -> Iterator[Mapping[str, Any]]:
    mark = "🟢" if message.status == "resolved" else _MARKS[message.worst.severity]
    shown = message.notices[:alerts]
    lines = [f"{mark} {escaped(headline(message))}", *(escaped(told(notice)) for notice in shown[1:])]
    if len(shown) > 1 and len(shown) < len(message.notices):
        lines.append(f"… {len(message.notices) - len(shown)} more")
    yield _section(cut("\n".join(lines), _SECTION_CHARACTERS))
    yield _context(_under(message), _linked(message.worst))


def _under(message: Message) -> str:
    return cut(" · ".join([escaped(line(message.rule)), *map(escaped, detail(message.worst))]), _ELEMENT_CHARACTERS)


def _section(text: str) -> Mapping[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": text}}


def _context(*texts: str) -> Mapping[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "verbatim": True, "text": text} for text in texts if text]}


def _linked(notice: Notice) -> str:
    """Links in Slack's form; what an address has no room for is left out whole, as half of one leads elsewhere."""
    found = [
        f"<{target.replace('&', '&amp;')}|{escaped(cut(name, 50)).replace('|', '/')}>"
        for name, target in list(links(notice).items())[:_LINKS]
    ]
    kept: list[str] = []
    for each in found:
        if len(" · ".join([*kept, each])) <= _ELEMENT_CHARACTERS:
            kept.append(each)
    return " · ".join(kept)
