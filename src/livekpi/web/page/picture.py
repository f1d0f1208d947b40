"""A badge: a KPI's newest value as a small picture, for a wiki or a README."""

from dataclasses import dataclass
from html import escape
from typing import Literal

State = Literal["fine", "watch", "alert"]

_COLOURS: dict[State | None, str] = {"fine": "#19702f", "watch": "#8a5300", "alert": "#b3261e", None: "#4a4f57"}
"""Dark enough for white letters: a contrast of 4.5 at least (WCAG 2.2, 1.4.3)."""
_LABEL_COLOUR = "#30343a"
_HEIGHT, _BASE, _PAD = 20, 14, 7
_WIDE, _USUAL, _NARROW, _FULL = 9.5, 6.6, 3.9, 11.0
_MOST_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says."""

    label: str
    value: str
    state: State | None
    """None where nothing is known of how the KPI stands."""


def svg(badge: Badge) -> str:
    """The picture, all text in it as text; with a name for those who don't see it."""
    label, said = _cut(badge.label), _cut(badge.value if badge.state is None else f"{badge.value} · {badge.state}")
    left, right = _width(label), _width(said)
    whole, name = left + right, escape(f"{label}: {said}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img" aria-label="{name}">'
        f"<title>{name}</title>"
        f'<clipPath id="edge"><rect width="{whole}" height="{_HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#edge)"><rect width="{left}" height="{_HEIGHT}" fill="{_LABEL_COLOUR}"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_COLOURS[badge.state]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(label, 0, left)}{_text(said, left, right)}</g></svg>"
    )


def _text(text: str, x: int, width: int) -> str:
    """Text stretched to its place, so that another font does not run over."""
    return f'<text x="{x + _PAD}" y="{_BASE}" textLength="{width - 2 * _PAD}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'


def _cut(text: str) -> str:
    """Text without what XML can't hold, and not too long for a badge."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return plain if len(plain) <= _MOST_CHARACTERS else f"{plain[: _MOST_CHARACTERS - 1]}…"


def _width(text: str) -> int:
    """About how many pixels a text takes at this size, with room on both sides."""
    return 2 * _PAD + max(1, round(sum(map(_character_width, text))))


def _character_width(character: str) -> float:
    if ord(character) >= 0x1100:  # Hangul, and all that comes after it, is set wide
        return _FULL
    if character in "mwMW@%":
        return _WIDE
    return _NARROW if character in " .,:;!|'iIjlftr()[]" else _USUAL
