"""What workers make of records: rows that merge to the same whichever way the records are cut."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livekpi.definition.load import parse_definition
from livekpi.engine.plan import make_plan
from livekpi.engine.spark.rendering import OFFSET, TIME, statements
from livekpi.engine.spark.slots import assign
from livekpi.engine.spark.worker import Work
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.store.layout import cells, column
from tests.engine.large_records import LARGE, told
from tests.engine.spark.expected import BROKEN, dimension, expected, made, record
from tests.properties import shop

DAY_US = 86_400_000_000
NOON_US = 1_772_366_400_000_000
NOW_US = NOON_US + DAY_US
Row = dict[str, Any]


class Stopped:
    """A clock that stands still."""

    def now_us(self) -> int:
        return NOW_US


def work(text: str, source: str = "shop", records_at_once: int = 1_000) -> Work:
    definition = parse_definition(text.encode(), Path("x.yaml"), {})
    plan = make_plan(definition)
    slots = assign(plan.groupings[source])
    own = [each for grouping in plan.groupings[source] for each in statements(grouping, definition.sources[source].fields, slots, DAY_US)]
    fields = plan.fields(source, definition)
    return Work(definition.sources[source], fields, tuple(own), slots, DAY_US, Stopped(), records_at_once)


SHOP = json.dumps(
    {
        "sources": {"shop": {"kafka": {"brokers": "x:1", "topic": "t"}, "time": "ts", "late": "10m", "fields": shop.FIELDS}},
        "kpis": {name: said.text for name, said in shop.KPIS.items()},
    }
)


def batch(rows: Sequence[tuple[int, int, bytes | None]]) -> pa.RecordBatch:
    """Records as Spark hands them over: partition, offset and value."""
    partitions, offsets, values = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(partitions, pa.int32()), pa.array(offsets, pa.int64()), pa.array(values, pa.binary())], ["partition", "offset", "value"]
    )


def rows(own: Work, batches: Iterable[pa.RecordBatch]) -> list[Row]:
    found = pa.Table.from_batches(list(own.rows(batches)), own.schema).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def merged(found: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """The rows as Spark merges them."""
    together: dict[tuple[str, str], Row] = {}
    for row in found:
        one = together.setdefault((row["table"], row["key"]), {})
        for name, value in row.items():
            if name in ("table", "key", "expires") or name not in one:
                one[name] = value
            else:
                greatest = "max" in name or name in (OFFSET, TIME)
                one[name] = max(one[name], value) if greatest else min(one[name], value) if "min" in name else one[name] + value
    return together


def cut(records: list[tuple[int, int, bytes | None]], sizes: Iterable[int]) -> Iterator[pa.RecordBatch]:
    for size in sizes:
        if records[:size]:
            yield batch(records[:size])
        del records[:size]
    if records:
        yield batch(records)


def some() -> list[tuple[int, int, bytes | None]]:
    return [(partition, event.order[1], record(event)) for partition, event in made(120, 3, 2)]


@settings(max_examples=12)
@given(st.lists(st.integers(1, 60), max_size=6), st.integers(1, 200))
def test_the_cut_changes_nothing(sizes: list[int], records_at_once: int) -> None:
    whole = merged(rows(work(SHOP), [batch(some())]))
    assert merged(rows(work(SHOP, records_at_once=records_at_once), cut(some(), sizes))) == whole


def test_cells_are_those_of_plain_python() -> None:
    definition = parse_definition(SHOP.encode(), Path("x.yaml"), {})
    plan, own = make_plan(definition), work(SHOP)
    wanted = expected(definition, plan, shop.KPIS, [event for _, event in made(120, 3, 2)])
    found = merged(rows(own, [batch(some())]))
    for table, each in wanted.items():
        assert {tuple(json.loads(key).values()) for name, key in found if name == table} == each.keys()
    grouping = plan.groupings["shop"][0]
    places = own.slots.places[cells(grouping).name]
    for key, row in wanted[cells(grouping).name].items():
        names = ("bucket", "d0", "d1", "d2")
        text = json.dumps(dict(zip(names, key, strict=True)), ensure_ascii=False, separators=(",", ":"))
        for partial in grouping.cells:
            slot = found[cells(grouping).name, text].get(places[column(partial).name])
            value = row[column(partial).name]
            if slot is not None and isinstance(slot, str):
                slot = slot[40:] if partial.kind in ("last", "first") else slot.partition(":")[2]
                value = str(value)
            elif isinstance(value, Decimal):
                value = int(value * 100)
            assert slot == value, (partial, key)


def test_progress_is_the_most_of_each_partition() -> None:
    own = work(SHOP, records_at_once=2)
    good = [b'{"ts":"2026-03-01T12:00:0%dZ"}' % second for second in range(5)]
    found = merged(rows(own, [batch([(0, 7, good[3]), (1, 4, b"{")]), batch([(0, 8, good[1]), (0, 9, None)])]))
    progress = {json.loads(key)["partition"]: row for (table, key), row in found.items() if table == "progress_shop"}
    assert progress == {
        0: {**progress[0], "n": 3, OFFSET: 9, TIME: NOON_US + 3_000_000},
        1: {"table": "progress_shop", "key": '{"partition":1}', "n": 1, OFFSET: 4},
    }


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_record_is_the_dead_letter_it_is_everywhere(number: int) -> None:
    value, code, field = BROKEN[number]
    own = work(SHOP)
    found = rows(own, [batch([(2, 17, value), (2, 18, b'{"ts":"2026-03-01T12:00:00Z"}')])])
    (letter,) = (row for row in found if row["table"] == "dead_letters_shop")
    assert letter["key"].startswith('{"partition":2,"offset":17,')  # by which its topic's key is cut out
    assert letter["expires"] == NOON_US + DAY_US  # no later than the event beside it, and no sooner
    said = json.loads(letter["key"])
    (dead,) = Decoder(own.source).decode([Chunk("2", [value], [17], 18)], NOW_US).dead
    assert (said["code"], said["field"], said["reason"]) == (code, field, dead.reason)
    assert {name: said[name] for name in ("partition", "offset")} == {"partition": 2, "offset": 17}
    if said["record"] is None:
        assert b"\xff" in (value or b"")
    else:
        assert said["record"].encode() == (value or b"")
    assert {row["n"] for row in found if row["table"].startswith("cells")} == {1}


@pytest.mark.parametrize("number", range(len(LARGE)))
def test_a_large_broken_record_is_cut_to_what_a_producer_sends(number: int) -> None:
    record_, kept = LARGE[number]
    own = work(SHOP)
    (letter,) = (row for row in rows(own, [batch([(0, 7, record_)])]) if row["table"] == "dead_letters_shop")
    said = json.loads(letter["key"])
    (dead,) = Decoder(own.source).decode([Chunk("0", [record_], [7], 8)], NOW_US).dead
    found = base64.b64decode(said["record_base64"]) if said["record"] is None else said["record"].encode()
    assert (found, said["reason"]) == (record_[:kept], dead.reason + told(record_, kept))
    assert len(letter["key"].encode()) < 910_000


def test_dimensions_tell_null_from_text() -> None:
    text = """
