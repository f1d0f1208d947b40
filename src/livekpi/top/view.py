"""The table itself: from a board to something rich can draw. Pure."""

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from livekpi.reading import format_value
from livekpi.top.board import BUCKETS, Board, Line, number
from livekpi.top.values import format_age, format_change, sparkline

FINAL, PROVISIONAL = "✓", "~"
_LEGEND = f"{FINAL} final   {PROVISIONAL} provisional: events may still come   last bar: the open bucket"
_OTHER_COLUMNS = 50
_FEWEST_BARS = 8


def render(board: Board, now_us: int, width: int, note: str = "") -> RenderableType:
    """The whole picture at a time; on a narrow terminal the sparkline gives way first."""
    bars = min(BUCKETS, max(_FEWEST_BARS, width - _OTHER_COLUMNS))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("KPI", max_width=16, no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("change", justify="right", no_wrap=True)
    table.add_column(f"last {bars} buckets", width=bars, no_wrap=True, style="cyan")
    table.add_column("fresh", justify="right", no_wrap=True)
    for line in board.lines.values():
        table.add_row(*_cells(line, now_us, bars))
    notes = [Text(note)] if note else []
    return Group(_head(board, now_us), Text(), table, Text(), Text(_LEGEND, style="dim"), *notes)


def _head(board: Board, now_us: int) -> Text:
    clock = datetime.fromtimestamp(now_us / 1e6, UTC).strftime("%H:%M:%S UTC")
    state = Text(f"not connected: {board.trouble}", style="bold red") if board.trouble else Text("live", style="green")
    return Text.assemble(("livekpi ", "bold"), board.address, "  ", clock, "  ", state)


def _cells(line: Line, now_us: int, bars: int) -> tuple[RenderableType, ...]:
    shown = line.shown(now_us)
    if shown is None:
        return Text(line.title), Text("no point", style="dim"), "", "", "", ""
    point = line.points[shown]
    mark = FINAL if point.final else PROVISIONAL
    age = "" if line.changed_us is None else format_age((now_us - line.changed_us) / 1e6)
    return (
        Text(line.title),
        Text(format_value(point.value, line.unit)),
        Text(mark, style="dim"),
        _change(line, shown),
        sparkline(line.last_buckets(now_us)[-bars:]),
        age,
    )


def _change(line: Line, shown: int) -> Text:
    """Against the bucket before; green where it went in the good direction, red in the other."""
    before = line.points.get(shown - line.every_us)
    was, now = number(before.value) if before else None, number(line.points[shown].value)
    if was is None or now is None:
        return Text("–", style="dim")
    if line.good is None or now == was:
        return Text(format_change(was, now))
    return Text(format_change(was, now), style="green" if (now > was) == (line.good == "up") else "red")
