"""From a script's text to its steps; each mistake is said at its line."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from livekpi.definition.durations import microseconds, parse_duration
from livekpi.definition.problems import nearest
from livekpi.query.points import Request
from livekpi.query.steps import QueryError, zone
from livekpi.scripts.script import (
    Advance,
    AlertRow,
    Arrive,
    Define,
    ExpectAlerts,
    ExpectDeadLetters,
    ExpectMessages,
    ExpectPoints,
    Kill,
    LetterRow,
    MessageRow,
    Restart,
    Row,
    Script,
    SetClock,
    Step,
)
from livekpi.scripts.words import ScriptError, Word, parse_time, split_words

TOMBSTONE = "tombstone"
"""Alone on a line of events: a record without a value."""
_OPTIONS = ("from", "to", "step", "by", "where", "timezone", "compare")


@dataclass(frozen=True)
class _Part:
    """A line that begins at the margin, and the indented lines below it."""

    line: int
    words: Sequence[Word]
    body: tuple[tuple[int, str], ...]

    @property
    def rows(self) -> Iterator[tuple[int, str]]:
        """The lines of the body that say something."""
        return ((line, text) for line, text in self.body if text.strip() and not text.lstrip().startswith("#"))


def parse_script(path: Path, text: str) -> Script:
    """Parses a script; files it names stand beside `path`. Raises ScriptError."""
    return Script(path, tuple(_step(path, part) for part in _parts(text)))


def _parts(text: str) -> Iterator[_Part]:
    head: tuple[int, str] | None = None
    body: list[tuple[int, str]] = []
    for line, found in enumerate(text.split("\n"), start=1):
        if found[:1].isspace() or not found or found.startswith("#"):
            if head is None and found.strip() and not found.lstrip().startswith("#"):
                raise ScriptError(line, "expected a step at the margin: definition:, clock, events, advance, expect, restart or kill")
            body.append((line, found))
            continue
        if head is not None:
            yield _Part(head[0], split_words(head[1], head[0]), tuple(body))
        head, body = (line, found), []
    if head is not None:
        yield _Part(head[0], split_words(head[1], head[0]), tuple(body))


def _step(path: Path, part: _Part) -> Step:
    name = part.words[0].text
    if name not in _STEPS:
        raise ScriptError(part.line, f"there is no step {name!r}; expected {', '.join(_STEPS)}{nearest(name, _STEPS)}")
    return _STEPS[name](path, part)


def _define(path: Path, part: _Part) -> Define:
    if len(part.words) == 1:
        if not list(part.rows):
            raise ScriptError(part.line, "expected a file's name after definition:, or the definition itself below it, indented")
        # each line stays where it is, so that a mistake is said at its place
        lines = dict(part.body)
        return Define(part.line, path, "\n".join(lines.get(line, "") for line in range(1, max(lines) + 1)).encode())
    (name,) = _words(part, "definition: FILE", 1)
    _no_body(part)
    return Define(part.line, path.parent / name.text, _read(path.parent / name.text, part.line))


def _read(path: Path, line: int) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScriptError(line, f"{path} can't be read: {error.strerror}") from error


def _clock(_: Path, part: _Part) -> SetClock:
    (time,) = _words(part, "clock TIME", 1)
    _no_body(part)
    return SetClock(part.line, parse_time(time.text, UTC, part.line))


def _advance(_: Path, part: _Part) -> Advance:
    (duration,) = _words(part, "advance DURATION", 1)
    _no_body(part)
    try:
        return Advance(part.line, microseconds(parse_duration(duration.text)))
    except ValueError as error:
        raise ScriptError(part.line, f"{duration.text!r}: {error}") from error


def _arrive(path: Path, part: _Part) -> Arrive:
    usage = "events SOURCE [partition NUMBER] [from FILE]"
    if len(part.words) not in (2, 4, 6):
        raise ScriptError(part.line, f"expected {usage}")
    given = dict(zip((word.text for word in part.words[2::2]), part.words[3::2], strict=True))
    if given.keys() - {"partition", "from"} or len(given) != len(part.words) // 2 - 1:
        raise ScriptError(part.line, f"expected {usage}")
    number = given["partition"].text if "partition" in given else "0"
    if not number.isdecimal() or int(number[:6]) >= 2**15:
        raise ScriptError(part.line, f"expected a partition's number from 0 to {2**15 - 1}, got {number!r}")
    if "from" in given:
        _no_body(part)
        records = [record for record in _read(path.parent / given["from"].text, part.line).split(b"\n") if record]
    else:
        records = [record.encode() for record in textwrap.dedent("\n".join(text for _, text in part.rows)).split("\n")]
    if not any(records):
        raise ScriptError(part.line, "expected events below, one a line, indented")
    return Arrive(part.line, part.words[1].text, int(number), tuple(None if each == TOMBSTONE.encode() else each for each in records))


def _expect(_: Path, part: _Part) -> Step:
    if len(part.words) < 2:
        raise ScriptError(part.line, "expected the name of a KPI, dead-letters and a source, alerts, or messages and a notifier")
    for name, expected in _EXPECTED.items():
        if part.words[1].means(name):
            return expected(part)
    options = _options(part)
    try:
        timezone = zone(options.get("timezone", "UTC"))
    except QueryError as error:
        raise ScriptError(part.line, str(error)) from error
    times = {name: parse_time(options[name], timezone, part.line) for name in ("from", "to") if name in options}
    by = tuple(filter(None, (name.strip() for name in options.get("by", "").split(","))))
    rest = {name: options[name] for name in ("step", "where", "timezone", "compare") if name in options}
    request = Request(part.words[1].text, times.get("from"), times.get("to"), by=by, **rest)
    rows = _expected(part)
    if rows and rows[0][1][0].means("error:"):
        if len(rows) > 1:
            raise ScriptError(rows[1][0], "expected nothing below error:")
        return ExpectPoints(part.line, request, error=" ".join(word.text for word in rows[0][1][1:]))
    found: dict[tuple[int, tuple[Word, ...]], Row] = {}
    for line, words in rows:
        row = _row(line, words, request, timezone)
        if found.setdefault((row.time_us, row.dimensions), row) is not row:
            raise ScriptError(line, f"this point stands in line {found[row.time_us, row.dimensions].line} already")
    return ExpectPoints(part.line, request, tuple(found.values()))


def _options(part: _Part) -> dict[str, str]:
    given, found = part.words[2:], dict[str, str]()
    for option, value in zip(given[::2], [*given[1::2], None][: len(given[::2])], strict=True):
        name = option.text.removeprefix("--")
        if name == option.text or name not in _OPTIONS:
            near = nearest(option.text, [f"--{each}" for each in _OPTIONS])
            raise ScriptError(part.line, f"there is no option {option.text!r}; expected --{', --'.join(_OPTIONS)}{near}")
        if value is None or name in found:
            raise ScriptError(part.line, f"expected one value after --{name}")
        found[name] = value.text
    return found


def _expected(part: _Part) -> list[tuple[int, list[Word]]]:
    """The words of the lines below an expectation; none of them for the word `nothing`."""
    rows = [(line, words) for line, text in part.rows if (words := split_words(text, line))]
    if not rows:
        raise ScriptError(part.line, "expected below, indented, what should come; write `nothing` where nothing should")
    if rows[0][1][0].means("nothing"):
        if len(rows) > 1 or len(rows[0][1]) > 1:
            raise ScriptError(rows[0][0], "expected nothing else beside `nothing`")
        return []
    return rows


def _row(line: int, words: list[Word], request: Request, timezone: ZoneInfo) -> Row:
    final = {"final": True, "provisional": False}.get(words[-1].text) if not words[-1].quoted else None
    cells = words if final is None else words[:-1]
    names = ["TIME", *map(str.upper, request.by), "VALUE", *(["BEFORE"] if request.compare else [])]
    if len(cells) != len(names):
        raise ScriptError(line, f"expected {' '.join(names)} and perhaps `final` or `provisional`, got {len(cells)} words")
    dimensions = tuple(cells[1 : 1 + len(request.by)])
    before = cells[-1] if request.compare else None
    return Row(line, parse_time(cells[0].text, timezone, line), dimensions, cells[1 + len(request.by)], before, final)


def _expect_dead_letters(part: _Part) -> ExpectDeadLetters:
    if len(part.words) != 3:
        raise ScriptError(part.line, "expected dead-letters SOURCE")
    rows = []
    for line, words in _expected(part):
        if len(words) > 3:
            raise ScriptError(
                line, 'expected CODE, perhaps FIELD (or -), perhaps a part of the reason, as in: missing user "no such field"'
            )
        rows.append(LetterRow(words[0].text, words[1] if len(words) > 1 else None, words[2].text if len(words) > 2 else None))
    return ExpectDeadLetters(part.line, part.words[2].text, tuple(rows))


def _expect_alerts(part: _Part) -> ExpectAlerts:
    if len(part.words) != 2:
        raise ScriptError(part.line, "expected alerts, and nothing behind it")
    return ExpectAlerts(part.line, tuple(_alert_row(line, words) for line, words in _expected(part)))


def _alert_row(line: int, words: list[Word]) -> AlertRow:
    usage = "RULE, its dimensions, firing or resolved, when it began, when it ended, and perhaps late or corrected"
    place = next((index for index, word in enumerate(words) if index and (word.means("firing") or word.means("resolved"))), None)
    if place is None:
        raise ScriptError(line, f"expected {usage}")
    note = words[-1].text if words[-1].text in _NOTES else ""
    times = [parse_time(word.text, UTC, line) for word in words[place + 1 : len(words) - bool(note)]]
    if len(times) != (1 if words[place].text == "firing" else 2):
        raise ScriptError(line, f"expected {usage}")
    return AlertRow(line, words[0].text, tuple(words[1:place]), words[place].text, times[0], times[1] if len(times) > 1 else None, note)


def _expect_messages(part: _Part) -> ExpectMessages:
    if len(part.words) != 3:
        raise ScriptError(part.line, "expected messages NOTIFIER")
    rows = []
    for line, words in _expected(part):
        if len(words) < 3 or words[1].text not in ("firing", "resolved") or not words[2].text.isdecimal():
            raise ScriptError(line, "expected RULE, firing or resolved, how many alerts fire, and perhaps words of the first")
        rows.append(MessageRow(words[0].text, words[1].text, int(words[2].text), tuple(words[3:])))
    return ExpectMessages(part.line, part.words[2].text, tuple(rows))


def _restart(_: Path, part: _Part) -> Restart:
    _words(part, "restart", 0)
    _no_body(part)
    return Restart(part.line)


def _kill(_: Path, part: _Part) -> Kill:
    _words(part, "kill", 0)
    _no_body(part)
    return Kill(part.line)


def _words(part: _Part, usage: str, count: int) -> Sequence[Word]:
    if len(part.words) != count + 1:
        raise ScriptError(part.line, f"expected {usage}")
    return part.words[1:]


def _no_body(part: _Part) -> None:
    for line, _text in part.rows:
        raise ScriptError(line, f"expected nothing below {part.words[0].text}")


_NOTES = ("late", "corrected")
_EXPECTED: Mapping[str, Callable[[_Part], Step]] = {
    "dead-letters": _expect_dead_letters,
    "alerts": _expect_alerts,
    "messages": _expect_messages,
}
_STEPS: Mapping[str, Callable[[Path, _Part], Step]] = {
    "definition:": _define,
    "clock": _clock,
    "events": _arrive,
    "advance": _advance,
    "expect": _expect,
    "restart": _restart,
    "kill": _kill,
}
