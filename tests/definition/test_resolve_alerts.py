import pytest

from tests.definition.places import KPIS, SOURCE, assert_problems, problems

REST = SOURCE + KPIS.replace("count(*)", "count(*)") + "  users: { value: count(distinct user), every: 1m, by: [country, event] }\n"
DESK = "notify: { desk: { alertmanager: { urls: ['http://localhost:9093'] } } }\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{ when: §ordrs < 5, notify: [desk] }", "there is no KPI 'ordrs'; did you mean 'orders'?"),
        ("{ when: orders < 5, clear: §ordrs > 9, notify: [desk] }", "there is no KPI 'ordrs'; did you mean 'orders'?"),
        ("{ when: absent(orders, 10m) and ago(users, 1w) > 5 or §ordrs < 5, notify: [desk] }", "there is no KPI 'ordrs'"),
        ("{ when: 'ago(orders, 10m) < §absnt(orders, 1h)', notify: [desk] }", "there is no function 'absnt'; did you mean 'absent'?"),
        ("{ when: §orders, notify: [desk] }", "expected a condition, got integer: 'orders'"),
        ("{ when: §1 < 2, notify: [desk] }", "expected a condition on a KPI, such as error_rate > 0.05"),
        ("{ when: orders < 5, by: [§contry], notify: [desk] }", "the KPI 'orders' is not kept by 'contry'; did you mean 'country'?"),
        ("{ when: orders < users, by: [country, §event], notify: [desk] }", "the KPI 'orders' is not kept by 'event'; it has country"),
        ("{ when: orders < 5, notify: [desk, §dsk] }", "there is no notifier 'dsk'; did you mean 'desk'?"),
        ("{ when: orders < 5, for: §5, notify: [desk] }", "got `5`, expected a duration such as 10s"),
        ("{ when: orders < 5, severity: §bad, notify: [desk] }", "got `bad`, expected 'critical', 'error', 'warning' or 'info'"),
    ],
)
def test_a_wrong_alert(given: str, message: str) -> None:
    assert_problems(f"{REST}alerts:\n  low: {given}\n{DESK}", message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("§{}", "expected exactly one of pagerduty, alertmanager"),
        ("{ alertmanager: { §urls: [] } }", "expected at least one"),
        ("{ pagerduty: { routing_key: §'' } }", "got nothing, expected some text"),
        ("{ §pagerdty: {} }", "there is no key 'pagerdty' here; did you mean 'pagerduty'?"),
        ("{ §pagerduty: {} }", "'routing_key' is missing: The integration key of the service that is called."),
    ],
)
def test_a_wrong_notifier(given: str, message: str) -> None:
    given = f"alerts: {{ low: {{ when: orders < 5, notify: [desk] }} }}\nnotify:\n  desk: {given}\n"
    assert_problems(REST + (given.replace("desk: §{}", "§desk: {}")), message)


def test_a_notifier_that_nobody_names_is_a_warning() -> None:
    (warning,) = problems(REST + DESK)
    assert warning.warning
    assert str(warning) == "shop.yaml:9:11: warning: no alert notifies 'desk'"


def test_no_notifier_is_called_unused_because_of_a_mistake() -> None:
    assert_problems(f"{REST}alerts:\n  §low: {{ notify: [desk] }}\n{DESK}", "'when' is missing: The condition")


def test_right_alerts() -> None:
    alerts = "alerts:\n  low: { when: orders < 0.7 * ago(users, 1h30m), by: [country], for: 5m, clear: orders > 5, notify: [desk] }\n"
    assert problems(REST + alerts + DESK) == []
