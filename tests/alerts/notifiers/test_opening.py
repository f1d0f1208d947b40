import pytest

from livekpi.alerts.notifiers.alertmanager import AlertmanagerNotifier
from livekpi.alerts.notifiers.alive import AliveNotifier
from livekpi.alerts.notifiers.apprise import AppriseNotifier
from livekpi.alerts.notifiers.email import EmailNotifier
from livekpi.alerts.notifiers.opening import open_notifier
from livekpi.alerts.notifiers.pagerduty import PagerDutyNotifier
from livekpi.alerts.notifiers.slack import SlackNotifier
from livekpi.alerts.notifiers.webhook import WebhookNotifier
from livekpi.definition.shape.notifying import KINDS, NotifierSpec

KNOWN: dict[str, tuple[dict[str, object], type]] = {
    "pagerduty": ({"routing_key": "key"}, PagerDutyNotifier),
    "alertmanager": ({"urls": ["http://localhost:9093"]}, AlertmanagerNotifier),
    "webhook": ({"url": "https://example.com"}, WebhookNotifier),
    "slack": ({"url": "https://hooks.slack.com/services/x"}, SlackNotifier),
    "email": ({"host": "mail.example.com", "from": "a@example.com", "to": ["b@example.com"]}, EmailNotifier),
    "apprise": ({"urls": ["json://localhost"]}, AppriseNotifier),
    "alive": ({"url": "https://example.com"}, AliveNotifier),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the services that Apprise loads
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_notifier(kind: str) -> None:
    given, notifier = KNOWN[kind]
    opened = open_notifier("desk", NotifierSpec.model_validate({kind: given}))
    assert type(opened) is notifier
    assert (opened.resend_us is not None) == (kind in {"alertmanager", "alive"})
    opened.close()
