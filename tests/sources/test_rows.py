import json

import pyarrow as pa
import pytest

from livekpi.sources.rows import RowDecoder


def number(given: pa.Array) -> pa.Array:
    return given.cast(pa.int64())


DECODER = RowDecoder({"bucket": "integer", "d0": "text"}, {"n": "text", "total": "text", "time": "integer"}, ["n"], {"n": number})


def row(**given: object) -> bytes:
    return json.dumps({"bucket": 5, "d0": "vDE", "n": "7", "total": "0.50", "time": 3} | given).encode()


def test_rows_in_columns() -> None:
    absent = json.dumps({"bucket": 6, "d0": "", "n": "8", "later": {"added": [1]}}).encode()
    found = DECODER.decode([row(), None, absent, row(total=None, time=None)])
    assert (found.faults, found.indexes) == ({}, (0, 2, 3))
    assert found.table.to_pylist() == [
        {"bucket": 5, "d0": "vDE", "n": 7, "total": "0.50", "time": 3},
        {"bucket": 6, "d0": "", "n": 8, "total": None, "time": None},
        {"bucket": 5, "d0": "vDE", "n": 7, "total": None, "time": None},
    ]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"{", "truncated"),
        (b"\xff", "malformed"),
        (b"[]", "Expected `object`"),
        (row(bucket="5"), "Expected `int`"),
        (row(bucket=2**63), "<="),
        (row(d0=None), "Expected `str`"),
        (row(n=7), "Expected `str`"),
        (row(n=None), "Expected `str`"),
        (row(n="many"), "Failed to parse"),
        (b'{"bucket": 5, "d0": "v"}', "missing required field `n`"),
    ],
)
def test_what_is_no_row_is_told_and_costs_no_neighbour(record: bytes, why: str) -> None:
    found = DECODER.decode([row(), record, row(bucket=6)])
    assert (found.table["bucket"].to_pylist(), found.indexes, list(found.faults)) == ([5, 6], (0, 2), [1])
    assert why in found.faults[1]


def test_nothing() -> None:
    found = DECODER.decode([None])
    assert (found.table.num_rows, found.table.schema.field("n").type, found.faults) == (0, pa.int64(), {})
