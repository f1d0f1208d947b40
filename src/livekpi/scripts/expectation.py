"""What was expected beside what came, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livekpi.moments import time_text
from livekpi.query.points import Point, dimension_text
from livekpi.scripts.script import LetterRow, Row
from livekpi.scripts.values import NULL, matches, text_word, value_word, word_text
from livekpi.scripts.words import Word, written
from livekpi.store.dead_letters import StoredDeadLetter


@dataclass(frozen=True)
class Line:
    """A line of a comparison: what both have (`sign` is a space), only the script (-), only the answer (+)."""

    sign: str
    words: tuple[str, ...]


def compare_points(rows: Sequence[Row], points: Sequence[Point], *, compared: bool) -> Iterator[Line]:
    """Points as expected, in any order, beside those that came."""
    expected = {(row.time_us, tuple(map(word_text, row.dimensions))): row for row in rows}
    came = {(point.time_us, tuple(map(dimension_text, point.dimensions))): point for point in points}
    for time_us, slice_ in sorted(expected.keys() | came.keys(), key=lambda key: (key[0], [(part is None, part or "") for part in key[1]])):
        row, point = expected.get((time_us, slice_)), came.get((time_us, slice_))
        start = (time_text(time_us), *map(text_word, slice_))
        if row is not None and point is not None and _is_expected(row, point):
            yield Line(" ", (*start, *_rest(point, compared)))
            continue
        if row is not None:
            yield Line("-", (*start, *_expected_rest(row)))
        if point is not None:
            yield Line("+", (*start, *_rest(point, compared)))


def _is_expected(row: Row, point: Point) -> bool:
    same_before = row.before is None or matches(row.before, point.before)
    return matches(row.value, point.value) and same_before and row.final in (None, point.final)


def _rest(point: Point, compared: bool) -> tuple[str, ...]:
    before = (value_word(point.before),) if compared else ()
    return (value_word(point.value), *before, "final" if point.final else "provisional")


def _expected_rest(row: Row) -> tuple[str, ...]:
    values = [_as_written(word) for word in (row.value, row.before) if word is not None]
    return (*values, *([] if row.final is None else ["final" if row.final else "provisional"]))


def _as_written(word: Word) -> str:
    return written(word.text) if word.quoted else word.text


def compare_letters(rows: Sequence[LetterRow], letters: Sequence[StoredDeadLetter]) -> Iterator[Line]:
    """Dead letters as expected, in their order, beside those that came."""
    for index in range(max(len(rows), len(letters))):
        row = rows[index] if index < len(rows) else None
        letter = letters[index] if index < len(letters) else None
        if row is not None and letter is not None and _is_expected_letter(row, letter):
            yield Line(" ", _letter_words(letter))
            continue
        if row is not None:
            yield Line("-", (row.code, *([] if row.field is None else [_as_written(row.field)]), *map(written, filter(None, [row.reason]))))
        if letter is not None:
            yield Line("+", _letter_words(letter))


def _is_expected_letter(row: LetterRow, letter: StoredDeadLetter) -> bool:
    same_field = row.field is None or word_text(row.field) == letter.field
    return row.code == letter.code and same_field and (row.reason or "") in letter.reason


def _letter_words(letter: StoredDeadLetter) -> tuple[str, ...]:
    return (letter.code, NULL if letter.field is None else written(letter.field), written(letter.reason))


def laid_out(lines: Sequence[Line]) -> Iterator[str]:
    """The lines with their words in columns."""
    columns = max((len(line.words) for line in lines), default=0)
    widths = [max(len(line.words[index]) for line in lines if index < len(line.words)) for index in range(columns)]
    for line in lines:
        yield f"{line.sign} {'  '.join(word.ljust(width) for word, width in zip(line.words, widths, strict=False))}".rstrip()
