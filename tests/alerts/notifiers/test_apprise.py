import sys
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.apprise import AppriseNotifier, body
from livekpi.alerts.notifiers.base import Sent, TryAgain
from livekpi.alerts.notifiers.errors import NotifierError
from livekpi.definition.shape.notifying import AppriseUrls
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.alerts.made import DIGESTS, NOW_US, message, notice, resolved

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the services that Apprise loads
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver() as started:
        yield started


def notifier(*receivers: HttpReceiver) -> AppriseNotifier:
    return AppriseNotifier("desk", AppriseUrls(urls=[f"json://127.0.0.1:{each.port}/" for each in receivers]))


def test_what_is_told(receiver: HttpReceiver) -> None:
    receiver.requests.clear()
    assert notifier(receiver).send([message()], NOW_US) == Sent()
    content = receiver.requests[0].json
    assert (content["title"], content["type"]) == ("critical: error_rate is 7.1 % at checkout", "failure")
    assert content["message"].splitlines()[:3] == [
        "critical: error_rate is 7.1 % at checkout",
        "  service = checkout",
        "  value 7.1 %, threshold 5 %",
    ]


def test_of_a_long_digest_the_worst_is_said_and_the_rest_is_named() -> None:
    mild = [message(notice(rule=f"r{number}", summary="mild", severity="info"), key=str(number)) for number in range(21)]
    lines = body([*mild, message(key="worst")]).splitlines()
    assert lines[0] == "critical: error_rate is 7.1 % at checkout"
    assert lines[-1] == "2 more: r19, r20"


def test_how_bad_it_is(receiver: HttpReceiver) -> None:
    receiver.requests.clear()
    for told in (notice(severity="error"), notice(severity="warning"), notice(severity="info"), resolved()):
        notifier(receiver).send([message(told)], NOW_US)
    assert [request.json["type"] for request in receiver.requests] == ["failure", "warning", "info", "success"]


def test_only_who_did_not_take_it_is_told_again(receiver: HttpReceiver) -> None:
    with HttpReceiver() as other:
        receiver.requests.clear()
        both = notifier(receiver, other)
        other.answers = [Answer(500)]
        assert both.send([message()], NOW_US) == TryAgain("Apprise could not tell json (number 2)")
        assert both.send([message()], NOW_US) == Sent()
        assert (len(receiver.requests), len(other.requests)) == (1, 2)
        assert both.send([message(number=8)], NOW_US) == Sent()
        assert (len(receiver.requests), len(other.requests)) == (2, 3)


def test_an_address_of_no_form_is_named_without_its_secret() -> None:
    with pytest.raises(NotifierError) as caught:
        AppriseNotifier("desk", AppriseUrls(urls=["nonsense://secret"]))
    assert str(caught.value) == "notifier desk: Apprise does not know the form of address number 1 in `urls`"


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NotifierError, match=r"notifier desk: Apprise needs an extra: pip install 'livekpi\[apprise\]'"):
        AppriseNotifier("desk", AppriseUrls(urls=["json://localhost"]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DIGESTS)
def test_any_text_arrives(receiver: HttpReceiver, digest: Sequence[Message]) -> None:
    assert notifier(receiver).send(digest, NOW_US) == Sent()
    assert len(body(digest)) < 100_000
