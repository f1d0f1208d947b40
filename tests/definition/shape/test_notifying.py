import re
from datetime import timedelta

import pytest
from pydantic import ValidationError

from livekpi.definition.file.substitute import Unset
from livekpi.definition.load import parse_definition
from livekpi.definition.shape.notifying import KINDS, Email, NotifierSpec, Webhook
from tests.definition.places import FILE, KPIS, SOURCE, assert_problems, parsed
from tests.house.tree import ROOT

USED = "alerts: {{ low: {{ when: orders < 5, notify: [{names}] }} }}\n"


def notify(text: str) -> str:
    used = "" if "alive" in text else USED.format(names="desk")  # no alert names a dead man's switch
    return f"{SOURCE}{KPIS}{used}notify:\n  desk: {text}\n"


@pytest.mark.parametrize(
    "given",
    [
        "{ pagerduty: { routing_key: abc } }",
        "{ pagerduty: { routing_key: abc, url: https://events.eu.pagerduty.com/v2/enqueue }, rate: 5, give_up: 12h }",
        "{ alertmanager: { urls: ['http://localhost:9093', 'https://me:pw@am.example.com/prefix/'], resend: 30s } }",
        "{ webhook: { url: 'https://example.com/hook?a=1', secret: s, headers: { Authorization: Bearer 1 }, allow_private: true } }",
        "{ slack: { url: https://hooks.slack.com/services/T/B/X } }",
        "{ webhook: { url: 'http://[::1]:8080/hook' } }",
        "{ webhook: { url: 'http://10.0.0.1/hook' } }",
        "{ webhook: { url: 'http://my_host.example.com./hook' } }",
        "{ email: { host: mail.example.com, from: kpi@example.com, to: [a@example.com, b@example.com] } }",
        "{ email: { host: mail.example.com, port: 2525, security: ssl, user: u, password: p, from: a@example.com, to: [b@c] } }",
        "{ apprise: { urls: ['ntfy://topic'] } }",
    ],
)
def test_what_is_right(given: str) -> None:
    assert_problems(notify(given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{}", f"expected exactly one of {', '.join(KINDS)}"),
        (
            "{ slack: { url: https://example.com }, pagerduty: { routing_key: abc } }",
            "expected exactly one of pagerduty, alertmanager, webhook",
        ),
        ("{ §pagerdut: {} }", "there is no key 'pagerdut' here; did you mean 'pagerduty'?"),
        ("{ §pagerduty: {} }", "'routing_key' is missing: The integration key"),
        ("{ pagerduty: { routing_key: §'' } }", "got nothing, expected some text"),
        ("{ alertmanager: { urls: §[] } }".replace("urls: §", "§urls: "), "expected at least one"),
        ("{ alertmanager: { urls: [§localhost:9093] } }", "got `localhost:9093`, expected an address such as https://example.com/hook"),
        ("{ alertmanager: { urls: ['http://a'], resend: §1ms } }", "got `1ms`, expected a duration from 1s to 1d"),
        ("{ webhook: { url: §'ftp://example.com' } }", "got `ftp://example.com`, expected an address"),
        ("{ webhook: { url: §'http://example.com:99999' } }", "got `http://example.com:99999`, expected an address"),
        ("{ webhook: { url: §'http://exämple.com' } }", "got `http://exämple.com`, expected an address"),
        ("{ webhook: { url: §'http:///hook' } }", "got `http:///hook`, expected an address"),
        ("{ webhook: { url: §'http://.../hook' } }", "got `http://.../hook`, expected an address"),
        ("{ webhook: { url: §'http://a,b/' } }", "got `http://a,b/`, expected an address"),
        ("{ webhook: { url: §'http://a%20b/' } }", "got `http://a%20b/`, expected an address"),
        ("{ email: { host: §'..', from: a@b, to: [c@d] } }", "got `..`, expected a host's name"),
        ("{ webhook: { url: 'http://a', headers: { §Host: b } } }", "got 'Host', expected a header that livekpi does not set by itself"),
        ("{ webhook: { url: 'http://a', headers: { §'a b': b } } }", "got 'a b', expected a header's name"),
        ('{ webhook: { url: "http://a", headers: { A: §"b\\nc" } } }', "got `b\nc`, expected one line of ASCII characters"),
        ("{ email: { host: §'a b', from: a@b, to: [c@d] } }", "got `a b`, expected a host's name"),
        ("{ email: { host: a, from: §'A <a@b>', to: [c@d] } }", "got `A <a@b>`, expected an address such as desk@example.com"),
        ('{ email: { host: a, from: a@b, to: [§"c@d\\nBcc: e@f"] } }', "got `c@d\nBcc: e@f`, expected an address such as"),
        ("{ email: { host: a, from: a@b, to: [c@d], security: §tls } }", "got `tls`, expected 'starttls', 'ssl' or 'none'"),
        ("{ §email: { host: a, from: a@b, to: [c@d], user: u } }", "expected `user` and `password` together"),
        (
            "{ §email: { host: a, from: a@b, to: [c@d], user: u, password: p, security: none } }",
            "expected `security: starttls` or `ssl` with",
        ),
        ("{ alive: { url: 'http://a', every: §0s } }", "got `0s`, expected a duration from 1s to 1d"),
        ("{ slack: { url: 'http://a' }, rate: §0 }", "got `0`, expected at least 1"),
        ("{ slack: { url: 'http://a' }, give_up: §soon }", "got `soon`, expected a duration"),
        ("{ slack: { url: 'http://a' }, give_up: §0s }", "got `0s`, expected at least 1s"),
    ],
)
def test_what_is_wrong(given: str, message: str) -> None:
    marked = notify(given)
    assert_problems(marked if "§" in given else marked.replace("  desk:", "  §desk:"), message)


