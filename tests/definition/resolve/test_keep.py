import pytest

from tests.definition.places import KPIS, SOURCE, assert_problems, parsed


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ("{ 10s: 2d, §15s: 3d }", ["15s is no multiple of 10s, so the finer buckets can't be merged into it"]),
        ("{ §7s: 2d }", ["got '7s', expected a bucket of at least 1s that divides a day"]),
        ("{ 10s: §soon }", ["got `soon`, expected a duration"]),
        ("{ 1m: 2d, §60s: 3d }", ["'60s' is the same bucket as '1m'; keep one"]),
        ("{ 1h: 1y, 1m: §30m }", ["expected at least 1h: buckets of 1m must last until they make one of 1h"]),
        ("{ 1m: 2d, 1h: §1d }", ["expected at least as long as the finer 1m"]),
        ("{}", ["expected at least one"]),
    ],
)
def test_a_wrong_keep(given: str, messages: list[str]) -> None:
    assert_problems(f"{SOURCE}{KPIS}{'§' if given == '{}' else ''}keep: {given}\n", *messages)


def test_buckets_come_finest_first() -> None:
    assert parsed(f"{SOURCE}{KPIS}keep: {{ 1h: 1y, 10s: 1h, 1m: 1h }}\n").keep_us == (
        (10_000_000, 3_600_000_000),
        (60_000_000, 3_600_000_000),
        (3_600_000_000, 31_536_000_000_000),
    )
