"""What is told of alerts, and to whom: news and what else fires, the worst first, unless somebody has silenced it or looks after it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Status
from livekpi.alerts.series import series_text
from livekpi.alerts.telling import Said, Tell, message, notice_of, receivers_of, to_tell, worst_first
from livekpi.alerts.words import Word
from livekpi.definition.definition import Definition
from tests.rehearsed import MINUTE_US, NOON_US, definition

RULES = """
alerts:
  many: { when: visits > 2, by: [page], notify: [pager, am] }
  few: { when: visits < 2, by: [page], notify: [am] }
  more: { when: visits > stock, by: [page], notify: [am] }
  gone: { when: visits < stock and stock > 1, by: [page], notify: [am] }
  left: { when: stock < visits and visits > 1, by: [page], notify: [am] }
notify:
  am: { alertmanager: { urls: ["http://localhost:9093"] } }
  pager: { webhook: { url: "https://example.com" } }
  beat: { alive: { url: "https://example.com" } }
"""
KPIS = {"visits": "value: count(*), by: [page], good: down", "stock": "value: last(n), by: [page], good: up"}
NOW_US = NOON_US + 10 * MINUTE_US
A_WORD = Word(1, "many", {"page": "a"}, "ann", "known", NOON_US, NOW_US + 1)


@pytest.fixture(scope="module")
def made() -> Definition:
    return definition("page: optional string, n: integer", KPIS, rest=RULES)


def alert(page: str | None, told: Status | None = None, *, over: bool = False, value: float | None = 5) -> Alert:
    ends_us = NOW_US if over else None
    told_to, incident = (("pager", "am"), "livekpi/made/many") if told else ((), None)
    series = series_text([page])
    return Alert(f"key {page}", "many", "m", series, NOON_US, ends_us, told, "", value, NOON_US, ends_us, told_to, incident)


def tells(made: Definition, alerts: Sequence[Alert], said: Said | None = None) -> list[Tell]:
    return to_tell(made, made.rules["many"], alerts, said or Said(), NOW_US)


def heard(found: Sequence[Tell]) -> list[list[tuple[str | None, str]]]:
    """By message, each notice's series and status."""
    return [[(notice.series["page"], notice.status) for notice in tell.notices] for tell in found]


def noted(found: Sequence[Tell]) -> dict[str, Status | None]:
    return {alert.key: alert.told for tell in found for alert in tell.told}


def test_no_news_is_not_told(made: Definition) -> None:
    assert tells(made, [alert("a", "firing")]) == []
    assert tells(made, []) == []


def test_what_begins_is_told_with_what_fires_already(made: Definition) -> None:
    found = tells(made, [alert("a", "firing", value=4), alert("b", value=9), alert("c", value=3)])
    assert heard(found) == [[("b", "firing"), ("a", "firing"), ("c", "firing")]]
    assert noted(found) == {"key b": "firing", "key c": "firing"}


def test_what_ends_is_told_after_what_still_fires(made: Definition) -> None:
    found = tells(made, [alert("a", "firing", over=True, value=99), alert("b", "firing")])
    assert heard(found) == [[("b", "firing"), ("a", "resolved")]]
    assert noted(found) == {"key a": "resolved"}
    (firing, over) = found[0].notices
    assert (firing.ends_us, over.ends_us) == (None, NOW_US)


def test_what_began_late_and_is_over_is_told_as_both(made: Definition) -> None:
    found = tells(made, [alert("a", over=True), alert("b")])
    assert [sorted(each) for each in heard(found)] == [[("a", "firing"), ("b", "firing")], [("a", "resolved"), ("b", "firing")]]
    assert [[each.told for each in tell.told] for tell in found] == [["firing", "firing"], ["resolved"]]


def test_what_fires_again_under_its_key_is_told_again(made: Definition) -> None:
    assert heard(tells(made, [alert("a", "resolved")])) == [[("a", "firing")]]
    assert tells(made, [alert("a", "resolved")], Said([A_WORD])) == []
    assert heard(tells(made, [alert("a", "resolved")], Said((), [A_WORD]))) == [[("a", "firing")]], "it was told before"


@pytest.mark.parametrize("said", [Said([A_WORD]), Said((), [A_WORD])], ids=["silenced", "acknowledged"])
def test_what_is_quiet_is_not_told_and_what_was_told_is_ended(made: Definition, said: Said) -> None:
    assert tells(made, [alert("a")], said) == []
    assert heard(tells(made, [alert("a", "firing", over=True)], said)) == [[("a", "resolved")]]
    (quiet,) = tells(made, [alert("a", over=True)], said)
    assert (quiet.notices, [each.told for each in quiet.told]) == ((), ["resolved"])


def test_what_is_silenced_is_in_no_message(made: Definition) -> None:
    said = Said([A_WORD])
    assert heard(tells(made, [alert("a"), alert("b")], said)) == [[("b", "firing")]]
    assert heard(tells(made, [alert("a"), alert("b", "firing", over=True)], said)) == [[("b", "resolved")]]


def test_what_somebody_looks_after_is_in_messages_about_others_and_so_keeps_the_incident(made: Definition) -> None:
    said = Said((), [A_WORD])
    assert heard(tells(made, [alert("a"), alert("b")], said)) == [[("a", "firing"), ("b", "firing")]]
    found = tells(made, [alert("a"), alert("b", "firing", over=True)], said)
    assert heard(found) == [[("a", "firing"), ("b", "resolved")]]
    assert noted(found) == {"key a": "firing", "key b": "resolved"}
    (kept,) = (each for each in found[0].told if each.key == "key a")
    assert heard(tells(made, [replace(kept, ends_us=NOW_US)], said)) == [[("a", "resolved")]]


