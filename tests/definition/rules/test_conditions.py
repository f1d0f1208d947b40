from datetime import timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.definition import Definition
from livekpi.definition.problems import ExpressionError
from livekpi.definition.rules.conditions import FUNCTIONS, Condition, Question, Threshold, parse_condition
from livekpi.definition.rules.thresholds import Sign
from tests.definition.places import SOURCE, parsed

KPIS = f"""{SOURCE}kpis:
  orders: {{ value: count(*), every: 10s, by: [country], target: {{ 1d: 50 }} }}
  revenue: {{ value: sum(amount), every: 10s, unit: EUR }}
  stock: {{ value: last(amount), every: 10s, target: {{ 1d: 50 }} }}
  state: {{ value: last(event), every: 10s }}
"""
DEFINITION: Definition = parsed(KPIS)


def condition(text: str) -> Condition:
    return parse_condition(text, DEFINITION.kpis)


def test_each_question_has_a_column_a_type_and_a_place() -> None:
    text = "revenue < 0.7 * ago(revenue, 1w) and (absent(orders, 1h30m) or revenue > 5) and rising(orders, 20, 10m)"
    found = condition(text)
    assert found.questions == (
        Question("revenue"),
        Question("revenue", "ago", timedelta(weeks=1)),
        Question("orders", "absent", timedelta(minutes=90)),
        Question("orders", "rising", timedelta(minutes=10), 20.0),
    )
    assert [type_.kind for type_ in found.types] == ["decimal", "decimal", "boolean", "boolean"]
    assert found.places == tuple(map(text.index, ("revenue", "ago(", "absent(", "rising(")))
    assert found.kpis == {"orders", "revenue"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ago(orders, 1h) > 2 * revenue", "value"),
        ("pace(orders) < 0.9 and revenue > 1", "pace"),
        ("absent(orders, 10m) or ago(revenue, 1h) < 5", "absent"),
        ("ago(revenue, 1h) < ago(revenue, 2h) and anomalous(orders)", "anomalous"),
        ("ago(revenue, 1h) < 5", "ago"),
    ],
)
def test_the_question_that_a_notice_shows(text: str, name: str) -> None:
    assert condition(text).first.function == name


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("stock < 20", True),
        ("stock < ago(stock, 1h)", True),
        ("state = 'down'", True),
        ("stock < orders", False),
        ("absent(stock, 10m)", False),
        ("stock < 5 or pace(orders) < 1", False),
    ],
)
def test_a_condition_on_levels_alone(text: str, level: bool) -> None:
    assert condition(text).level is level


def test_whether_it_asks_for_absence() -> None:
    assert condition("orders < 5 or absent(orders, 10m)").asks_absence
    assert not condition("orders < 5").asks_absence


@pytest.mark.parametrize(
    ("text", "sign", "number"),
    [
        ("orders > 5", ">", 5.0),
        ("5 >= orders", "<=", 5.0),
        ("(orders) < (-2.5)", "<", -2.5),
        ("(orders <= 5)", "<=", 5.0),
    ],
)
def test_a_threshold(text: str, sign: Sign, number: float) -> None:
    assert condition(text).threshold == Threshold(Question("orders"), sign, number)


@pytest.mark.parametrize("text", ["orders = 5", "2 * orders > 5", "orders > revenue", "orders > 5 and revenue > 1", "absent(orders, 10m)"])
def test_what_is_no_threshold(text: str) -> None:
    assert condition(text).threshold is None


SIGNS: list[Sign] = [">", ">=", "<", "<="]
_HOLDS = {">": float.__gt__, ">=": float.__ge__, "<": float.__lt__, "<=": float.__le__}


@given(st.sampled_from(SIGNS), st.integers(-3, 3), st.sampled_from(SIGNS), st.integers(-3, 3))
def test_thresholds_meet_where_some_number_fulfils_both(one: Sign, first: int, other: Sign, second: int) -> None:
    numbers = [number / 2 for number in range(-10, 11)]
    both = any(_HOLDS[one](number, float(first)) and _HOLDS[other](number, float(second)) for number in numbers)
    assert Threshold(Question("a"), one, first).meets(Threshold(Question("a"), other, second)) is both
    assert not Threshold(Question("a"), one, first).meets(Threshold(Question("b"), other, second))


