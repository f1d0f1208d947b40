"""How a YAML scalar's text becomes a value, and which character of the file each character of it came from."""

import re

_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHITE = frozenset(" \t\r\n\x85\u2028\u2029")
_WHITE_ESCAPES = frozenset("ntrNLP") | _WHITE
_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")  # as JSON writes a character beyond U+FFFF


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means by YAML 1.2's core schema; infinity and NaN stay text, as no setting takes them."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def origins(value: str, raw: str, style: str | None) -> list[int]:
    """For each character of a scalar's `value`, and for its end, its offset in `raw`, the scalar as it stands in the file.

    Folding changes only white space, so the other characters are met in the same order on both sides; white space is put
    where the character before it ends.
    """
    at = _content_start(raw, style)
    found: list[int] = []
    for character in value:
        if character in _WHITE:
            found.append(min(at, len(raw)))
            continue
        at = _skip_white(raw, at, style)
        found.append(min(at, len(raw)))
        at += _length(raw, at, style)
    found.append(min(at, len(raw)))
    return found


def _content_start(raw: str, style: str | None) -> int:
    if style in ("|", ">"):
        return raw.find("\n") + 1
    return 1 if style else 0


def _skip_white(raw: str, at: int, style: str | None) -> int:
    """The offset of the next character that is not white space, nor an escape that stands for some."""
    while at < len(raw):
        if raw[at] in _WHITE:
            at += 1
        elif style == '"' and raw[at] == "\\" and _is_white_escape(raw, at):
            at += _length(raw, at, style)
        else:
            break
    return at


def _is_white_escape(raw: str, at: int) -> bool:
    kind = raw[at + 1 : at + 2]
    if kind in _ESCAPE_LENGTHS:
        return chr(int(raw[at + 2 : at + _ESCAPE_LENGTHS[kind]], 16)) in _WHITE
    return kind in _WHITE_ESCAPES


def _length(raw: str, at: int, style: str | None) -> int:
    """How many characters of the file make the one character at `at`."""
    if style == '"' and raw[at : at + 1] == "\\":
        if pair := _PAIR.match(raw, at):
            return len(pair[0])
        return _ESCAPE_LENGTHS.get(raw[at + 1 : at + 2], 2)
    return 2 if style == "'" and raw[at : at + 2] == "''" else 1
