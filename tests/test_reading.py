"""Numbers as people read them."""

from decimal import Decimal

import pytest

from livekpi.reading import format_value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, None, "0"),
        (1234, None, "1,234"),
        (12.345, None, "12.3"),
        (1.5, None, "1.50"),
        (0.00042, None, "0.00042"),
        (-7, None, "-7"),
        (12_345_678, None, "12.35 M"),
        (3.2e9, None, "3.20 G"),
        (5.1e13, None, "51.00 T"),
        (0.0052, "ratio", "0.52 %"),
        (1, "ratio", "100 %"),
        (182.4, "ms", "182 ms"),
        (1250, "ms", "1.25 s"),
        (512, "bytes", "512 B"),
        (3_565_158, "bytes", "3.40 MiB"),
        (1234.5, "EUR", "1,234.50 EUR"),
        (2_500_000, "EUR", "2.50 M EUR"),
        (3, "orders", "3 orders"),
        (Decimal("1234.50"), "EUR", "1,234.50 EUR"),
        (True, None, "True"),
        ("2026-01-01T00:00:00Z", None, "2026-01-01T00:00:00Z"),
    ],
)
def test_a_value_with_its_unit(value: object, unit: str | None, text: str) -> None:
    assert format_value(value, unit) == text
