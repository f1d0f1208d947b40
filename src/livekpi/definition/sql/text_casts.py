"""What text a cast reads: what a field of the type reads in a text format such as CSV, and nothing else.

Engines take more, each something of its own ('0x10', '1_000', 'inf', 'epoch', '1.5' as an integer), so their casts get the text
only where it is written as this says.
"""

import re
from collections.abc import Mapping

from sqlglot import exp

from livekpi.definition.types import Kind

_NUMBER = r"-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,4})?"
_DATE = r"(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_PATTERNS: dict[Kind, str] = {
    "integer": "-?[0-9]{1,19}",
    "number": _NUMBER,
    "decimal": _NUMBER,
    "timestamp": f"{_DATE}[T ]{_TIME}{_ZONE}",
}
EXAMPLES: Mapping[Kind, str] = {
    "integer": "an integer such as 7",
    "number": "a number such as 1.5",
    "decimal": "a number such as 1.5",
    "timestamp": "a time with its zone such as 2026-03-01T10:30:00Z",
}


def is_readable(text: str, kind: Kind) -> bool:
    """Whether a cast to the kind reads the text."""
    return kind not in _PATTERNS or re.fullmatch(_PATTERNS[kind], text) is not None


def readable(text: exp.Expr, kind: Kind) -> exp.Expr:
    """The text, or one that no cast takes where it is not written as a value of the kind is."""
    if kind not in _PATTERNS:
        return text
    # \A and \z, as $ also stands before a last line break in Java
    return exp.RegexpExtract(this=text, expression=exp.Literal.string(rf"\A{_PATTERNS[kind]}\z"))
