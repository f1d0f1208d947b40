import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.web import viewer as viewer_module
from livekpi.web.viewer import QUEUED_MESSAGES, STILL_HERE, Message, Viewer

AT_US = 1_772_366_400_000_000


def message(commit: int, buckets: Sequence[int]) -> Message:
    """A message whose points' values are the commit's number."""
    return Message(commit, AT_US, {("users", bucket, ()): {"kpi": "users", "time": bucket, "value": commit} for bucket in buckets})


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
    assert found[0] == {"commit": 0, "at": "2026-03-01T12:00:00Z", "points": [{"kpi": "users", "time": 1, "value": 0}]}
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
    assert shown == {bucket: number for number, buckets in enumerate(commits, 1) for bucket in buckets}
    assert len(found) <= 2 * QUEUED_MESSAGES


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
