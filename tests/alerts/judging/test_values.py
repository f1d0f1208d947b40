"""Series by their numbers, and rows put in their places."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from livekpi.alerts.judging.values import Codes, index_of, one, taken
from livekpi.alerts.series import series_text

_TEXTS = st.sampled_from([None, "", "a", "b", "None"])


def table(rows: list[tuple[str | None, ...]], by: tuple[str, ...]) -> pa.Table:
    columns = {f"g{place}": pa.array([row[place] for row in rows], pa.string()) for place in range(len(by))}
    return pa.table({"i": pa.array(range(len(rows)), pa.int64()), **columns})


@given(st.lists(st.lists(st.tuples(_TEXTS, _TEXTS), max_size=6), max_size=3))
def test_a_series_has_one_number_for_ever(tables: list[list[tuple[str | None, ...]]]) -> None:
    codes = Codes(("x", "y"))
    numbers: dict[tuple[str | None, ...], int] = {}
    for rows in tables:
        for row, number in zip(rows, codes.of(table(rows, codes.by)).tolist(), strict=True):
            assert numbers.setdefault(row, number) == number
            assert codes.texts[number] == series_text(row)
    assert sorted(numbers.values()) == list(range(len(codes)))


def test_without_dimensions_there_is_one_series() -> None:
    codes = Codes(())
    assert codes.texts == ["[]"]
    assert codes.of(table([(), ()], ())).tolist() == [0, 0]


def test_what_has_no_row_is_null() -> None:
    index = index_of(np.array([1, 0]), np.array([0, 2]), 2, 3)
    assert taken(pa.array([5, 7]), index).to_pylist() == [None, None, 7, 5, None, None]


def test_a_column_of_no_chunks_is_an_empty_array() -> None:
    assert one(pa.chunked_array([], pa.int64())).to_pylist() == []
