"""From a notifier's definition to the notifier."""

from livekpi.alerts.delivery.post import Resolve, resolved
from livekpi.alerts.notifiers.alertmanager import AlertmanagerNotifier
from livekpi.alerts.notifiers.alive import AliveNotifier
from livekpi.alerts.notifiers.apprise import AppriseNotifier
from livekpi.alerts.notifiers.base import Notifier
from livekpi.alerts.notifiers.email import EmailNotifier
from livekpi.alerts.notifiers.pagerduty import PagerDutyNotifier
from livekpi.alerts.notifiers.slack import SlackNotifier
from livekpi.alerts.notifiers.webhook import WebhookNotifier
from livekpi.definition.shape.notifying import NotifierSpec


def open_notifier(name: str, spec: NotifierSpec, *, resolve: Resolve = resolved) -> Notifier:
    """The notifier of a definition. Nothing is sent yet.

    Raises NotifierError where an extra is not installed, or does not know what it is to tell.
    """
    if spec.email is not None:
        return EmailNotifier(spec.email)
    if spec.apprise is not None:
        return AppriseNotifier(name, spec.apprise)
    return _over_http(spec, resolve)


def _over_http(spec: NotifierSpec, resolve: Resolve) -> Notifier:
    if spec.pagerduty is not None:
        return PagerDutyNotifier(spec.pagerduty, resolve=resolve)
    if spec.alertmanager is not None:
        return AlertmanagerNotifier(spec.alertmanager, resolve=resolve)
    if spec.webhook is not None:
        return WebhookNotifier(spec.webhook, resolve=resolve)
    if spec.slack is not None:
        return SlackNotifier(spec.slack, resolve=resolve)
    assert spec.alive is not None
    return AliveNotifier(spec.alive, resolve=resolve)