def test_a_key_in_a_message_is_not_shown() -> None:
    marked = notify('{ pagerduty: { routing_key: abc, url: §"${PLACE}" } }')
    assert_problems(marked, "got `${PLACE}`, expected an address", environ={"PLACE": "hunter2"})


@pytest.mark.parametrize(
    "given",
    [
        '{ slack: { url: "${A}" } }',
        '{ alertmanager: { urls: ["${A}"] } }',
        '{ email: { host: "${A}", from: "${A}", to: ["${A}"] } }',
    ],
)
def test_a_definition_that_is_only_asked_needs_no_secrets(given: str) -> None:
    assert parse_definition(notify(given).encode(), FILE, Unset()).spec.notify.keys() == {"desk"}


def test_an_address_stays_as_it_is() -> None:
    assert Webhook(url="https://example.com/hook/").url == "https://example.com/hook/"


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("ssl", 465), ("none", 25)])
def test_the_usual_port(security: str, port: int) -> None:
    given = {"host": "a", "from": "a@b", "to": ["c@d"], "security": security}
    assert Email.model_validate(given).server_port == port
    assert Email.model_validate({**given, "port": 7}).server_port == 7


def test_how_many_messages_a_minute() -> None:
    hook, manager = {"webhook": {"url": "http://a"}}, {"alertmanager": {"urls": ["http://a"]}}
    found = [NotifierSpec.model_validate(given).messages_a_minute for given in (hook, {**hook, "rate": 3}, manager, {**manager, "rate": 3})]
    assert found == [20, 3, None, 3]
    assert NotifierSpec.model_validate(hook).give_up == timedelta(days=1)


def test_what_is_common_may_not_be_changed() -> None:
    with pytest.raises(ValidationError):
        NotifierSpec.model_validate({"webhook": {"url": "http://a"}}).rate = 5


def test_the_page_has_an_example_of_each_kind() -> None:
    page = (ROOT / "docs" / "notifiers.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names = re.findall(r"^  (\w+):", example, re.MULTILINE)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", example), "https://example.com/x")
    used = USED.format(names=", ".join(name for name in names if name != "pulse"))
    definition = parsed(SOURCE + KPIS + used + example, environ)
    kinds = [kind for name in names for kind in KINDS if getattr(definition.spec.notify[name], kind) is not None]
    assert sorted(kinds) == sorted(KINDS)
