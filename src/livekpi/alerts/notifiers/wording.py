"""What notifiers say alike: texts without what receivers choke on, within their limits."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from livekpi.alerts.message import SEVERITIES, Message, Notice
from livekpi.alerts.numbers import constant_text
from livekpi.alerts.summary import dimension_text, measured
from livekpi.moments import datetime_of

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """A text without control characters and halves of characters, which JSON and mail take badly; lines and tabs stay."""
    return _UNWANTED.sub("\ufffd", text)


def line(text: str) -> str:
    """A clean text on one line."""
    return " ".join(clean(text).split())


def cut(text: str, characters: int) -> str:
    """A text of at most so many characters; one that is shortened ends in …"""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def cut_apart(text: str, characters: int) -> str:
    """Like `cut`, but what was different stays so: a shortened text ends in a digest of the whole."""
    if len(text) <= characters:
        return text
    return f"{text[: characters - 17]}…{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"


def moment(at_us: int) -> str:
    """A time by RFC 3339, in UTC."""
    return datetime_of(at_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def finite(value: float | None) -> float | None:
    """A number that JSON has, or None."""
    return value if value is not None and math.isfinite(value) else None


def raw(value: float | None) -> str:
    """A number for programs, as JSON has it, or nothing."""
    return "" if (number := finite(value)) is None else repr(number)


def address(text: str | None) -> str | None:
    """An address that a link may lead to; None for anything else, such as one that would run a script."""
    return text if text is not None and re.fullmatch(r"https?://[!#-;=?-\[\]_a-z~]{1,2000}", text) else None


def links(notice: Notice) -> Mapping[str, str]:
    """Where to look, by what it is: the runbook first."""
    given = {"runbook": notice.runbook, **{line(name): target for name, target in notice.links.items()}}
    return {name: found for name, target in given.items() if (found := address(target)) is not None}


def series(notice: Notice) -> str:
    """A series in a few words: ``country = DE, plan = free``."""
    return ", ".join(f"{line(name)} = {line(dimension_text(value))}" for name, value in notice.series.items())


def number(notice: Notice) -> str:
    """The number and what it is compared with: ``value 7.14 %, threshold 5 %``; nothing where there is no number."""
    if notice.value is None:
        return ""
    said = f"value {measured(notice.value, notice.threshold, notice.unit)}"
    return line(said if notice.threshold is None else f"{said}, threshold {constant_text(notice.threshold, notice.unit)}")


def time_said(at_us: int) -> str:
    """A time for people: ``2027-01-15 07:58:30 UTC``."""
    return f"{datetime_of(at_us):%Y-%m-%d %H:%M:%S} UTC"


def told(notice: Notice) -> str:
    """One alert on a line: what became of it, and what its summary says."""
    state = "corrected" if notice.note == "corrected" else "resolved" if notice.status == "resolved" else notice.severity
    late = " (late)" if notice.note == "late" else ""
    return f"{state}{late}: {line(notice.summary) or line(notice.rule)}"


def headline(message: Message) -> str:
    """A message on a line: the worst of it, and how many more there are."""
    alike = [notice for notice in message.notices if notice.status == message.status]
    more = f" (and {len(alike) - 1} more)" if len(alike) > 1 else ""
    by = f" [{line(message.acknowledged_by)} looks after it]" if message.acknowledged_by else ""
    return f"{told(message.worst)}{more}{by}"


def by_incident(messages: Sequence[Message]) -> list[Message]:
    """A digest as one message for each key: what fires by the last of them, and all that ceased. The worst goes first."""
    found: dict[str, Message] = {}
    for message in messages:
        before = found.get(message.key)
        known = {notice.key for notice in message.notices}
        ceased = [notice for notice in before.notices if notice.status == "resolved" and notice.key not in known] if before else []
        found[message.key] = replace(message, notices=(*message.notices, *ceased))
    return sorted(
        found.values(), key=lambda message: (message.status != "firing", SEVERITIES.index(message.worst.severity), message.number)
    )


def title(messages: Sequence[Message]) -> str:
    """A digest on a line."""
    rules = by_incident(messages)
    if len(rules) == 1:
        return headline(rules[0])
    firing = sum(message.status == "firing" for message in rules)
    return f"{firing} {'rule fires' if firing == 1 else 'rules fire'}, {len(rules) - firing} over: {headline(rules[0])}"


def others(messages: Sequence[Message], characters: int) -> str:
    """What there is no room to show of a digest, by the rules' names; at last only counted."""
    names = [f"{cut(line(message.rule), 100)}{' (over)' if message.status == 'resolved' else ''}" for message in messages]
    text = f"{len(names)} more: {', '.join(names)}"
    kept = len(names)
    while len(text) > characters and kept:
        kept -= 1
        text = f"{len(names)} more: {', '.join(names[:kept])} and {len(names) - kept} that there is no room for"
    return text


def detail(notice: Notice) -> list[str]:
    """What else is to be said of an alert, a line each."""
    found = [series(notice), number(notice), f"since {time_said(notice.starts_us)}"]
    if notice.ends_us is not None:
        found.append(f"until {time_said(notice.ends_us)}")
    return [text for text in found if text]