sources: { shop: { kafka: { brokers: "x:1", topic: t }, time: ts, fields: { ts: timestamp, a: optional string, b: optional boolean } } }
kpis: { k: { value: count(*), every: 1h, by: [a, b] } }
"""
    values: list[tuple[str | None, bool | None]] = [(None, None), ("", True), ("n", False), ('é\u0001"\\', None), ("\u0000", None)]
    records = [(0, number, json.dumps({"ts": "2026-03-01T12:00:00Z", "a": a, "b": b}).encode()) for number, (a, b) in enumerate(values)]
    keys = {tuple(json.loads(key).values()) for table, key in merged(rows(work(text), [batch(records)])) if table.startswith("cells")}
    assert keys == {(NOON_US, dimension(a), dimension(b)) for a, b in values}


@settings(max_examples=25)
@given(
    st.lists(st.one_of(st.decimals(-9999999, 9999999, places=2), st.sampled_from([Decimal(0), Decimal("-0.01")])), min_size=1, max_size=20)
)
def test_the_least_text_is_that_of_the_least_value(values: list[Decimal]) -> None:
    text = """
sources: { shop: { kafka: { brokers: "x:1", topic: t }, time: ts, fields: { ts: timestamp, a: "decimal(9, 2)" } } }
kpis: { least: { value: min(a), every: 1h }, most: { value: max(a * 2), every: 1h }, small: { value: "min(cast(a as double))", every: 1h } }
"""
    records = [(0, number, b'{"ts":"2026-03-01T12:00:00Z","a":%s}' % str(value).encode()) for number, value in enumerate(values)]
    own = work(text, records_at_once=3)
    (row,) = (row for (table, _), row in merged(rows(own, [batch([each]) for each in records])).items() if table.startswith("cells"))
    ends = [Decimal(row[slot].partition(":")[2]) for slot in ("min_text_0", "max_text_0", "min_text_1")]
    assert ends == [min(values), 2 * max(values), min(values)]


def test_texts_with_zones_are_times_in_utc_whatever_the_workers_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    text = """
sources: { shop: { kafka: { brokers: "x:1", topic: t }, time: ts, fields: { ts: timestamp, a: string } } }
kpis: { k: { value: max(cast(a as timestamp)), every: 1h }, h: { value: max(extract(hour from cast(a as timestamp))), every: 1h } }
"""
    records = [(0, 1, b'{"ts":"2026-03-01T12:00:00Z","a":"2026-03-01T01:00:00+02:00"}')]
    (row,) = (row for row in rows(work(text), [batch(records)]) if row["table"].startswith("cells"))
    assert [row[slot].partition(":")[2] for slot in ("max_text_0", "max_text_1")] == [str(NOON_US - 13 * 3_600_000_000), "23"]
