"""Where there are no slices, the steps that count 0 are those that the table of series would say."""

import random

import duckdb
import pytest

from livekpi.engine.plan import make_plan
from livekpi.query import leaves
from livekpi.query.leaves import Slice
from livekpi.query.steps import Steps
from livekpi.store.layout import quote, series
from tests.rehearsed import definition

(GROUPING,) = make_plan(definition("", {"events": "value: count(*)"})).all()


def asked(connection: duckdb.DuckDBPyConnection, sql: str, steps: Steps) -> list[tuple[object, ...]]:
    spans = ", ".join(f"({index}, make_timestamp({start}), make_timestamp({end}))" for index, start, end in steps.numbered())
    return connection.execute(f"WITH {leaves.STEPS}(i, start, hi) AS (VALUES {spans}) {sql} ORDER BY i").fetchall()


@pytest.mark.parametrize("seed", range(30))
def test_the_grid_of_the_whole_is_what_the_table_of_series_says(seed: int) -> None:
    chance = random.Random(seed)
    bounds = sorted(chance.sample(range(40), 12))
    steps = Steps(tuple(bounds[::2]), tuple(bounds[1::2]), None)
    first_us, since_us, last_us = (chance.randrange(40) for _ in range(3))
    cut = Slice(GROUPING, (), "true", since_us)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {quote(series(GROUPING))} AS SELECT make_timestamp({first_us}) AS first")
        expected = asked(connection, leaves.grid(cut, last_us, [0, 3], [5]), steps)
        assert asked(connection, leaves.whole_grid(cut, steps, first_us, last_us, [0, 3], [5]), steps) == expected
        assert asked(connection, leaves.whole_grid(cut, steps, None, last_us, [0, 3], [5]), steps) == []


def test_what_is_complete_only_after_the_last_event_has_no_zeros() -> None:
    """Also not in a step that is large enough to hold both."""
    steps = Steps((0, 20), (20, 40), None)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {quote(series(GROUPING))} AS SELECT make_timestamp(1) AS first")
        for since_us, expected in ((5, [(0, 0)]), (6, [])):
            cut = Slice(GROUPING, (), "true", since_us)
            assert asked(connection, leaves.grid(cut, 5, [0]), steps) == expected
            assert asked(connection, leaves.whole_grid(cut, steps, 1, 5, [0]), steps) == expected


def test_a_condition_or_a_slice_is_not_the_whole() -> None:
    assert Slice(GROUPING, (), "true", 0).whole
    assert not Slice(GROUPING, ("d0",), "true", 0).whole
    assert not Slice(GROUPING, (), "TRY(d0 = 'DE')", 0).whole
