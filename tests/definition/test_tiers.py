import pytest

from livekpi.definition.tiers import tiers
from tests.rehearsed import MINUTE_US

MINUTES = tuple((minutes * MINUTE_US, kept) for minutes, kept in ((1, 10), (5, 20), (60, 30)))


@pytest.mark.parametrize(
    ("every_minutes", "expected"),
    [
        (1, [(1, 10), (5, 20), (60, 30)]),
        (5, [(5, 20), (60, 30)]),
        (15, [(15, 20), (60, 30)]),
        (2, [(2, 10), (60, 30)]),  # five is no multiple of two
        (60, [(60, 30)]),
        (1440, [(1440, 30)]),
        (0.5, [(0.5, 10), (1, 10), (5, 20), (60, 30)]),  # finer than any that is named: as long as the finest
    ],
)
def test_the_grains_a_bucket_goes_through(every_minutes: float, expected: list[tuple[float, int]]) -> None:
    found = tiers(int(every_minutes * MINUTE_US), MINUTES)
    assert [(grain / MINUTE_US, kept) for grain, kept in found] == expected
