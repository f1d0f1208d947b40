"""What the table shows: each KPI's newest points, as they come from the server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from livekpi.definition.durations import microseconds, parse_duration

BUCKETS = 30
"""How many buckets the sparkline has."""


@dataclass(frozen=True, slots=True)
class Point:
    value: object
    final: bool


@dataclass(slots=True)
class Line:
    """One KPI in the table."""

    name: str
    title: str
    unit: str | None
    good: str | None
    every_us: int
    sources: tuple[str, ...] = ()
    points: dict[int, Point] = field(default_factory=dict)
    """By the start of the bucket, in µs."""
    changed_us: int | None = None
    """When a point last changed."""

    def update(self, points: Sequence[Mapping[str, Any]], now_us: int) -> None:
        """Takes points of the API, newer in place of older ones; forgets those that no table shows any more."""
        first_look = not self.points
        for point in points:
            time_us, new = parse_time_us(point["time"]), Point(point["value"], point["final"])
            old = self.points.get(time_us)
            if old is None or old.value != new.value:
                # What was there before we looked changed when its bucket was open, at the latest as it ended.
                self.changed_us = min(now_us, time_us + self.every_us) if first_look else now_us
            self.points[time_us] = new
        oldest_us = max(self.points, default=0) - (BUCKETS + 1) * self.every_us
        self.points = {time_us: point for time_us, point in self.points.items() if time_us > oldest_us}

    def shown(self, now_us: int) -> int | None:
        """The bucket whose value stands in the table: the newest that is over, or else the newest; None without points.

        An open bucket's count is a part of what it will be, so it stands at the sparkline's end alone.
        """
        over = [time_us for time_us in self.points if time_us + self.every_us <= now_us]
        return max(over or self.points, default=None)

    def last_buckets(self, now_us: int) -> list[float | None]:
        """The values of the last buckets, the open one last; None where there is no point, or no number.

        Where all points are older than that, they are the last there are.
        """
        newest_us = max(self.points, default=now_us)
        silent = newest_us + BUCKETS * self.every_us <= now_us
        end_us = (newest_us if silent else now_us) // self.every_us * self.every_us
        starts = range(end_us - (BUCKETS - 1) * self.every_us, end_us + 1, self.every_us)
        return [number(self.points[start].value) if start in self.points else None for start in starts]


@dataclass(slots=True)
class Board:
    """Everything the table shows."""

    address: str
    lines: Mapping[str, Line]
    trouble: str | None = None
    """Why nothing comes in just now; None while the stream is open."""

    def update(self, points: Sequence[Mapping[str, Any]], now_us: int) -> None:
        """Takes points of several KPIs; those of a KPI that is not shown are not kept."""
        for name, line in self.lines.items():
            line.update([point for point in points if point["kpi"] == name], now_us)


def make_line(kpi: Mapping[str, Any]) -> Line:
    """A line without points, from what the API says of a KPI."""
    every_us = microseconds(parse_duration(kpi["every"]))
    return Line(kpi["kpi"], kpi["title"], kpi["unit"], kpi["good"], every_us, tuple(kpi["sources"]))


def parse_time_us(text: str) -> int:
    """A time of the API, in µs since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def number(value: object) -> float | None:
    """A value as a number that can be drawn and compared; None where it is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
