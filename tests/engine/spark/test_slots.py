"""Where partials stand: stable, and as wide as is needed."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from livekpi.definition.load import parse_definition
from livekpi.engine.plan import Grouping, make_plan
from livekpi.engine.spark.slots import Slots, SlotsError, assign, keeping
from livekpi.store.layout import cells


def groupings(*values: str, by: str = "[]") -> tuple[Grouping, ...]:
    kpis = "".join(f'  k{number}: {{ value: "{value}", every: 1m, by: {by} }}\n' for number, value in enumerate(values))
    fields = "{ ts: timestamp, a: integer, b: number, c: string, d: 'decimal(9, 2)' }"
    text = f"sources:\n  s: {{ kafka: {{ brokers: 'x:1', topic: t }}, time: ts, fields: {fields} }}\nkpis:\n{kpis}"
    return make_plan(parse_definition(text.encode(), Path("x.yaml"), {})).groupings["s"]


def places(slots: Slots) -> list[list[str]]:
    return [list(columns.values()) for columns in slots.places.values()]


def test_each_partial_has_a_slot_of_its_kind() -> None:
    slots = assign(groupings("sum(a)", "sum(b)", "min(c)", "max(a)", "last(b)", "first(c)", "count(*)", "sum(d)"))
    assert places(slots) == [
        ["sum_number_0", "sum_double_0", "min_text_0", "max_text_0", "max_text_1", "min_text_1", "sum_number_1", "sum_number_2"]
    ]


def test_tables_share_slots() -> None:
    slots = assign((*groupings("sum(a)"), *groupings("sum(a)", by="[c]")))
    assert places(slots) == [["sum_number_0"], ["sum_number_0"]]


def test_what_is_there_keeps_its_slot() -> None:
    before = assign(groupings("sum(a)", "count(*)"))
    after = assign(groupings("sum(d)", "count(*)"), before)
    (table,) = groupings("count(*)")
    (count,) = (name for name in before.places[cells(table).name] if name.startswith("count"))
    assert {slots.places[cells(table).name][count] for slots in (before, after)} == {"sum_number_1"}
    assert places(after) == [["sum_number_0", "sum_number_1", "sum_number_2"]]


def test_a_state_that_is_too_narrow_is_refused() -> None:
    before = assign(groupings("sum(a)", "sum(d)"))
    widest = groupings("sum(a)", "sum(d)", "count(*)", "count(b)")
    assert assign(widest, before).counts == before.counts
    with pytest.raises(SlotsError, match="has room for 4 of sum_number"):
        assign((*widest, *groupings("sum(a)", "sum(d)", "count(*)", "count(b)", "count(c)")), before)


def test_there_is_always_room_for_one_more() -> None:
    for count in range(1, 9):
        values = [f"count(*) filter (where a > {number})" for number in range(count)]
        before = assign(groupings(*values))
        assert assign(groupings(*values, "sum(a)"), before).counts == before.counts


def test_slots_come_back_from_json() -> None:
    slots = keeping(assign(groupings("sum(a)", "min(c)")), {"a table": 7})
    assert Slots(**json.loads(json.dumps(asdict(slots)))) == slots
    assert Slots(**json.loads(json.dumps({"places": slots.places, "counts": slots.counts}))).kept == {}  # as they were kept before


def test_what_is_there_is_kept_as_long_as_it_was() -> None:
    (table,) = (cells(grouping).name for grouping in groupings("sum(a)"))
    first = keeping(assign(groupings("sum(a)")), {table: 7})
    assert keeping(assign(groupings("sum(a)", "sum(b)"), first), {table: 8, "another": 9}).kept == {table: 7, "another": 9}
