"""Values that are held are those that a question would find now."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from livekpi.alerts.judging import held as held_module
from livekpi.alerts.judging.held import Held
from livekpi.alerts.judging.values import Panel, Want
from livekpi.moments import time_text
from livekpi.query.query import Query
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, definition, rehearsed, send

KPIS = {
    "hits": "value: count(*), by: [shop]",
    "level": "value: last(n), by: [shop]",
    "double": "value: 2 * last(n), by: [shop]",
}


def made() -> Any:
    return definition("shop: string, n: optional integer", KPIS, source="late: 20m,")


class Counting(Query):
    """Keeps which KPIs were asked, and for how many buckets."""

    counted: list[tuple[list[str], int]]

    def columns_together(self, kpis: Any, steps: Any, by: Any = (), *, carry: bool = True, zeros: bool = False) -> Any:
        if kpis:
            self.counted.append((sorted(kpi.name for kpi in kpis), len(steps)))
        return super().columns_together(kpis, steps, by, carry=carry, zeros=zeros)


def read(server: Rehearsal, held: Held, kpis: Sequence[str], minutes: Sequence[int]) -> tuple[list[dict[str, list[Any]]], list[Any]]:
    """The values by series, and what was asked."""
    with server.cursor() as cursor:
        query = Counting(cursor, server.definition, server.engine.plan, server.clock.now_us())
        query.counted = []
        starts_us = np.array([NOON_US + minute * MINUTE_US for minute in minutes], dtype=np.int64)
        wants = [Want(server.definition.kpis[name], starts_us) for name in kpis]
        panel = held.over(query).read(("shop",), MINUTE_US, wants, [])
        return [_by_series(panel, array, len(minutes)) for array in panel.arrays], query.counted


def _by_series(panel: Panel, array: pa.Array, count: int) -> dict[str, list[Any]]:
    values = array.to_pylist()
    return {text: values[number * count : (number + 1) * count] for number, text in enumerate(panel.codes.texts)}


def hit(server: Rehearsal, minute: float, **event: Any) -> None:
    server.clock.set_us(max(server.clock.now_us(), NOON_US + int(minute * MINUTE_US)))
    send(server, {"ts": time_text(NOON_US + int(minute * MINUTE_US)), "n": 1, **event})


def touched(server: Rehearsal, minute: int) -> Mapping[str, int]:
    return {grouping.key: NOON_US + minute * MINUTE_US for grouping in server.engine.plan.all()}


def test_what_is_held_is_not_asked_again(tmp_path: Path) -> None:
    with rehearsed(tmp_path, made()) as server:
        for minute in (0, 1, 2):
            hit(server, minute, shop="a", n=minute)
        held = Held()
        first, asked = read(server, held, ["hits", "level"], [0, 1, 2])
        assert first == [{'["a"]': [1, 1, 1]}, {'["a"]': [0, 1, 2]}]
        assert sorted(asked) == [(["hits"], 3), (["level"], 3)]
        assert read(server, held, ["hits", "level"], [1, 2]) == ([{'["a"]': [1, 1]}, {'["a"]': [1, 2]}], [])


def test_what_a_commit_changed_is_asked_again_in_one_statement(tmp_path: Path) -> None:
    with rehearsed(tmp_path, made()) as server:
        for minute in (0, 1):
            hit(server, minute, shop="a", n=minute)
        held = Held()
        read(server, held, ["hits", "level"], [0, 1])
        hit(server, 1.5, shop="b", n=9)
        held.touched(touched(server, 1))
        found, asked = read(server, held, ["hits", "level"], [0, 1])
        assert found == [{'["a"]': [1, 1], '["b"]': [None, 1]}, {'["a"]': [0, 1], '["b"]': [None, 9]}]
        assert asked == [(["hits", "level"], 1)]


@pytest.mark.parametrize("kpi", ["level", "double"])
def test_a_level_is_carried_on_up_to_its_sources_last_event(tmp_path: Path, kpi: str) -> None:
    times = 2 if kpi == "double" else 1
    with rehearsed(tmp_path, made()) as server:
        hit(server, 0, shop="a", n=7)
        held = Held()
        read(server, held, [kpi], [0])
        hit(server, 3, shop="b", n=1)
        held.touched(touched(server, 3))
        (found,), _ = read(server, held, [kpi], [1, 2, 3, 4])
        assert found == {'["a"]': [7 * times] * 3 + [None], '["b"]': [None, None, times, None]}
        assert found == read(server, Held(), [kpi], [1, 2, 3, 4])[0][0]


def test_after_forgetting_all_is_asked(tmp_path: Path) -> None:
    with rehearsed(tmp_path, made()) as server:
        hit(server, 0, shop="a")
        held = Held()
        read(server, held, ["hits"], [0])
        held.forget()
        assert read(server, held, ["hits"], [0])[1] == [(["hits"], 1)]


def test_no_more_is_held_than_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_module, "CELLS", 2)
    with rehearsed(tmp_path, made()) as server:
        for minute in (0, 1, 2):
            hit(server, minute, shop="a")
        held = Held()
        read(server, held, ["hits"], [0])
        read(server, held, ["hits"], [1])
        read(server, held, ["hits"], [2])
        assert read(server, held, ["hits"], [1, 2])[1] == []
        assert read(server, held, ["hits"], [0])[1] == [(["hits"], 1)]


def test_where_it_looks_back_the_next_buckets_are_read_too(tmp_path: Path) -> None:
    with rehearsed(tmp_path, made()) as server:
        for minute in range(8):
            hit(server, minute, shop="a")
        held = Held()
        assert read(server, held, ["hits"], [0, 5])[1] == [(["hits"], 5), (["hits"], 1)]
        assert read(server, held, ["hits"], [1, 6]) == ([{'["a"]': [1, 1]}], [(["hits"], 1)])


def test_what_was_wanted_last_is_held_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_module, "CELLS", 4)
    with rehearsed(tmp_path, made()) as server:
        for minute in range(8):
            hit(server, minute, shop="a")
        held = Held()
        read(server, held, ["hits"], [0, 5])
        assert read(server, held, ["hits"], [0, 5])[1] == []
        assert read(server, held, ["hits"], [1])[1] == [(["hits"], 1)]
