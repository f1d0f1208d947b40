"""The benchmarks' own judgement: a wrong number fails one, and a missed target is said."""

from array import array
from copy import deepcopy

import pytest

from bench.common import Figure, Report
from bench.freshness import delays_ms
from bench.kafka import Numbers, compare
from bench.summary import text

RIGHT: Numbers = {
    "events": {"DE": {"2026-03-02T08:00": 3.0}},
    "revenue": {"DE": {"2026-03-02T08:00": 12.5}},
    "orders": {"DE": {"2026-03-02T08:00": 1.0}},
    "users": {"": {"2026-03-02T08:00": 2.0}},
    "p95": {"": {"2026-03-02T08:00": 100.0}},
}


def with_(kpi: str, series: str, value: float | None) -> Numbers:
    changed = deepcopy(RIGHT)
    if value is None:
        del changed[kpi][series]
    else:
        changed[kpi][series]["2026-03-02T08:00"] = value
    return changed


@pytest.mark.parametrize("p95", [99.1, 100.0, 100.9])
def test_equal_numbers_pass_and_a_quantile_may_be_one_percent_off(p95: float) -> None:
    compare(with_("p95", "", p95), RIGHT)


@pytest.mark.parametrize(
    ("kpi", "series", "value"),
    [
        ("events", "DE", 4.0),
        ("revenue", "DE", 12.51),
        ("orders", "DE", 0.0),
        ("users", "", 3.0),
        ("p95", "", 101.1),
        ("events", "DE", None),
    ],
)
def test_a_wrong_or_missing_number_fails(kpi: str, series: str, value: float | None) -> None:
    with pytest.raises(ValueError, match=kpi):
        compare(with_(kpi, series, value), RIGHT)


def test_an_event_is_as_late_as_the_first_message_that_covers_it() -> None:
    sent_us = array("q", [1_000, 2_000, 3_000, 4_000, 5_000])  # numbers 0 and 4 are of lane 0, the others of one lane each
    seen = [(10_000, 0, 0), (12_000, 1, 1), (12_000, 2, 2), (14_000, 3, 3), (15_000, 0, 4)]
    assert delays_ms(sent_us, seen, 0) == [9.0, 9.0, 10.0, 10.0, 10.0]
    assert delays_ms(sent_us, seen, 3) == [10.0, 10.0]


@pytest.mark.parametrize(
    ("value", "at_most", "at_least", "missed"),
    [(2.5, 2.5, None, False), (2.6, 2.5, None, True), (9, None, 10, True), (10, None, 10, False)],
)
def test_a_target_is_missed_beyond_its_bound(value: float, at_most: float | None, at_least: float | None, missed: bool) -> None:
    assert Figure("cost", value, "s", at_most, at_least).missed is missed


def test_the_results_begin_with_what_was_missed() -> None:
    report = Report("kafka", "From Kafka")
    report.figure("cost", 3.0, "CPU-s", at_most=2.5)
    report.figure("speed", 500_000, "events/s", at_least=400_000)
    written = text([report])
    missed = written.partition("## Targets missed")[2].partition("\n## ")[0]
    assert missed.strip() == "- kafka: cost: 3 CPU-s, target ≤ 2.5"
    assert "| speed | 500,000 events/s | ≥ 400,000 met |" in written
