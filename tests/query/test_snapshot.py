"""The facts of a store are the same whether they are read one by one or many at once."""

from pathlib import Path

import pytest

from livekpi.query import snapshot
from livekpi.query.snapshot import Snapshot
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, at, definition, rehearsed, send

KPIS = {f"kpi{minutes}": f"value: count(*), every: {minutes}m" for minutes in (1, 5, 10)} | {"by_c": "value: count(*), by: [c]"}
MADE = definition("c: optional string", KPIS, source="late: 30s,")


def facts(server: Rehearsal, *, at_once: bool) -> dict[tuple[int, tuple[str, ...]], tuple[int | None, bool]]:
    """Of each grouping, named by bucket and dimensions: its first bucket, and whether any was corrected."""
    groupings = list(server.engine.plan.all())
    with server.cursor() as cursor:
        known = Snapshot(cursor, server.definition)
        if at_once:
            known.look(groupings)
        return {(each.every_us // MINUTE_US, each.by): (known.first_us(each), known.corrected(each)) for each in groupings}


@pytest.mark.parametrize("each", [1, 3, 32])
def test_what_is_read_at_once_is_what_is_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each: int) -> None:
    monkeypatch.setattr(snapshot, "_AT_ONCE", each)
    with rehearsed(tmp_path, MADE, NOON_US) as server:
        names = [(1, ()), (5, ()), (10, ()), (1, ("c",))]
        assert facts(server, at_once=True) == facts(server, at_once=False) == dict.fromkeys(names, (None, False))
        send(server, {"ts": "2026-03-01T11:33:10Z", "c": "DE"}, {"ts": "2026-03-01T11:38:00Z", "c": None})
        send(server, {"ts": "2026-03-01T11:34:10Z", "c": "FR"})  # of what had been final, but for the ten minutes
        found = facts(server, at_once=True)
        assert found == facts(server, at_once=False)
        assert found == {
            (1, ()): (at("11:33:00"), True),
            (5, ()): (at("11:30:00"), True),
            (10, ()): (at("11:30:00"), False),
            (1, ("c",)): (at("11:33:00"), True),
        }
