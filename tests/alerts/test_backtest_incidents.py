"""Incidents against alerts, and a changed rule against the one before."""

from livekpi.alerts.backtest.comparison import compare
from livekpi.alerts.backtest.incidents import Incident, score
from livekpi.alerts.backtest.trial import Tried
from livekpi.alerts.ledger import Alert
from tests.rehearsed import definition

RULES = "alerts: { high: { when: n > 1 }, low: { when: n < 1 } }"
MADE = definition("", {"n": "value: count(*)"}, rest=RULES)


def alert(start: int, end: int | None, series: str = "[]", wait: int = 2) -> Alert:
    ended = None if end is None else end + wait
    return Alert(f"{series}{start}", "high", "", series, start, end, None, "", None, start + wait, ended)


def tried(*alerts: Alert, rule: str = "high", until: int = 1_000) -> Tried:
    return Tried(MADE.rules[rule], 0, until, alerts)


def test_precision_recall_and_time_to_detect() -> None:
    incidents = [Incident(100, 200), Incident(300, 310), Incident(400, 500), Incident(5_000, 6_000)]
    found = score(incidents, [tried(alert(90, 110), alert(150, 160), alert(250, 260), alert(430, None))])
    assert (found.alerts, found.right, found.incidents, found.found) == (4, 3, 3, 2)
    assert (found.precision, found.recall) == (0.75, 2 / 3)
    assert found.times_us == (0, 32)
    assert (found.median_us, found.worst_us) == (16, 32)


def test_an_incident_of_another_rule_is_not_this_ones() -> None:
    incidents = [Incident(100, 200, rule="low")]
    assert score(incidents, [tried(alert(150, 160))]).right == 0
    together = score(incidents, [tried(alert(150, 160)), tried(rule="low")])
    assert (together.incidents, together.found) == (1, 0)


def test_without_alerts_or_incidents_there_is_no_share() -> None:
    assert score([], [tried()]).precision is None
    assert score([], [tried(alert(1, 2))]).recall is None


def test_a_change_adds_removes_and_moves() -> None:
    before = tried(alert(100, 200), alert(300, 400), alert(500, 600), alert(700, 800, "[1]"))
    after = tried(alert(100, 200), alert(350, 400), alert(700, 800), alert(700, 800, "[1]"))
    (found,) = compare([before], [after])
    assert found.same == 2
    assert [each.started_us for each in found.added] == [700]
    assert [each.started_us for each in found.removed] == [500]
    assert [(was.started_us, now.started_us) for was, now in found.moved] == [(300, 350)]


def test_what_could_not_be_tried_is_not_compared() -> None:
    (found,) = compare([Tried(MADE.rules["high"], 0, 0, problem="gone")], [tried(alert(1, 2))])
    assert found.problem == "before: gone"
    assert found.added == ()
