from datetime import UTC, datetime

from livekpi.definition.shape.values import moment


def test_a_moment_takes_its_zone_from_the_text_before_the_target() -> None:
    assert moment("2026-07-01", "Europe/Berlin") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert moment("2026-07-01T00:00Z", "Europe/Berlin") == datetime(2026, 7, 1, tzinfo=UTC)