@pytest.mark.parametrize(
    ("text", "answers", "verdict"),
    [
        ("orders > 5", {"q0": None}, None),
        ("orders > 5 and revenue > 5", {"q0": None, "q1": 1}, False),
        ("orders > 5 or revenue > 5", {"q0": None, "q1": 9}, True),
        ("orders > 5 or absent(orders, 10m)", {"q0": None, "q1": True}, True),
        ("orders / revenue > 5", {"q0": 1, "q1": 0}, None),
        ("not orders > 5", {"q0": None}, None),
    ],
)
def test_what_is_not_known_is_neither_true_nor_false(text: str, answers: dict[str, Any], verdict: bool | None) -> None:
    row = ", ".join(f"{'NULL' if value is None else value} AS {name}" for name, value in answers.items())
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {condition(text).tree.sql(dialect='duckdb')} FROM (SELECT {row})").fetchone()
    assert found == (verdict,)


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("rising(orders, 0, 1h)", "expected rising(kpi, percent, duration), with a number above 0", "0,"),
        ("falling(orders, -5, 1h)", "expected falling(kpi, percent, duration), with a number above 0", "5"),
        ("rising(orders, 1h, 5)", "expected rising(kpi, percent, duration), with a number above 0", "1h"),
        ("rising(orders, 5)", "expected rising(kpi, percent, duration)", "rising"),
        ("orders < ago(orders, 0s)", "expected ago(kpi, duration), with a duration longer than nothing", "0s"),
        ("absent(orders, 10)", "expected absent(kpi, duration), with a duration such as 10m", "10"),
        ("absent(orders, 'soon')", "absent(kpi, duration): expected a duration such as 10s, 5m, 1h30m or 2d, got 'soon'", "'soon'"),
        ("pace(revenue) < 1", "'revenue' has no target to be paced by; give it one, such as target: {1d: 50000}", "pace"),
        ("orders > 1 and anomalous(state)", "anomalous needs a number, and 'state' is string", "anomalous"),
        ("pace(orders) and orders > 1", "expected a condition, got number", "pace"),
        ("anomalous(orders) > 1", "expected values of one type, got boolean and integer", "anomalous"),
        ("absent(1 + 1, 10m)", "there is no KPI '1 + 1'", "1 + 1"),
    ],
)
def test_a_wrong_condition(text: str, message: str, at: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        condition(text)
    assert raised.value.message.startswith(message)
    assert raised.value.offset == text.index(at)


def test_every_function_is_read() -> None:
    durations = {"ago", "absent"}
    for name in FUNCTIONS:
        text = f"{name}(orders, 1h)" if name in durations else f"{name}(orders)"
        text = f"{name}(orders, 20, 1h)" if name in ("rising", "falling") else text
        assert condition(f"{text} is not null").questions[0].function == name


_NAMES = ("orders", "revenue", "state", "nothing", "5", "-1", "0.5", "1h", "'10m'", "null")
_SIGNS = ("(", ")", ", ", " > ", " < ", " = ", " + ", " - ", " * ", " / ", "%", " and ", " or ", "not ", " between ", " is null")
_CALLS = tuple(f"{name}(" for name in (*FUNCTIONS, "coalesce", "abs"))


@given(st.lists(st.sampled_from((*_NAMES, *_SIGNS, *_CALLS))).map("".join))
def test_any_text_is_a_condition_or_wrong_at_a_place_in_it(text: str) -> None:
    try:
        found = condition(text)
    except ExpressionError as error:
        at = error.offset
    else:
        at = max(found.places)
        assert len(found.questions) == len(found.types) == len(found.places)
        for question, place in zip(found.questions, found.places, strict=True):
            assert text[place:].startswith(question.kpi if question.function == "value" else question.function)
    assert 0 <= at <= len(text)
