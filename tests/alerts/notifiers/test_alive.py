from datetime import timedelta

from livekpi.alerts.notifiers.alive import AliveNotifier
from livekpi.alerts.notifiers.base import NeverWillBe, Sent
from livekpi.definition.shape.notifying import Alive
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.alerts.made import NOW_US


def test_a_beat() -> None:
    with HttpReceiver() as receiver:
        notifier = AliveNotifier(Alive(url=f"{receiver.url}/ping/secret", every=timedelta(seconds=30)))
        assert notifier.resend_us == 30_000_000
        assert notifier.send([], NOW_US) == Sent()
        assert receiver.requests[0].path == "/ping/secret"
        assert receiver.requests[0].json == {"alive": True, "at": "2027-01-15T08:00:00.000Z"}
        receiver.answers = [Answer(404, body=b"")]
        assert notifier.send([], NOW_US) == NeverWillBe("127.0.0.1 answered 404")
