"""Up to when a source is thought to be complete."""

from livekpi.store.positions import Position, watermark_us

NOW_US, IDLE_US = 1_000_000_000, 60_000_000


def row(partition: str, latest_us: int | None, quiet_us: int = 0) -> Position:
    return Position(partition, 1, latest_us, NOW_US - quiet_us)


def test_the_slowest_partition_decides_unless_it_is_idle() -> None:
    fast, slow = row("0", NOW_US - 5), row("1", NOW_US - 900)
    assert watermark_us([fast, slow], NOW_US, IDLE_US) == NOW_US - 900
    assert watermark_us([fast, row("1", NOW_US - 900, IDLE_US + 1)], NOW_US, IDLE_US) == NOW_US - 5


def test_all_idle_waits_for_nothing_more() -> None:
    assert watermark_us([row("0", NOW_US - 900, IDLE_US + 1)], NOW_US, IDLE_US) == NOW_US
    assert watermark_us([row("0", None)], NOW_US, IDLE_US) is None


def test_a_sender_whose_clock_is_fast_completes_nothing_that_has_not_ended() -> None:
    assert watermark_us([row("0", NOW_US + 240_000_000)], NOW_US, IDLE_US) == NOW_US
