"""Records so large that a dead letter may not have all of them, and how many of their bytes it keeps, on whichever cluster."""

LARGE: tuple[tuple[bytes, int], ...] = (
    (b"\xff" * 675_000, 675_000),
    (b"\xff" * 790_000, 675_000),
    (b'"' * 450_000, 450_000),
    (b'"' * 700_000, 450_000),
    (b"\x01" * 200_000, 150_000),
    (b"x" + b"\n" * 500_000, 450_000),
    (b"x" * 900_000, 900_000),
    (b"\x7f" * 1_000_000, 900_000),
    (("é" * 500_000).encode(), 900_000),
    (("x" + "é" * 500_000).encode(), 899_999),
    (("x" + "€" * 340_000).encode(), 899_998),
    (("😀" * 75_000).encode(), 300_000),
    (("x" + "😀" * 100_000).encode(), 299_997),
)


def told(record: bytes, kept: int) -> str:
    """What the reason ends with: how much of the record is there, where that is not all."""
    return "" if kept == len(record) else f"; of its {len(record)} bytes only the first {kept} are kept"