def test_an_acknowledgement_is_news_once(made: Definition) -> None:
    said = Said((), [A_WORD])
    (tell,) = found = tells(made, [alert("a", "firing"), alert("b", "firing")], said)
    assert (heard(found), tell.receivers, tell.acknowledged_by) == ([[("a", "firing"), ("b", "firing")]], ("pager", "am"), "ann")
    (kept,) = tell.told
    assert tells(made, [kept, alert("b", "firing")], said) == []
    assert tells(made, [kept], Said()) == [], "that it is taken back is none"
    (again,) = tells(made, [kept], Said((), [replace(A_WORD, number=2, author="bob")]))
    assert again.acknowledged_by == "bob"


def test_a_receiver_that_is_new_hears_what_fires_and_no_other_does(made: Definition) -> None:
    before = replace(alert("a", "firing"), told_to=("am",))
    (tell,) = found = tells(made, [before])
    assert (heard(found), tell.receivers) == ([[("a", "firing")]], ("pager",))
    assert tells(made, list(tell.told)) == []
    assert tells(made, [before], Said([A_WORD])) == []


def test_a_receiver_that_the_rule_tells_no_more_hears_the_end_of_what_it_heard(made: Definition) -> None:
    before = replace(alert("a", "firing"), told_to=("beat", "gone"))
    (begun,) = tells(made, [before, alert("b")])
    assert begun.receivers == ("pager", "am")
    ended = [replace(each, ends_us=NOW_US) if each.key == "key a" else each for each in begun.told]
    found = tells(made, ended)
    assert [(each.receivers, *heard([each])) for each in found] == [
        (("pager", "am"), [("b", "firing"), ("a", "resolved")]),
        (("beat",), [("a", "resolved")]),
    ]
    assert noted(found) == {"key a": "resolved"}


def test_what_nobody_was_told_of_is_history(made: Definition) -> None:
    (tell,) = found = tells(made, [replace(alert("a", "firing", over=True), told_to=("gone",))])
    assert (heard(found), tell.receivers, noted(found)) == ([[("a", "resolved")]], (), {"key a": "resolved"})


def test_an_incident_keeps_its_key_until_it_is_over(made: Definition) -> None:
    before = replace(alert("a", "firing"), incident="livekpi/old name/many")
    found = tells(made, [before, alert("b")])
    assert [each.incident for each in found] == ["livekpi/old name/many"]
    assert {each.incident for each in found[0].told} == {"livekpi/old name/many"}
    assert [each.incident for each in tells(made, [alert("b")])] == ["livekpi/made/many"]


def test_what_fires_on_though_it_was_silenced_since_is_named_with_the_news(made: Definition) -> None:
    assert heard(tells(made, [alert("a", "firing"), alert("b")], Said([A_WORD]))) == [[("a", "firing"), ("b", "firing")]]


def test_who_looks_after_it_is_named(made: Definition) -> None:
    said = Said((), [A_WORD])
    assert [each.acknowledged_by for each in tells(made, [alert("a", "firing"), alert("b")], said)] == ["ann"]
    assert [each.acknowledged_by for each in tells(made, [alert("b")], said)] == [None]


def test_what_begins_is_told_from_what_somebody_looks_after(made: Definition) -> None:
    said = Said((), [A_WORD])
    assert [each.begins for each in tells(made, [alert("a", "firing"), alert("b")], said)] == [True]
    assert [each.begins for each in tells(made, [alert("a", "firing")], said)] == [False]
    assert [each.begins for each in tells(made, [alert("a", "resolved")], said)] == [False]
    assert message(made.rules["many"], tells(made, [alert("b")])[0], 1, NOW_US).begins


@pytest.mark.parametrize(("rule", "first"), [("many", "c"), ("few", "b"), ("more", "c"), ("gone", "b"), ("left", "b")])
def test_the_worst_is_the_furthest_in_the_way_the_condition_asks_for(made: Definition, rule: str, first: str) -> None:
    values = {"a": 5.0, "b": -2.0, "c": 8.0, "none": None}
    found = worst_first(made, made.rules[rule], [alert(page, value=value) for page, value in values.items()])
    assert (found[0].series, found[1].series, found[-1].series) == (f'["{first}"]', '["a"]', '["none"]')


def test_of_the_same_value_the_order_is_that_of_the_series(made: Definition) -> None:
    found = worst_first(made, made.rules["many"], [alert("b"), alert("a")])
    assert [each.key for each in found] == ["key a", "key b"]


def test_a_dimension_that_is_null_stays_so(made: Definition) -> None:
    assert notice_of(made, alert(None), "firing").series == {"page": None}
    assert notice_of(made, alert(""), "firing").series == {"page": ""}
    assert notice_of(made, replace(alert("a"), ends_us=NOW_US), "firing").ends_us is None, "told before its end is"


def test_a_message_has_the_rules_key(made: Definition) -> None:
    (tell,) = tells(made, [alert("a")])
    told = message(made.rules["many"], tell, 7, NOW_US)
    assert (told.key, told.number, told.rule, told.at_us, told.notices) == ("livekpi/made/many", 7, "many", NOW_US, tell.notices)


def test_who_is_told(made: Definition) -> None:
    assert receivers_of(made, made.rules["many"]) == ["pager", "am"]
