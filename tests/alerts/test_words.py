"""What people say: of which alerts, from when until when, and which of several counts."""

from dataclasses import replace

import duckdb
import pytest

from livekpi.alerts import words
from livekpi.alerts.words import Word, covering
from tests.alerts.made import NOW_US, SECOND_US

WORD = Word(1, "errors", {"service": "cart"}, "ann", "a release", NOW_US, NOW_US + SECOND_US)
CART = {"service": "cart", "country": ""}


def say(cursor: duckdb.DuckDBPyConnection, until_us: int, **slices: str) -> Word:
    said = {"author": "änne", "reason": "a release", "from_us": NOW_US, "until_us": until_us}
    return words.say(cursor, "silences", rule="errors", slices=slices, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("slices", "holds"),
    [
        ({}, True),
        ({"service": "cart"}, True),
        ({"service": "cart", "country": ""}, True),
        ({"service": "search"}, False),
        ({"service": "cart", "country": "DE"}, False),
        ({"shop": ""}, False),
    ],
)
def test_a_word_is_of_the_series_with_all_of_its_dimensions(slices: dict[str, str], holds: bool) -> None:
    assert replace(WORD, slices=slices).covers("errors", CART, NOW_US) is holds


def test_a_word_is_of_its_rule_or_of_all() -> None:
    assert not WORD.covers("errors_high", CART, NOW_US)
    assert replace(WORD, rule=None).covers("errors_high", CART, NOW_US)


def test_it_holds_from_its_beginning_and_not_at_its_end() -> None:
    assert [WORD.covers("errors", CART, NOW_US + offset) for offset in (-1, 0, SECOND_US - 1, SECOND_US)] == [False, True, True, False]


def test_of_several_the_last_counts() -> None:
    said = [WORD, replace(WORD, number=2, author="bob"), replace(WORD, number=3, slices={"service": "search"})]
    assert covering(said, "errors", CART, NOW_US) == said[1]
    assert covering(iter(said[2:]), "errors", CART, NOW_US) is None


def test_what_is_said_is_what_is_read_until_it_is_over(cursor: duckdb.DuckDBPyConnection) -> None:
    first, second = say(cursor, NOW_US + 10, service="Käse"), say(cursor, NOW_US + 20)
    assert words.words(cursor, "silences") == [first, second]
    assert first.slices == {"service": "Käse"}
    assert words.words(cursor, "silences", NOW_US + 9) == [first, second]
    assert words.words(cursor, "silences", NOW_US + 10) == [second]
    assert words.words(cursor, "acknowledgements") == []


def test_an_end_is_of_one_that_holds_and_only_once(cursor: duckdb.DuckDBPyConnection) -> None:
    first, second = say(cursor, NOW_US + 10), say(cursor, NOW_US + 20)
    assert words.end(cursor, "silences", first.number, NOW_US + 5)
    assert not words.end(cursor, "silences", first.number, NOW_US + 6), "it has ended"
    assert not words.end(cursor, "silences", second.number, NOW_US + 20), "it was over by itself"
    assert not words.end(cursor, "acknowledgements", second.number, NOW_US)
    assert [word.until_us for word in words.words(cursor, "silences")] == [NOW_US + 5, NOW_US + 20]
