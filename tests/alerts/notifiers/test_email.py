import email
import socket
import ssl
from collections.abc import Iterator, Sequence
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain
from livekpi.alerts.notifiers.email import EmailNotifier, composed
from livekpi.definition.shape.notifying import Email
from tests.alerts.made import DIGESTS, NOW_US, message, notice, resolved
from tests.servers.ports import free_ports

TLS = Path(__file__).parents[1] / "tls"
TO = ["desk@example.com", "ada@example.com"]
NAME = "receiver.example.com"
SECRET = "open sesame"


class Mailbox:
    """A real SMTP server's handler: keeps mail, and answers as it is told."""

    def __init__(self) -> None:
        self.mail: list[EmailMessage] = []
        self.recipients: list[Sequence[str]] = []
        self.says: dict[str, str] = {}
        """What to answer to a recipient, or to the content at DATA."""

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if address in self.says:
            return self.says[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.says:
            return self.says["DATA"]
        content = envelope.content
        assert isinstance(content, bytes)
        read = email.message_from_bytes(content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.mail.append(read)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def served(mailbox: Mailbox, **settings: Any) -> Controller:
    [port] = free_ports(1)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    return controller


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Controller]:
    controller = served(mailbox)
    yield controller
    controller.stop()


def spec(port: int, **changes: Any) -> Email:
    return Email.model_validate({"host": "127.0.0.1", "port": port, "from": "kpi@example.com", "to": TO, "security": "none", **changes})


def sent(server: Controller, *messages: Message) -> Outcome:
    return EmailNotifier(spec(server.port)).send(messages, NOW_US)


def test_a_mail(server: Controller, mailbox: Mailbox) -> None:
    assert sent(server, message(notice(), notice(series={"service": "cart"}))) == Sent()
    [mail] = mailbox.mail
    assert mailbox.recipients == [TO]
    assert (mail["From"], mail["To"]) == ("kpi@example.com", "desk@example.com, ada@example.com")
    assert mail["Subject"] == "critical: error_rate is 7.1 % at checkout (and 1 more)"
    assert mail["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    for part in (
        "rule: errors_high",
        "service = checkout",
        "value 7.1 %, threshold 5 %",
        "team = shop",
        "runbook: https://wiki.example.com/runbooks/errors",
    ):
        assert part in text


def test_updates_stand_together_and_repeats_are_one(server: Controller, mailbox: Mailbox) -> None:
    for told in (message(number=1), message(number=1), message(resolved(), number=2), message(number=3, key="errors_high/2")):
        assert sent(server, told) == Sent()
    names = [mail["Message-ID"] for mail in mailbox.mail]
    threads = [mail["References"] for mail in mailbox.mail]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert threads[0] == threads[1] == threads[2] != threads[3]
    assert mailbox.mail[2]["Subject"] == "resolved: error_rate is 7.1 % at checkout"


def test_a_digest_is_one_mail(server: Controller, mailbox: Mailbox) -> None:
    assert sent(server, *[message(number=number, key=str(number)) for number in range(200)]) == Sent()
    [mail] = mailbox.mail
    assert mail["Subject"].startswith("200 rules fire, 0 over: ")
    assert mail.get_content().rstrip().endswith("100 more: " + ", ".join(["errors_high"] * 100))
    assert mail["References"] is None


@given(DIGESTS)
def test_any_text_is_text_and_never_a_header(digest: Sequence[Message]) -> None:
    wanted = {"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"}
    wanted |= {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    made = composed(digest, "kpi@example.com", TO, NOW_US)
    raw = made.as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    raw.decode("ascii")
    read = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert set(read.keys()) <= wanted
    assert len(read.keys()) == len(set(read.keys()))
    assert read["To"] == ", ".join(TO)
    assert read.get_content().strip()


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ({"DATA": "554 no spam"}, NeverWillBe("127.0.0.1: 554 no spam")),
        ({"DATA": "451 full"}, TryAgain("127.0.0.1: 451 full")),
        (dict.fromkeys(TO, "550 unknown"), NeverWillBe("127.0.0.1: desk@example.com: 550 unknown; ada@example.com: 550 unknown")),
        (
            {TO[0]: "550 unknown", TO[1]: "450 later"},
            TryAgain("127.0.0.1: desk@example.com: 550 unknown; ada@example.com: 450 later"),
        ),
    ],
)
def test_what_a_server_answers(server: Controller, mailbox: Mailbox, says: dict[str, str], outcome: Outcome) -> None:
    mailbox.says = says
    assert sent(server, message()) == outcome


def test_one_recipient_that_is_refused_keeps_no_other_from_it(server: Controller, mailbox: Mailbox) -> None:
    mailbox.says = {TO[0]: "550 unknown"}
    assert sent(server, message()) == Sent()
    assert mailbox.recipients == [TO[1:]]


def test_nobody_there() -> None:
    [port] = free_ports(1)
    assert isinstance(EmailNotifier(spec(port)).send([message()], NOW_US), TryAgain)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livekpi.alerts.notifiers.email._TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = EmailNotifier(spec(silent.getsockname()[1])).send([message()], NOW_US)
    assert isinstance(outcome, TryAgain)


def test_encryption_and_login(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1" if host == NAME else host, *rest, **more))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    trusting = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))

    def known(server: object, session: object, envelope: object, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=given == LoginPassword(b"kpi", SECRET.encode()), handled=False)

    controller = served(mailbox, tls_context=serving, require_starttls=True, authenticator=known, auth_required=True)
    try:
        login = {"host": NAME, "security": "starttls", "user": "kpi"}
        right = spec(controller.port, **login, password=SECRET)
        assert EmailNotifier(right, context=trusting).send([message()], NOW_US) == Sent()
        assert "certificate verify failed" in str(EmailNotifier(right).send([message()], NOW_US))
        wrong = EmailNotifier(spec(controller.port, **login, password="guess"), context=trusting).send([message()], NOW_US)
        assert wrong == NeverWillBe(f"{NAME}: 535 5.7.8 Authentication credentials invalid")
        plain = EmailNotifier(spec(controller.port, host=NAME)).send([message()], NOW_US)
        assert isinstance(plain, NeverWillBe)
        assert "STARTTLS" in plain.reason
    finally:
        controller.stop()
    assert len(mailbox.mail) == 1


def test_a_server_without_encryption_gets_nothing_where_it_is_wanted(server: Controller, mailbox: Mailbox) -> None:
    outcome = EmailNotifier(spec(server.port, security="starttls")).send([message()], NOW_US)
    assert outcome == NeverWillBe("127.0.0.1: STARTTLS extension not supported by server.")
    assert mailbox.mail == []
