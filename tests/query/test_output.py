"""Points as text: what is null, empty, true or hostile can be told apart, and nothing is taken for a command."""

import csv
import io
from decimal import Decimal

import pytest
from rich.console import Console

from livekpi.query.output import csv_text, table
from livekpi.query.points import Dimension, Point, Points

T = 1_772_366_400_000_000


def points(*dimensions: Dimension) -> Points:
    return Points("paid", "[EUR]", ("shop",), [Point(T, Decimal("1234.50"), True, (value,), None) for value in dimensions], False, ())


@pytest.mark.parametrize(
    ("dimension", "cell"),
    [(None, ""), ("", '""'), (True, "true"), (False, "false"), (7, "7"), ('a "b"', '"a ""b"""'), ("a,b", '"a,b"'), ("a\nb", '"a\nb"')],
)
def test_a_dimension_in_csv(dimension: Dimension, cell: str) -> None:
    text = csv_text(points(dimension))
    assert text == f"time,shop,value,final\n2026-03-01T12:00:00Z,{cell},1234.50,true\n"
    read = list(csv.reader(io.StringIO(text)))[1][1]
    assert read == ("" if dimension is None else str(dimension).lower() if isinstance(dimension, bool) else str(dimension))


def test_a_table_shows_text_as_it_is() -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(table(points(True, None, "[/b]", "[red]x", "a\x1b[31m"), "UTC"))
    head, *rows = out.getvalue().splitlines()
    assert head.split()[-2:] == ["paid", "([EUR])"]
    assert [row.split()[2] for row in rows] == ["true", "∅", "[/b]", "[red]x", "a"]
    assert "\x1b" not in out.getvalue()


def test_a_table_says_what_was_corrected_and_what_is_provisional() -> None:
    out = io.StringIO()
    found = [Point(T, 1, True), Point(T, 1, True, corrected_us=T), Point(T, 1, False, corrected_us=T)]
    Console(file=out, width=200).print(table(Points("n", None, (), found), "UTC"))
    assert [row.split()[2:] for row in out.getvalue().splitlines()[1:]] == [["1"], ["1", "corrected"], ["1", "provisional"]]
