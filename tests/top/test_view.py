"""The table as text, on the narrowest terminal it is made for."""

import io
from collections.abc import Sequence

from rich.console import Console

from livekpi.top.board import Board, Line, Point, parse_time_us
from livekpi.top.view import render

S = 1_000_000
T = parse_time_us("2026-01-01T10:05:00Z")
NOW_US = T + 4 * S


def line(name: str, title: str, unit: str | None, good: str | None, values: Sequence[object]) -> Line:
    """A line whose last value is the open bucket's; all but the last two are final."""
    made = Line(name, title, unit, good, 10 * S)
    for back, value in enumerate(reversed(values)):
        if value is not None:
            made.points[T - back * 10 * S] = Point(value, final=back >= 2)
    made.changed_us = NOW_US - 2 * S
    return made


def board(trouble: str | None = None) -> Board:
    wave = [1000 + 150 * (bucket % 7) for bucket in range(28)]
    lines = [
        line("revenue", "Revenue", "EUR", "up", [*wave, 1120.5, 640]),
        line("error_rate", "Error rate", "ratio", "down", [0.002] * 28 + [0.0052, 0.004]),
        line("latency_p95", "Latency p95", "ms", "down", [*([None] * 20), 180, 182, None, 185, 190, 188, 187, 186, 1250.0, 500]),
        line("orders", "orders", None, None, [12, 15, 15, 3]),
        line("stock", "A title that is longer than its column", None, "up", []),
        line("closed", "Open or closed", None, None, ["closed", "open", "open"]),
    ]
    return Board("127.0.0.1:8321", {each.name: each for each in lines}, trouble)


def draw(picture: Board, width: int, *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None, legacy_windows=False)
    console.print(render(picture, NOW_US, width))
    return "\n".join(text.rstrip() for text in out.getvalue().splitlines())


EXPECTED = """\
livekpi 127.0.0.1:8321  10:05:04 UTC  live

KPI                     value    change last 30 buckets                fresh
Revenue          1,120.50 EUR ~  ▼ 41 % ▃▄▅▆▇██▃▄▅▆▇██▃▄▅▆▇██▃▄▅▆▇██▄▁   2 s
Error rate             0.52 % ~ ▲ 160 % ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▆   2 s
Latency p95            1.25 s ~ ▲ 572 %                     ▁▁ ▁▁▁▁▁█▃   2 s
orders                     15 ~   = 0 %                           ▇██▁   2 s
A title that is…     no point
Open or closed           open ~       –                                  2 s

✓ final   ~ provisional: events may still come   last bar: the open bucket
"""


def test_it_fits_eighty_columns() -> None:
    assert draw(board(), 80) == EXPECTED.rstrip("\n")
    assert max(map(len, EXPECTED.splitlines())) <= 80


def test_a_change_in_the_good_direction_is_green_and_in_the_other_red() -> None:
    lines = {text.split()[0]: text for text in draw(board(), 80, colour=True).splitlines() if text.strip()}
    green, red = "\x1b[32m", "\x1b[31m"
    assert red in lines["Revenue"]
    assert red in lines["Error"]
    assert green not in lines["orders"]
    assert red not in lines["orders"]


def test_it_says_when_it_is_not_connected() -> None:
    assert "not connected: the server has closed the stream" in draw(board("the server has closed the stream"), 120)
