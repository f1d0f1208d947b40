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
        ("{ when: orders < 5 or §pace(orders) < 1, notify: [desk] }", "'orders' has no target to be paced by"),
        ("{ when: §1 < 2, notify: [desk] }", "expected a condition on a KPI, such as error_rate > 0.05"),
        ("{ when: orders < 5, by: [§contry], notify: [desk] }", "the KPI 'orders' is not kept by 'contry'; did you mean 'country'?"),
        ("{ when: orders < users, by: [country, §event], notify: [desk] }", "the KPI 'orders' is not kept by 'event'; it has country"),
        ("{ when: orders < 5, notify: [desk, §dsk] }", "there is no notifier 'dsk'; did you mean 'desk'?"),
        ("{ when: orders < 5, for: §5, notify: [desk] }", "got `5`, expected a duration such as 10s"),
        ("{ when: orders < 5, runbook: §'javascript:alert(1)', notify: [desk] }", "got `javascript:alert(1)`, expected an address"),
        ("{ when: orders < 5, runbook: §wiki/orders, notify: [desk] }", "got `wiki/orders`, expected an address such as https://wiki"),
        ("{ when: orders < 5, severity: §bad, notify: [desk] }", "got `bad`, expected 'critical', 'error', 'warning' or 'info'"),
    ],
)
def test_a_wrong_alert(given: str, message: str) -> None:
    assert_problems(f"{REST}alerts:\n  low: {given}\n{DESK}", message)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("avg(amount)", "it is not a count or a sum"),
        ("count(distinct user)", "the count of distinct values of a day is not the sum of its hours'"),
        ("count(*), over: 1h", "its points overlap (`over` is more than `every`)"),
    ],
)
def test_what_can_not_be_added_up_has_no_pace(value: str, why: str) -> None:
    """It may have a target all the same: a day's value is compared with that."""
    kpi = f"  goal: {{ value: {value}, every: 1m, target: {{ 1d: 5 }} }}\n"
    rule = "alerts:\n  slow: { when: orders < 5 or §pace(goal) < 1, notify: [desk] }\n"
    assert_problems(f"{REST}{kpi}{rule}{DESK}", f"'goal' can't be added up to where a period will end: {why}")
    assert problems(f"{REST}{kpi}{rule.replace('§pace(goal)', 'goal')}{DESK}") == []


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


