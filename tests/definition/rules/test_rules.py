"""Rules as they come out of a definition file."""

from datetime import UTC, datetime

import pytest

from livekpi.definition.rules.rules import Rule
from tests.definition.places import SOURCE, parsed

KPIS = """kpis:
  orders: { value: count(*), every: 10s, by: [country, event], target: { 1d: 50, timezone: Europe/Berlin } }
  users: { value: count(distinct user), every: 1m, by: [country], timezone: Asia/Tokyo, holidays: DE-BE }
  dated: { value: sum(amount), every: 10s, target: [{ from: 2026-01-01, to: 2026-02-01, value: 5, timezone: America/New_York }] }
"""
DESK = "notify: { desk: { alertmanager: { urls: ['http://localhost:9093'] } } }\n"
MINUTE_US = 60_000_000


def rule(given: str, kpis: str = KPIS, more: str = "") -> Rule:
    return parsed(f"{SOURCE}{kpis}alerts:\n  low: {{ {given}, notify: [desk] }}\n{DESK}{more}").rules["low"]


def test_what_a_rule_has() -> None:
    found = rule(
        "when: orders < 5, clear: orders > 7, by: [country], for: 1m, keep: 5m, ready: 0.9, title: Low, summary: '{value} in {country}'"
    )
    assert (found.name, found.title, found.by, found.ready) == ("low", "Low", ("country",), 0.9)
    assert (found.every_us, found.for_us, found.keep_us) == (10_000_000, MINUTE_US, 5 * MINUTE_US)
    assert found.clear is not None
    assert found.clear.questions == found.when.questions
    assert found.summary is not None
    assert found.summary.filled({"value": "3", "country": "DE"}) == "3 in DE"
    plain = rule("when: orders < 5")
    assert (plain.title, plain.ready, plain.clear, plain.summary, plain.for_us, plain.only, plain.except_) == (
        "low",
        0.99,
        None,
        None,
        0,
        (),
        (),
    )


def test_it_is_judged_at_the_largest_bucket_and_waits_for_whole_ones() -> None:
    found = rule("when: orders < users, for: 90s, keep: 1s")
    assert (found.every_us, found.for_us, found.keep_us) == (MINUTE_US, 2 * MINUTE_US, MINUTE_US)


@pytest.mark.parametrize(
    ("when", "seconds"),
    [
        ("orders < ago(orders, 1d)", 10),
        ("orders < ago(orders, 47h)", 60),  # an hour that late events may take, and it is merged
        ("orders < ago(orders, 1w)", 60),
        ("rising(orders, 20, 13d)", 60),
        ("orders < ago(orders, 2w)", 3600),
        ("orders < 5 and absent(orders, 1w)", 60),
    ],
)
def test_it_is_judged_at_the_bucket_that_is_still_there_of_the_past(when: str, seconds: int) -> None:
    assert rule(f'when: "{when}"').every_us == seconds * 1_000_000


@pytest.mark.parametrize(
    ("kpis", "when", "seconds"),
    [
        ("low: { value: count(*), every: 10s, over: 90s }", "low < ago(low, 1w)", 3600),
        ("low: { value: count(*), every: 10s, over: 2m }", "low < ago(low, 1w)", 60),
        ("low: { value: count(*), every: 10s, over: 2h }", "low < ago(low, 46h)", 60),  # of which the first two hours are older
        ("low: { value: count(*), every: 10s }, high: { value: count(*), every: 90s }", "high < ago(low, 1w)", 3600),
    ],
)
def test_what_is_left_must_fit_windows_and_buckets(kpis: str, when: str, seconds: int) -> None:
    assert rule(f'when: "{when}"', f"kpis: {{ {kpis} }}\n").every_us == seconds * 1_000_000


def test_it_fires_inside_only_and_outside_except() -> None:
    found = rule("when: orders < 5, only: [{ days: mon-fri }, { dates: [2026-07-04] }], except: { hours: 22:00-06:00 }")

    def opened(text: str) -> bool:
        return found.open(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000)

    assert [opened(f"2026-07-{day}") for day in ("03T12:00", "03T23:00", "04T12:00", "05T12:00", "11T12:00")] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_where_a_kpi_s_days_begin() -> None:
    kpis = parsed(SOURCE + KPIS + "  plain: { value: count(*), every: 1m }\n").kpis
    zones = {name: kpi.timezone for name, kpi in kpis.items()}
    assert zones == {"orders": "Europe/Berlin", "users": "Asia/Tokyo", "dated": "America/New_York", "plain": "UTC"}
    womens_day_us = int(datetime(2026, 3, 8, 14, tzinfo=UTC).timestamp()) * 1_000_000
    assert kpis["users"].holidays == "DE-BE"
    assert kpis["users"].holiday(womens_day_us)
    assert not kpis["users"].holiday(womens_day_us + 3_600_000_000)  # midnight in Tokyo
    assert not kpis["orders"].holiday(womens_day_us)


BASE = "when: orders < ago(orders, 1d), by: [country], for: 1m"


@pytest.mark.parametrize(
    "other",
    [
        "when: orders <= ago(orders, 1d), by: [country], for: 1m",
        "when: orders < ago(orders, 1h), by: [country], for: 1m",
        "when: orders < ago(orders, 1d), for: 1m",
        "when: orders < ago(orders, 1d), by: [country], for: 2m",
        f"{BASE}, keep: 1m",
        f"{BASE}, clear: orders > 5",
        f"{BASE}, ready: 0.9",
        f"{BASE}, only: {{ days: mon }}",
        f"{BASE}, except: {{ days: mon }}",
    ],
)
def test_another_rule_has_another_digest(other: str) -> None:
    assert rule(other).digest != rule(BASE).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [("count(*)", "count(ok)"), ("every: 10s", "every: 30s"), ("every: 10s", "every: 10s, over: 30s"), ("Europe/Berlin", "Europe/London")],
)
def test_another_meaning_of_its_kpis_has_another_digest(old: str, new: str) -> None:
    assert rule(BASE, KPIS.replace(old, new, 1)).digest != rule(BASE).digest


@pytest.mark.parametrize(
    ("old", "new"), [("count(distinct user)", "count(user)"), ("by: [country, event]", "by: [country, event], title: Orders")]
)
def test_what_is_nothing_to_it_leaves_its_digest(old: str, new: str) -> None:
    assert KPIS.replace(old, new, 1) != KPIS
    assert rule(BASE, KPIS.replace(old, new, 1)).digest == rule(BASE).digest


def test_how_it_is_told_leaves_its_digest() -> None:
    told = "severity: critical, summary: low, runbook: https://wiki.example.com, labels: { team: shop }, title: Low"
    assert rule(f"{BASE}, {told}").digest == rule(BASE).digest
    assert rule("when: 'orders  <  ago( orders , 24h )', by: [country], for: 60s").digest == rule(BASE).digest
    assert len(rule(BASE).digest) == 12


def test_a_time_zone_is_nothing_to_a_rule_without_a_past() -> None:
    moved = KPIS.replace("Europe/Berlin", "Europe/London")
    assert rule("when: orders < 5", moved).digest == rule("when: orders < 5").digest
