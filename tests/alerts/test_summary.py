import pytest

from livekpi.alerts.summary import summary
from tests.definition.places import SOURCE, parsed

TEXT = f"""{SOURCE}kpis:
  orders: {{ value: count(*), every: 10s, by: [country], title: Orders, target: {{ 1d: 50 }} }}
  takings: {{ value: sum(amount), every: 10s, unit: EUR, by: [country, event] }}
  share: {{ value: count(*) filter (where ok) / count(*), every: 10s, unit: ratio }}
notify: {{ desk: {{ alertmanager: {{ urls: ['http://localhost:9093'] }} }} }}
alerts:
"""


def said(given: str, series: dict[str, str], value: float | None) -> str:
    definition = parsed(f"{TEXT}  low: {{ {given}, notify: [desk] }}\n")
    return summary(definition.rules["low"], definition.kpis, series, value)


@pytest.mark.parametrize(
    ("given", "series", "value", "text"),
    [
        ("when: share > 0.05", {}, 0.0714286, "low: share = 0.07143"),
        ("when: takings < 5, by: [country, event]", {"country": "DE", "event": ""}, 3.5, "low: takings = 3.5 EUR, country = DE, event = ∅"),
        ("when: pace(orders) < 0.9, title: Behind", {}, 0.83, "Behind: pace(orders) = 0.83"),
        ("when: 'absent(orders,  10m)', by: [country]", {"country": "DE"}, None, "low: absent(orders, 10m), country = DE"),
        ("when: anomalous(takings)", {}, 12345.678, "low: takings = 12,346 EUR"),
        ("when: takings < 0.7 * ago(takings, 1w)", {}, 12.0, "low: takings = 12 EUR"),
    ],
)
def test_a_rule_without_one_says_the_number_and_the_series(given: str, series: dict[str, str], value: float, text: str) -> None:
    assert said(given, series, value) == text


def test_its_names_are_filled_in() -> None:
    given = "when: orders <= -5, by: [country], title: T, summary: '{kpi} {value} {threshold} {unit}| {rule} {title} {country} {{value}}'"
    assert said(given, {"country": "{rule}"}, 3.0) == "Orders 3 -5 | low T {rule} {value}"
    assert said("when: takings < 5, summary: '{value} {unit} {kpi}'", {}, None) == "∅ EUR takings"


@pytest.mark.parametrize(("value", "text"), [(0.0500049, "0.050005 > 0.05"), (99.996, "100 > 0.05"), (0.05, "0.05 > 0.05")])
def test_a_number_is_told_from_its_threshold(value: float, text: str) -> None:
    assert said("when: share > 0.05, summary: '{value} > {threshold}'", {}, value) == text
    assert said("when: share > 0.0512345, summary: '{threshold}'", {}, value) == "0.0512345"