UNITS = """\
  revenue: { value: sum(amount), every: 10s, unit: EUR, by: [country] }
  refunds: { value: sum(amount) filter (where ok), every: 10s, unit: EUR }
  latency: { value: max(amount), every: 10s, unit: ms }
  odd: { value: count(*), every: 15s }
"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("when: §revenue > latency", "compares EUR with ms"),
        ("when: orders > 5 and §2 * (revenue - refunds) < abs(ago(latency, 1h)) / 5", "compares EUR with ms"),
        ("when: 'ago(orders, 10m) > 5 and §revenue + latency > 5'", "adds EUR to ms"),
        ("when: §revenue - latency > 5", "subtracts EUR and ms"),
        ("when: §revenue > 5 + latency", "compares EUR with ms"),
        ("when: orders > 5, clear: §revenue < latency", "compares EUR with ms"),
        ("when: revenue > 5, clear: §revenue > 3", "holds for numbers for which `when` does, too; expected a threshold on the other side"),
        ("when: revenue > 5, clear: §revenue < 7", "holds for numbers for which `when` does, too"),
        ("when: revenue <= 5, clear: §5 <= revenue", "holds for numbers for which `when` does, too"),
        ("when: orders < 5, for: §25s", "is taken as 30s, for the rule is judged once a bucket of 10s"),
        ("when: orders < users, keep: §90s", "is taken as 2m, for the rule is judged once a bucket of 1m"),
        (
            "when: 'orders < §ago(orders, 3w)'",
            "ago by 3w: so far back there are only buckets of 1h, so the rule is judged",
        ),
        (
            "when: orders < 5, only: { days: mon-fri, §holidays: DE }",
            "the rule fires on these holidays as well",
        ),
        ("when: orders < 5, only: [{ days: sat }, { days: mon-sun, §holidays: DE }]", "the rule fires on these holidays as well"),
        ("when: orders < 5, §except: { days: mon-sun }", "leaves no time in which the rule may fire"),
        ("when: orders < 5, §except: { hours: '00:00-24:00' }", "leaves no time in which the rule may fire"),
        ("when: orders < 5, only: { days: sat }, §except: [{ holidays: DE }, { days: sat-sun }]", "leaves no time"),
        ("when: orders < 5, only: { dates: [2026-11-23] }, §except: { days: mon }", "leaves no time"),
        (
            "when: orders < 5, only: { holidays: DE, hours: '22:00-06:00' }, §except: { holidays: DE, hours: '22:00-06:00' }",
            "leaves no time",
        ),
        ("when: '§absent(orders, 30s)'", "a source that sends nothing at all counts as silent only after its `idle`, 1m"),
        ("when: orders < 5, clear: '§absent(orders, 50s)'", "a source that sends nothing at all counts as silent only after"),
    ],
)
def test_an_odd_alert_is_a_warning(given: str, message: str) -> None:
    text = f"{REST}{UNITS}alerts:\n  low: {{ {given}, notify: [desk] }}\n{DESK}"
    assert_problems(text, message)
    assert [problem.warning for problem in problems(text.replace("§", ""))] == [True]


@pytest.mark.parametrize(
    "given",
    [
        "when: revenue > orders and latency > 5",
        "when: revenue / latency > 5 and revenue * latency > 3 * refunds",
        "when: revenue * latency > latency",
        "when: revenue > ago(refunds, 1h)",
        "when: revenue < ago(revenue, 1w)",
        "when: 'users < 2 and absent(orders, 90s)'",
        "when: rising(orders, 20, 1h) or falling(orders, 20.5, 10m)",
        "when: revenue > 5, clear: revenue < 3",
        "when: revenue > 5, clear: revenue <= 5",
        "when: revenue > 5, clear: refunds > 3",
        "when: revenue > 5, clear: revenue > 3 and latency > 2",
        "when: orders < 5, for: 30s, keep: 1h",
        "when: orders < 5, only: { days: sat-sun, holidays: DE }, except: { days: mon-fri, holidays: DE }",
        "when: orders < 5, except: { days: mon-sat }",
        "when: orders < 5, except: { days: mon-sun, hours: '00:00-23:00' }",
        "when: orders < 5, only: { days: fri, hours: '22:00-06:00' }, except: { days: fri }",
        "when: orders < 5, only: { days: fri }, except: { days: fri, timezone: Europe/Berlin }",
        "when: orders < 5, only: [{ days: fri }, { holidays: DE }], except: { days: fri }",
        "when: orders < 5, only: { hours: '09:00-10:00' }, except: { dates: [2026-11-23] }",
        "when: 'absent(orders, 60s)'",
        "when: orders < 5, runbook: 'https://wiki.example.com/orders?a=1#few'",
        "when: orders < 5, summary: '{value} of {{kpi}} {kpi} {rule} {title} {threshold} {country}', by: [country]",
        "when: 'orders < 5 and falling(revenue, 20, 1h)', summary: '{value}'",
    ],
)
def test_an_alert_without_a_warning(given: str) -> None:
    assert problems(f"{REST}{UNITS}alerts:\n  low: {{ {given}, notify: [desk] }}\n{DESK}") == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("when: 'orders > 1 and orders < §ago(orders, 15s)'", "ago by 15s: expected a multiple of the bucket, 10s"),
        ("when: 'users < 2 and §rising(orders, 5, 90s)'", "rising by 90s: expected a multiple of the bucket, 1m"),
        ("when: '§absent(orders, 75s)'", "absent by 75s: expected a multiple of the bucket, 10s"),
        ("when: 'orders < §ago(orders, 3y)'", "ago by 3y: `keep` leaves no buckets of 'orders' that are so old, with the time for"),
        ("when: 'orders < 5', clear: '§absent(orders, 3y)'", "absent by 3y: `keep` leaves no buckets of 'orders' that are so old"),
        ("when: 'rising(orders, §0, 1h)'", "expected rising(kpi, percent, duration), with a number above 0"),
        ("when: §pace(orders) < 0.9", "'orders' has no target to be paced by; give it one"),
        ("when: §orders < odd", "the buckets of its KPIs don't fit: expected the largest to be a multiple of each other"),
        ("when: orders < 5, clear: users > 5, by: [§event]", "the KPI 'orders' is not kept by 'event'; it has country"),
        ("when: orders < 5, clear: refunds > 5, by: [§country]", "the KPI 'refunds' is not kept by 'country'; it has none"),
        ("when: orders < 5, by: [country, §country]", "'country' stands twice; keep one"),
        ("when: orders < 5, summary: 'is {§valu}'", "there is nothing called 'valu' to fill in; did you mean 'value'?"),
        ("when: orders < 5, summary: 'in {§country}'", "there is nothing called 'country' to fill in; expected one of value, kpi"),
        ("when: orders < 5 or users < 5, summary: 'over {§threshold}'", "there is nothing called 'threshold' to fill in"),
        ("when: orders < 5, summary: 'a §{ b'", "a brace stands alone"),
        ("when: orders < 5, ready: §0.5", "got `0.5`, expected more than 0.5"),
        ("when: orders < 5, ready: §1.1", "got `1.1`, expected at most 1"),
        ("when: orders < 5, only: { days: §mon-fry }", "got `mon-fry`, expected days such as mon-fri or [sat, sun]; did you mean 'fri'?"),
        ("when: orders < 5, only: { §days: [sat, son] }", "expected days such as mon-fri or [sat, sun]; did you mean 'sun'?"),
        ("when: orders < 5, except: { hours: §9-17 }", "got `9-17`, expected hours such as 09:00-17:30"),
        ("when: orders < 5, except: { hours: §09:00-09:00 }", "got `09:00-09:00`, expected hours such as 09:00-17:30"),
        ("when: orders < 5, except: { hours: §09:00-25:00 }", "got `09:00-25:00`, expected hours such as 09:00-17:30"),
        ("when: orders < 5, except: { dates: [§2026-02-30] }", "got `2026-02-30`, expected a date that there is: day"),
        ("when: orders < 5, except: [{ dates: [§24.12.2026] }]", "got `24.12.2026`, expected a date such as 2026-12-24"),
        (
            "when: orders < 5, except: { holidays: §de }",
            "got `de`, expected a country's ISO 3166 code",
        ),
        ("when: orders < 5, except: { holidays: §DE-XX }", "got `DE-XX`, DE has no part 'XX' with holidays of its own"),
        ("when: orders < 5, only: { days: mon, timezone: §Europe/Berln }", "got `Europe/Berln`, expected a time zone's name"),
        ("when: orders < 5, only: { §day: mon, hours: 09:00-17:00 }", "there is no key 'day' here; did you mean 'days'?"),
        ("when: orders < 5, only: [{ §day: mon, hours: 09:00-17:00 }]", "there is no key 'day' here; did you mean 'days'?"),
        ("when: orders < 5, §only: {}", "expected at least one of days, dates, holidays, hours"),
        ("when: orders < 5, §only: []", "expected at least one"),
        ("when: orders < 5, only: §workdays", "got `workdays`, expected `key: value` pairs"),
    ],
)
def test_a_wrong_detail(given: str, message: str) -> None:
    assert_problems(f"{REST}{UNITS}alerts:\n  low: {{ {given}, notify: [desk] }}\n{DESK}", message)


def test_an_alert_of_which_nobody_is_told_is_a_warning() -> None:
    (warning,) = problems(f"{REST}alerts:\n  low: {{ when: orders < 5 }}\n")
    assert str(warning) == "shop.yaml:10:3: warning: nobody is told of 'low'; add `notify:` with a notifier's name"
    assert_problems(f"{REST}alerts:\n  low: {{ when: orders < 5, notify: §desk }}\n{DESK}", "got `desk`, expected a list")


def test_what_tells_that_livekpi_is_alive_is_for_no_alert() -> None:
    alive = DESK.replace("{ desk:", "{ beat: { alive: { url: 'https://alive.example.com/x' } }, desk:")
    right = f"{REST}alerts:\n  low: {{ when: orders < 5, notify: [desk] }}\n{alive}"
    assert problems(right) == []
    assert_problems(right.replace("[desk]", "[desk, §beat]"), "'beat' is told that livekpi is alive, and nothing else")


def test_no_notifier_is_called_unused_because_of_a_mistake() -> None:
    assert_problems(f"{REST}alerts:\n  §low: {{ notify: [desk] }}\n{DESK}", "'when' is missing: The condition")


def test_right_alerts() -> None:
    alerts = "alerts:\n  low: { when: orders < 0.7 * ago(users, 1h30m), by: [country], for: 5m, clear: orders > 5, notify: [desk] }\n"
    assert problems(REST + alerts + DESK) == []
