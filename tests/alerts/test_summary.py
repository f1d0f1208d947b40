import pytest

from livekpi.alerts.summary import summary
from tests.definition.places import SOURCE, parsed

TEXT = f"""{SOURCE}kpis:
  orders: {{ value: count(*), every: 10s, by: [country], title: Orders, target: {{ 1d: 50 }} }}
  takings: {{ value: sum(amount), every: 10s, unit: EUR, by: [country, event] }}
  share: {{ value: count(*) filter (where ok) / count(*), every: 10s, unit: ratio }}
  wait: {{ value: avg(amount), every: 10s, unit: ms }}
  sent: {{ value: sum(amount), every: 10s, unit: bytes }}
notify: {{ desk: {{ alertmanager: {{ urls: ['http://localhost:9093'] }} }} }}
alerts:
"""


def said(given: str, series: dict[str, str | None], value: float | None) -> str:
    definition = parsed(f"{TEXT}  low: {{ {given}, notify: [desk] }}\n")
    return summary(definition.rules["low"], definition.kpis, series, value)


@pytest.mark.parametrize(
    ("given", "series", "value", "text"),
    [
        ("when: share > 0.05", {}, 0.0714286, "low: share = 7.14 % (> 5 %)"),
        (
            "when: takings < 5, by: [country, event]",
            {"country": "DE", "event": None},
            3.5,
            "low: takings = 3.50 EUR (< 5.00 EUR), country = DE, event = ∅",
        ),
        ("when: takings >= 5, by: [event]", {"event": ""}, 5.0, 'low: takings = 5.00 EUR (>= 5.00 EUR), event = ""'),
        ("when: wait > 250", {}, 412.25, "low: wait = 412.3 ms (> 250 ms)"),
        ("when: sent > 5e9", {}, 96.84e9, "low: sent = 96.8 GB (> 5 GB)"),
        ("when: 'rising(takings, 50, 10m)'", {}, 7.5, "low: takings = 7.50 EUR"),
        ("when: pace(orders) < 0.9, title: Behind", {}, 0.83, "Behind: pace(orders) = 83 % (< 90 %)"),
        ("when: 'absent(orders,  10m)', by: [country]", {"country": "DE"}, None, "low: absent(orders, 10m), country = DE"),
        ("when: anomalous(takings)", {}, 12345.678, "low: takings = 12,346 EUR (anomalous)"),
        ("when: takings < 0.7 * ago(takings, 1w)", {}, 12.0, "low: takings = 12.00 EUR"),
    ],
)
def test_a_rule_without_one_says_the_number_and_the_series(given: str, series: dict[str, str | None], value: float, text: str) -> None:
    assert said(given, series, value) == text


def test_its_names_are_filled_in() -> None:
    given = "when: orders <= -5, by: [country], title: T, summary: '{kpi} {value} {threshold} | {rule} {title} {country} {{value}}'"
    assert said(given, {"country": "{rule}"}, 3.0) == "Orders 3 -5 | low T {rule} {value}"
    assert said("when: takings < 5, summary: '{value} {kpi}'", {}, None) == "∅ takings"


@pytest.mark.parametrize(("value", "text"), [(0.0500049, "5.0005 % > 5 %"), (0.99996, "100 % > 5 %"), (0.05, "5 % > 5 %")])
def test_a_number_is_told_from_its_threshold(value: float, text: str) -> None:
    assert said("when: share > 0.05, summary: '{value} > {threshold}'", {}, value) == text
    assert said("when: share > 0.0512345, summary: '{threshold}'", {}, value) == "5.12345 %"
