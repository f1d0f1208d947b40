"""An event whose id has been seen is dropped, in its batch or any later one, through restarts, for as long as ids are remembered."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livekpi.clock import ManualClock
from livekpi.definition.load import parse_definition
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import HOUR_US, MINUTE_US, NOON_US, definition, rehearsed, send, values

KPIS = {"total": "value: sum(n), every: 1h"}
SOURCE = "id: id, remember: 2h,"


def total(server: Rehearsal) -> int:
    return int(sum(values(server, "total").values()))


@pytest.mark.parametrize("kind", ["optional string", "optional integer"])
def test_the_first_counts(tmp_path: Path, kind: str) -> None:
    first, second = ("a", "A") if kind == "optional string" else (1, 11)
    with rehearsed(tmp_path, definition(f"id: {kind}, n: integer", KPIS, source=SOURCE)) as server:
        send(server, {"id": first, "n": 1}, {"id": second, "n": 10}, {"id": first, "n": 100})
        send(server, {"id": first, "n": 1000}, {"id": None, "n": 10000}, {"n": 10000}, partition=1)
        assert total(server) == 20011


def test_ids_of_two_sources_are_apart(tmp_path: Path) -> None:
    made = definition("id: string, n: integer", {"total": "value: sum(n), source: s"}, source=SOURCE)
    text = made.text.replace(
        "sources:\n", "sources:\n  t: { http: {}, time: ts, id: id, fields: { ts: timestamp, id: string, m: integer } }\n"
    )
    text += "\n  other: { value: sum(m), every: 1m }"
    with rehearsed(tmp_path, parse_definition(text.encode(), Path("x"), {})) as server:
        send(server, {"id": "a", "n": 1})
        send(server, {"id": "a", "m": 2}, source="t")
        assert (values(server, "total"), values(server, "other")) == ({"12:00:00": 1}, {"12:00:00": 2})


def test_a_repeat_of_what_was_dead_is_none(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("id: string, n: integer", KPIS, source=SOURCE)) as server:
        send(server, {"id": "a", "n": "x"})
        send(server, {"id": "a", "n": 1})
        assert total(server) == 1


def test_ids_are_remembered_for_as_long_as_is_said_and_not_much_longer(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("id: string, n: integer", KPIS, source=SOURCE)) as server:
        send(server, {"id": "a", "n": 1})
        server.advance(NOON_US + 2 * HOUR_US - MINUTE_US)
        server.restart()
        send(server, {"id": "a", "n": 10})
        assert total(server) == 1
        server.advance(NOON_US + 2 * HOUR_US + MINUTE_US)
        with server.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM ids_s").fetchone() == (0,)
        send(server, {"id": "a", "n": 100})
        assert total(server) == 101


def id_tables(server: Rehearsal) -> list[str]:
    with server.cursor() as cursor:
        return [name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'ids%'").fetchall()]


@pytest.mark.parametrize(("old", "new"), [(SOURCE, ""), ("  s: {", "  r: {")])
def test_ids_that_nothing_asks_for_any_more_are_dropped(tmp_path: Path, old: str, new: str) -> None:
    """Of a source that has no id any more, or is gone."""
    made = definition("id: string, n: integer", KPIS, source=SOURCE)
    with rehearsed(tmp_path, made) as server:
        send(server, {"id": "a", "n": 1})
        assert id_tables(server) == ["ids_s"]
        server.restart()
        assert id_tables(server) == ["ids_s"]
        text = made.text.replace(old, new)
        assert text != made.text
        server.redefine(parse_definition(text.encode(), Path("made.yaml"), {}))
        assert "ids_s" not in id_tables(server)
        server.redefine(made)
        send(server, {"id": "a", "n": 10})
        assert id_tables(server) == ["ids_s"]


@settings(max_examples=15)
@given(
    batches=st.lists(st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=5), max_size=5),
    accidents=st.lists(st.booleans(), max_size=5),
)
def test_each_id_counts_once_through_any_accident(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str | None]], accidents: list[bool]
) -> None:
    made = definition("id: optional string, n: integer", KPIS, source=SOURCE)
    server = Rehearsal(tmp_path_factory.mktemp("data"), ManualClock(NOON_US), made)
    try:
        for number, batch in enumerate(batches):
            sending = partial(send, server, *({"id": name, "n": 1} for name in batch))
            if accidents[number : number + 1] == [True]:
                server.kill_in(sending)
            else:
                sending()
        names = [name for batch in batches for name in batch]
        assert total(server) == names.count(None) + len({name for name in names if name is not None})
    finally:
        server.close()
