import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.moments import time_text
from livekpi.query.live import Told
from livekpi.query.points import Point, Points
from livekpi.web.stream import viewer as viewer_module
from livekpi.web.stream.viewer import QUEUED_MESSAGES, STILL_HERE, Message, Notice, Rows, Viewer

AT_US = 1_772_366_400_000_000
SECOND_US = 1_000_000


def rows(kpi: str, value: int, buckets: Sequence[int], untold: str | None = None) -> Rows:
    return Rows.of(Told(Points(kpi, None, (), [Point(AT_US + bucket * SECOND_US, value, False) for bucket in buckets]), untold))


def message(commit: int, buckets: Sequence[int]) -> Message:
    """A message whose points' values are the commit's number."""
    return Message(commit, AT_US, {0: rows("users", commit, buckets)})


def point(bucket: int, value: int, kpi: str = "users") -> dict[str, object]:
    return {"kpi": kpi, "time": time_text(AT_US + bucket * SECOND_US), "value": value, "final": False}


def data(encoded: bytes | None) -> dict[str, object]:
    assert encoded is not None
    event, identity, line, *end = encoded.decode().split("\n")
    assert (event, end) == ("event: points", ["", ""])
    found = json.loads(line.removeprefix("data: "))
    assert identity == f"id: {found['commit']}"
    return dict(found)


async def drain(viewer: Viewer) -> list[dict[str, object]]:
    found = []
    while (piece := await viewer.next(0)) not in (STILL_HERE, None):
        found.append(data(piece))
    return found


def test_messages_come_in_order_each_as_it_was() -> None:
    viewer = Viewer()
    for commit in range(QUEUED_MESSAGES):
        viewer.put(message(commit, [1]))
    found = asyncio.run(drain(viewer))
    assert [each["commit"] for each in found] == list(range(QUEUED_MESSAGES))
    assert found[0] == {"commit": 0, "at": "2026-03-01T12:00:00Z", "points": [point(1, 0)]}
    assert viewer.merged_messages == 0


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), max_size=30), st.integers(0, 12))
def test_however_slow_the_newest_of_each_point_comes_last(commits: list[list[int]], reads_after: int) -> None:
    async def watch() -> list[dict[str, object]]:
        viewer = Viewer()
        found: list[dict[str, object]] = []
        for number, buckets in enumerate(commits, 1):
            viewer.put(message(number, buckets))
            if number == reads_after:
                found += await drain(viewer)
        return found + await drain(viewer)

    found = asyncio.run(watch())
    numbers = [each["commit"] for each in found]
    assert numbers == sorted(numbers)  # type: ignore[type-var]
    shown = {point["time"]: point["value"] for each in found for point in each["points"]}  # type: ignore[attr-defined]
    newest = {bucket: number for number, buckets in enumerate(commits, 1) for bucket in buckets}
    assert shown == {time_text(AT_US + bucket * SECOND_US): number for bucket, number in newest.items()}
    assert len(found) <= 2 * QUEUED_MESSAGES


def test_wants_are_numbered_where_they_were_given_so() -> None:
    parts = {0: rows("users", 1, [1, 2]), 2: rows("visits", 5, [3]), 3: rows("visits", 5, [], "too many")}
    assert data(Message(7, AT_US, parts, numbered=True).encoded) == {
        "commit": 7,
        "at": "2026-03-01T12:00:00Z",
        "points": [{"want": 0, **point(1, 1)}, {"want": 0, **point(2, 1)}, {"want": 2, **point(3, 5, "visits")}],
        "incomplete": [3],
    }
    short = data(Message(7, AT_US, parts).encoded)
    assert (short["points"], short["incomplete"]) == ([point(1, 1), point(2, 1), point(3, 5, "visits")], ["visits"])


def test_what_is_merged_keeps_to_its_want_and_stays_incomplete() -> None:
    async def watch() -> list[dict[str, object]]:
        viewer = Viewer()
        for number in range(QUEUED_MESSAGES + 2):
            cut = "too many" if number == 3 else None
            parts = {0: rows("users", number, [1]), number % 2 + 1: rows("users", number, [1], cut)}
            viewer.put(Message(number, AT_US, parts, numbered=True))
        return await drain(viewer)

    (merged,) = asyncio.run(watch())
    last = QUEUED_MESSAGES + 1
    values = {row["want"]: row["value"] for row in merged["points"]}  # type: ignore[attr-defined]
    assert values == {0: last, 1: last - last % 2, 2: last - 1 + last % 2}
    assert (merged["commit"], merged["incomplete"]) == (last, [2])


def test_an_event_waits_once_and_comes_before_the_points() -> None:
    async def watch() -> list[bytes | None]:
        viewer = Viewer()
        viewer.put(message(1, [1]))
        for number in range(3):
            viewer.tell([Notice("note", {"n": number}), Notice("state", {"n": number}, "a"), Notice("other", {"n": number}, "a")])
        return [await viewer.next(0) for _ in range(6)]

    *found, points = asyncio.run(watch())
    told = [b'event: %b\ndata: {"n":%d}\n\n' % each for each in ((b"note", 0), (b"note", 1), (b"note", 2), (b"state", 2), (b"other", 2))]
    assert found == told
    assert data(points)["commit"] == 1


def test_one_that_is_far_behind_with_events_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer_module, "MAX_NOTICES", 2)
    viewer = Viewer()
    viewer.tell([Notice("note", number) for number in range(3)])
    assert viewer.overrun
    assert asyncio.run(viewer.next(1)) is None


def test_one_that_is_far_too_slow_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer_module, "MAX_MERGED_POINTS", 100)
    viewer = Viewer()
    for commit in range(120):
        viewer.put(message(commit, [commit]))
    assert viewer.overrun
    assert asyncio.run(viewer.next(1)) is None


def test_a_silent_stream_gives_signs_of_life() -> None:
    assert asyncio.run(Viewer().next(0.001)) == STILL_HERE


def test_closing_wakes_who_waits() -> None:
    async def wait_and_close() -> bytes | None:
        viewer = Viewer()
        waiting = asyncio.create_task(viewer.next(60))
        await asyncio.sleep(0)
        viewer.close()
        return await waiting

    assert asyncio.run(wait_and_close()) is None
