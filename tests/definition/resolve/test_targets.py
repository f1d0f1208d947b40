import pytest

from tests.definition.places import SOURCE, assert_problems, problems

ZERO = "a target of 0 has no pace"


def with_target(target: str) -> str:
    return f"{SOURCE}kpis:\n  orders: {{ value: count(*), every: 1h, timezone: Europe/Berlin, target: {target} }}\n"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{ 1d: §0 }", ZERO),
        ("{ timezone: UTC, 1d: 5, 1w: §0.0 }", ZERO),
        ("[{ from: '2026-03-01', to: '2026-03-05', value: §0 }]", ZERO),
        (
            "[{ from: '2026-03-01', to: '2026-03-05', value: 5 }, { from: §'2026-03-04', to: '2026-03-09', value: 5 }]",
            "overlaps with the target from 2026-03-01 to 2026-03-05, which holds where both do",
        ),
        (  # the second begins at 23:00 by UTC
            "[{ from: '2026-03-01', to: '2026-03-05', value: 5, timezone: UTC }, { from: §'2026-03-05', to: '2026-03-09', value: 5 }]",
            "overlaps with the target from 2026-03-01 to 2026-03-05",
        ),
    ],
)
def test_what_is_odd_in_a_target_is_warned_of(target: str, message: str) -> None:
    assert_problems(with_target(target), message)
    assert [problem.warning for problem in problems(with_target(target.replace("§", "")))] == [True]


def test_a_period_that_cuts_a_bucket_in_two_is_a_mistake() -> None:
    assert_problems(with_target("{ §20m: 5 }"), "expected a multiple of the bucket, 1h")


@pytest.mark.parametrize(
    "target",
    [
        "{ 1d: 5, 1w: 30 }",
        "{ 1d: -5 }",
        "[{ from: '2026-03-05', to: '2026-03-09', value: 5 }, { from: '2026-03-01', to: '2026-03-05', value: 5 }]",
    ],
)
def test_what_is_not_odd(target: str) -> None:
    assert problems(with_target(target)) == []
