"""The words of a line: bare ones, and texts in double quotes."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from livekpi.moments import since_epoch_us

_WORD = re.compile(r'\s*(?:(?P<comment>#.*)|(?P<quoted>"(?:[^"\\]|\\.)*")(?=\s|$)|(?P<bare>[^\s"]\S*))')


class ScriptError(Exception):
    """A script can't be understood, or run, at a line."""

    def __init__(self, line: int, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Word:
    """A word; one in quotes means its text and nothing else."""

    text: str
    quoted: bool = False

    def means(self, text: str) -> bool:
        """Whether it is this bare word."""
        return not self.quoted and self.text == text


def split_words(text: str, line: int) -> list[Word]:
    """The words of a line up to a comment; raises ScriptError where a quote is wrong."""
    found: list[Word] = []
    rest = text.strip()
    while rest:
        match = _WORD.match(rest)
        if match is None:
            raise ScriptError(line, f'expected a closing quote and a space behind it: {rest}; a quote in a text is written \\"')
        if match["comment"]:
            break
        found.append(Word(match["bare"]) if match["bare"] else Word(_unquoted(match["quoted"], line), quoted=True))
        rest = rest[match.end() :].lstrip()
    return found


def _unquoted(text: str, line: int) -> str:
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise ScriptError(line, f"{text} is no text as in JSON: {error}") from error


def written(text: str) -> str:
    """A text as a word: in quotes where it would else mean something different, or nothing."""
    bare = text.isprintable() and not re.search(r'^$|[\s"]|^#|^-$', text)
    return text if bare else json.dumps(text, ensure_ascii=False)


def parse_time(text: str, zone: tzinfo, line: int) -> int:
    """A time in µs since the epoch, from ISO 8601, in `zone` where it names none; raises ScriptError."""
    try:
        moment = datetime.fromisoformat(text)
        return since_epoch_us(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError) as error:
        raise ScriptError(line, f"{text!r} is no time; expected one such as 2026-03-01T12:00:00Z") from error
