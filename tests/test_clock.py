"""When what is periodic is due."""

import pytest

from livekpi.clock import due


@pytest.mark.parametrize(
    ("now_us", "since_us", "expected"),
    [(100, None, True), (100, 100, False), (109, 100, False), (110, 100, True), (99, 100, True), (0, 0, False)],
)
def test_what_is_periodic_is_due_after_its_time_and_when_the_clock_was_set_back(now_us: int, since_us: int | None, expected: bool) -> None:
    assert due(now_us, since_us, 10) is expected
