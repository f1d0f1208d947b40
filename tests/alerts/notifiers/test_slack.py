import json
import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import NeverWillBe, Sent, TryAgain
from livekpi.alerts.notifiers.slack import SlackNotifier, post
from livekpi.definition.shape.notifying import Slack
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.alerts.made import DIGESTS, NOW_US, message, notice, resolved

_LINK = re.compile(r"<https?://[^\s<>|]+\|[^<>|]*>")


def texts(content: Any) -> list[str]:
    """Every text that Slack reads marks in; checks the limits of what holds it."""
    assert len(content["blocks"]) <= 50
    found = [content["text"]]
    for block in content["blocks"]:
        if block["type"] == "section":
            assert 1 <= len(block["text"]["text"]) <= 3_000
            found.append(block["text"]["text"])
        else:
            assert block["type"] == "context"
            assert 1 <= len(block["elements"]) <= 10
            assert all(1 <= len(element["text"]) <= 2_000 for element in block["elements"])
            found += [element["text"] for element in block["elements"]]
    return found


def test_what_is_written() -> None:
    section, context = post([message(notice(summary="error_rate > 5 % & rising"))])["blocks"]
    assert section["text"]["text"] == "🔴 critical: error_rate &gt; 5 % &amp; rising"
    first, second = (element["text"] for element in context["elements"])
    assert first == "errors_high · service = checkout · value 7.1 %, threshold 5 % · since 2027-01-15 07:58:30 UTC"
    assert second == "<https://wiki.example.com/runbooks/errors|runbook> · <https://kpi.example.com/kpis/error_rate|KPI>"


def test_what_is_over_is_green_and_many_are_counted() -> None:
    assert post([message(resolved())])["blocks"][0]["text"]["text"].startswith("🟢 resolved: ")
    many = post([message(*[notice(summary=str(number)) for number in range(200)])])["blocks"][0]["text"]["text"]
    assert many.splitlines() == [
        "🔴 critical: 0 (and 199 more)", "critical: 1", "critical: 2", "critical: 3", "critical: 4", "… 195 more",
    ]  # fmt: skip


def test_a_digest_shows_the_worst_and_names_the_rest() -> None:
    mild = [message(notice(rule=f"r{number}", summary=str(number), severity="info"), key=str(number)) for number in range(14)]
    content = post([message(notice(summary="worst"), key="w"), *mild, message(resolved(rule="<over>"), key="o")])
    assert content["text"] == "15 rules fire, 1 over: critical: worst"
    shown = [block["text"]["text"] for block in content["blocks"] if block["type"] == "section"]
    assert shown[:-1] == ["🔴 critical: worst", *(f"🔵 info: {number}" for number in range(9))]
    assert shown[-1] == "6 more: r9, r10, r11, r12, r13, &lt;over&gt; (over)"


@given(DIGESTS)
def test_any_text_is_nothing_but_text(digest: Sequence[Message]) -> None:
    content = post(digest)
    json.dumps(content, ensure_ascii=False).encode()
    assert sum(map(len, texts(content))) < 60_000
    for text in texts(content):
        bare = _LINK.sub("", text)
        assert not re.search("[<>]", bare)
        assert "\x00" not in bare


def test_the_longest_texts_and_links_are_within_the_limits() -> None:
    long = "&" * 10_000
    addresses = {f"page {number}": f"https://example.com/?{'a&' * 200}{number}" for number in range(9)}
    wide = notice(summary=long, series={long: long}, links=addresses)
    content = post([message(*[wide] * 200, rule=long)])
    assert len(texts(content)) == 4
    whole = content["blocks"][1]["elements"][1]["text"]
    assert _LINK.sub("", whole).replace(" · ", "") == ""  # no link is cut


def test_what_is_answered() -> None:
    with HttpReceiver() as receiver:
        notifier = SlackNotifier(Slack(url=receiver.url, allow_private=True))
        receiver.answers = [Answer(), Answer(404, body=b"no_service"), Answer(429, {"Retry-After": "1"}, b"")]
        outcomes = [notifier.send([message()], NOW_US) for _ in range(3)]
        assert outcomes == [Sent(), NeverWillBe("127.0.0.1 answered 404: no_service"), TryAgain("127.0.0.1 answered 429", 1_000_000)]
        assert isinstance(SlackNotifier(Slack(url=receiver.url)).send([message()], NOW_US), NeverWillBe)
        assert len(receiver.requests) == 3
