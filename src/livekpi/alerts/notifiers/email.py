"""Sends mail by an SMTP server."""

import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain
from livekpi.alerts.notifiers.wording import by_incident, clean, cut, detail, headline, line, links, others, told
from livekpi.alerts.notifiers.wording import title as title_of
from livekpi.definition.shape.notifying import Email

_TIMEOUT_S = 5.0
"""For each thing that the server is asked."""
_SUBJECT_CHARACTERS = 200
_TEXT_CHARACTERS = 2_000
_MESSAGES = 100
_ALERTS = 50
_PERMANENT = 500
"""SMTP's answers from here on are final (RFC 5321, 4.2.1)."""
_log = structlog.get_logger(__name__)


class EmailNotifier:
    """Sends each message, or digest, as one mail to all."""

    resend_us: int | None = None

    def __init__(self, spec: Email, *, context: ssl.SSLContext | None = None) -> None:
        self._spec = spec
        self._context = context or ssl.create_default_context()

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        mail = composed(messages, self._spec.from_, self._spec.to, now_us)
        try:
            with closing(self._connected()) as server:
                refused = server.send_message(mail)
                with suppress(smtplib.SMTPException, OSError):  # the mail is taken already
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            reason = self._reason("; ".join(f"{name}: {code} {_text(said)}" for name, (code, said) in error.recipients.items()))
            return NeverWillBe(reason) if all(code >= _PERMANENT for code in codes) else TryAgain(reason)
        except smtplib.SMTPResponseException as error:
            reason = self._reason(f"{error.smtp_code} {_text(error.smtp_error)}")
            return NeverWillBe(reason) if error.smtp_code >= _PERMANENT else TryAgain(reason)
        except smtplib.SMTPNotSupportedError as error:
            return NeverWillBe(self._reason(str(error)))
        except (OSError, smtplib.SMTPException) as error:
            return TryAgain(self._reason(str(error) or type(error).__name__))
        for name, (code, said) in refused.items():
            _log.warning("a recipient of mail is refused", server=self._spec.host, recipient=name, reason=f"{code} {_text(said)}")
        return Sent()

    def close(self) -> None: ...

    def _connected(self) -> smtplib.SMTP:
        """A server that takes mail; raises what smtplib does."""
        spec = self._spec
        if spec.security == "ssl":
            server: smtplib.SMTP = smtplib.SMTP_SSL(spec.host, spec.server_port, timeout=_TIMEOUT_S, context=self._context)
        else:
            server = smtplib.SMTP(spec.host, spec.server_port, timeout=_TIMEOUT_S)
        try:
            if spec.security == "starttls":
                server.starttls(context=self._context)
            if spec.user is not None and spec.password is not None:
                server.login(spec.user, spec.password)
        except BaseException:
            server.close()
            raise
        return server

    def _reason(self, said: str) -> str:
        return f"{self._spec.host}: {cut(line(said), 300)}"


def composed(messages: Sequence[Message], sender: str, to: Sequence[str], now_us: int) -> EmailMessage:
    """A mail; all about one firing of a rule refer to the same beginning, so that they stand together."""
    last, domain = messages[-1], sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = cut(title_of(messages), _SUBJECT_CHARACTERS)
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_us // 1_000_000, UTC))
    mail["Message-ID"] = f"<{_name(messages)}.livekpi@{domain}>"
    if len(messages) == 1:
        mail["In-Reply-To"] = mail["References"] = f"<{_digest(last.key)}.livekpi@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: so that nobody's absence notice is sent back
    all_ = by_incident(messages)
    paragraphs = [_paragraph(message) for message in all_[:_MESSAGES]]
    paragraphs += [others(all_[_MESSAGES:], _TEXT_CHARACTERS)] if len(all_) > _MESSAGES else []
    mail.set_content("\n\n".join(paragraphs) + "\n", cte="quoted-printable")
    return mail


def _name(messages: Sequence[Message]) -> str:
    """The same for a repeat, and for nothing else: numbers may begin anew with another store, keys do not."""
    return _digest("\n".join(f"{message.number} {message.key}" for message in messages))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def _paragraph(message: Message) -> str:
    lines = [headline(message), f"rule: {message.rule}"]
    for notice in message.notices[:_ALERTS]:
        lines += ["", told(notice), *(f"  {each}" for each in detail(notice))]
        lines += [f"  {line(name)} = {line(text)}" for name, text in list(notice.labels.items())[:_ALERTS]]
    if len(message.notices) > _ALERTS:
        lines += ["", f"… {len(message.notices) - _ALERTS} more"]
    where = links(message.worst)
    lines += ["", *(f"{name}: {target}" for name, target in where.items())] if where else []
    return "\n".join(cut(clean(each), _TEXT_CHARACTERS) for each in lines)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
