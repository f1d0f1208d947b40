"""The notifiers of the definition file: who is told, and how."""

# ruff: noqa: RUF012 - pydantic copies defaults; the linter knows that only where it sees BaseModel

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from livekpi.definition.file.substitute import STAND_IN
from livekpi.definition.shape.parts import Model, one_of
from livekpi.definition.shape.values import Duration, Text

KINDS = ("pagerduty", "alertmanager", "webhook", "slack", "email", "apprise", "alive")
"""By their keys in the file."""
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_RATE = 20
_PORTS = {"starttls": 587, "ssl": 465, "none": 25}
_HOST = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
"""A host's name, or its IPv6 address."""
_OURS = {"host", "content-length", "content-type", "connection", "transfer-encoding", "idempotency-key"}


def _url(text: str) -> str:
    """As it is, a slash at its end too: for some receivers it is another place."""
    try:
        parts = urlsplit(text if re.fullmatch(r"https?://[!-~]+", text) else "")
        right = re.fullmatch(_HOST, parts.hostname or "") is not None and parts.port != 0
    except ValueError:
        right = False
    if not right and text != STAND_IN:  # a definition that is only asked must not need the secrets of who is told
        raise ValueError("expected an address such as https://example.com/hook")
    return text


def _mailbox(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}", text) is None and text != STAND_IN:
        raise ValueError("expected an address such as desk@example.com")
    return text


def _host(text: str) -> str:
    if re.fullmatch(_HOST, text) is None:
        raise ValueError("expected a host's name such as mail.example.com, and its port as `port`")
    return text


def _header_name(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) is None:
        raise ValueError("expected a header's name, such as Authorization")
    if name.lower() in _OURS or name.lower().startswith("livekpi-"):
        raise ValueError("expected a header that livekpi does not set by itself")
    return name


def _header_value(text: str) -> str:
    if re.fullmatch(r"[\t -~]*", text) is None:
        raise ValueError("expected one line of ASCII characters")
    return text


def _resend(every: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= every <= timedelta(days=1):
        raise ValueError("expected a duration from 1s to 1d")
    return every


def _patience(span: timedelta) -> timedelta:
    if span < timedelta(seconds=1):
        raise ValueError("expected at least 1s: a message that is tried once is lost with the first connection that fails")
    return span


Url = Annotated[str, AfterValidator(_url)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Repeat = Annotated[Duration, AfterValidator(_resend)]


class PagerDuty(Model):
    """PagerDuty's Events API v2."""

    routing_key: Text
    """The integration key of the service that is called."""
    url: Url = _PAGERDUTY
    """Where events go; another one for PagerDuty's service region in the EU."""


class Alertmanager(Model):
    """Prometheus's Alertmanager, one or several that are kept alike."""

    urls: Annotated[list[Url], Field(min_length=1, max_length=16)]
    """Where each listens, such as http://localhost:9093; every one of them is told all."""
    resend: Repeat = timedelta(minutes=1)
    """How often what fires is told again; an Alertmanager that hears nothing for four times as long takes it as resolved."""


class Webhook(Model):
    """An address that takes livekpi's own JSON."""

    url: Url
    """Where it is posted to."""
    secret: Text | None = None
    """What requests are signed with, by HMAC-SHA256; the receiver knows it too."""
    headers: dict[Annotated[str, AfterValidator(_header_name)], Annotated[str, AfterValidator(_header_value)]] = {}
    """Sent with each request, such as Authorization."""
    allow_private: bool = False
    """Whether the address may be a private one: of this machine or of its network."""


class Slack(Model):
    """A channel of Slack, by an incoming webhook."""

    url: Url
    """The webhook's address, which is a secret."""
    allow_private: bool = False
    """Whether the address may be a private one, for what speaks Slack's language within the own network."""


class Email(Model):
    """Mail, by an SMTP server."""

    host: Annotated[str, AfterValidator(_host)]
    """The server's name."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Its port; not given: 587 for starttls, 465 for ssl, 25 for none."""
    security: Literal["starttls", "ssl", "none"] = "starttls"
    """How the connection is encrypted."""
    user: Text | None = None
    """The name to log in with, where the server wants one."""
    password: Text | None = None
    """The password of `user`."""
    from_: Annotated[Mailbox, Field(alias="from")]
    """Who the mail is from."""
    to: Annotated[list[Mailbox], Field(min_length=1, max_length=100)]
    """Who gets it."""

    @model_validator(mode="after")
    def _login(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("expected `user` and `password` together")
        if self.password is not None and self.security == "none":
            raise ValueError("expected `security: starttls` or `ssl` with a password, which would be sent for all to read")
        return self

    @property
    def server_port(self) -> int:
        """The port, given or not."""
        return self.port or _PORTS[self.security]


class AppriseUrls(Model):
    """Whatever the library Apprise knows; needs the extra livekpi[apprise]."""

    urls: Annotated[list[Text], Field(min_length=1, max_length=16)]
    """Addresses in Apprise's form, such as ntfy://topic; each of them is told all."""


class Alive(Model):
    """A dead man's switch: something that raises the alarm when livekpi is no longer heard."""

    url: Url
    """Where a beat is posted to."""
    every: Repeat = timedelta(minutes=1)
    """How often."""


class NotifierSpec(Model):
    """Who is told; exactly one kind, and what is common to all."""

    model_config = ConfigDict(json_schema_extra=one_of(*KINDS))

    pagerduty: PagerDuty | None = None
    """A service of PagerDuty."""
    alertmanager: Alertmanager | None = None
    """One Alertmanager, or several that are kept alike."""
    webhook: Webhook | None = None
    """An address that takes livekpi's own JSON."""
    slack: Slack | None = None
    """A channel of Slack."""
    email: Email | None = None
    """Mail."""
    apprise: AppriseUrls | None = None
    """Whatever else Apprise knows."""
    alive: Alive | None = None
    """A dead man's switch, told that livekpi still judges; no alert names it."""
    rate: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Messages a minute; beyond it they wait, and go out as one. Not given: 20; for Alertmanager, which groups by itself, no bound."""
    give_up: Annotated[Duration, AfterValidator(_patience)] = timedelta(days=1)
    """For how long a message that can't be delivered is tried again."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"expected exactly one of {', '.join(KINDS)}")
        return self

    @property
    def messages_a_minute(self) -> int | None:
        """The rate, given or not; None where there is no bound."""
        return self.rate or (None if self.alertmanager is not None else _RATE)
