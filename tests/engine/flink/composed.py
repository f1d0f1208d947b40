"""Expressions put together at random, each of a type, for what no list of examples thinks of."""

import re
from collections.abc import Mapping
from random import Random

from livekpi.definition.problems import DefinitionError
from livekpi.engine.flink.support import unsupported
from livekpi.engine.plan import make_plan
from tests.engine.flink.expressions import FIELDS
from tests.engine.flink.shop import definition

_DEPTH, _LEAF_SHARE, _LONGEST = 3, 0.15, 250
_NUMBERS = ("integer", "decimal", "number")
_LEAVES: Mapping[str, tuple[str, ...]] = {
    "string": ("s", "t", "j.a", "j.l[0]", "''", "'a'", "'/'", "'%'", "'straße'", "'🇪🇺'", "'it''s'", "'1.50'"),
    "integer": ("n", "m", "k", "0", "1", "3", "-1", "7", "4294967296", "9223372036854775807"),
    "decimal": ("c", "d", "e", "f", "0.00", "0.5", "1.19", "-2.25", "0.0001", "99999.99"),
    "number": ("x", "y", "1e3", "1e-7", "1e300", "2.5e0"),
    "timestamp": ("at", "ts"),
    "boolean": ("b", "x < 2", "n > 1", "s is null"),
}
_OF_ANY = (
    "coalesce({same}, {same})",
    "nullif({same}, {same})",
    "if({boolean}, {same}, {same})",
    "case when {boolean} then {same} when {boolean} then {same} end",
    "case {integer} when {integer} then {same} else {same} end",
)
_OF_ORDERED = ("greatest({same}, {same})", "least({same}, {same}, {same})")
_OF_NUMBERS = ("({same} + {same})", "({same} - {same})", "({same} * {same})", "({same} % {same})", "(- {same})", "abs({same})")
_FORMS: Mapping[str, tuple[str, ...]] = {
    "string": (
        *("lower({string})", "upper({string})", "trim({string})", "left({string}, {integer})", "right({string}, {integer})"),
        *("substring({string}, {integer})", "substring({string}, {integer}, {integer})", "replace({string}, {string}, {string})"),
        *("split_part({string}, {string}, {integer})", "({string} || {string})", "cast({any} as text)", *_OF_ORDERED),
    ),
    "integer": (
        *("length({string})", "cast({any} as integer)", "year({timestamp})", "hour({timestamp})", "extract(second from {timestamp})"),
        *(*_OF_NUMBERS, *_OF_ORDERED),
    ),
    "decimal": ("cast({any} as decimal(18, 4))", "cast({any} as decimal(5, 1))", "({decimal} * {integer})", *_OF_NUMBERS, *_OF_ORDERED),
    "number": (
        *(
            "({numeric} / {numeric})",
            "floor({numeric})",
            "ceil({numeric})",
            "round({numeric})",
            "round({numeric}, 2)",
            "round({numeric}, -1)",
        ),
        *("sqrt({numeric})", "ln({numeric})", "exp({numeric})", "power({numeric}, {numeric})", "cast({any} as double)"),
        *("({number} * {numeric})", *_OF_NUMBERS, *_OF_ORDERED),
    ),
    "timestamp": _OF_ORDERED,
    "boolean": (
        *("({boolean} and {boolean})", "({boolean} or {boolean})", "(not {boolean})", "({any} is null)", "cast({string} as boolean)"),
        *("({numeric} = {numeric})", "({numeric} <= {numeric})", "({string} < {string})", "({timestamp} > {timestamp})"),
        *("({numeric} in ({numeric}, {numeric}))", "({string} not in ({string}, {string}))", "({numeric} between {numeric} and {numeric})"),
        *("({string} like {string})", "({string} ilike {string})", "contains({string}, {string})", "starts_with({string}, {string})"),
    ),
}


def composed(count: int, seed: int) -> list[str]:
    """So many expressions that `livekpi check` accepts on Flink; always the same of a seed."""
    random = Random(seed)
    found: list[str] = []
    while len(found) < count:
        made = _made(random, random.choice(list(_FORMS)), _DEPTH)
        if len(made) <= _LONGEST and _accepted(made):
            found.append(made)
    return found


def _made(random: Random, kind: str, depth: int) -> str:
    if depth == 0 or random.random() < _LEAF_SHARE:
        return random.choice(_LEAVES[kind])

    def part(wanted: re.Match[str]) -> str:
        of = {"same": (kind,), "any": tuple(_FORMS), "numeric": _NUMBERS}.get(wanted[1], (wanted[1],))
        return _made(random, random.choice(of), depth - 1)

    return re.sub(r"\{(\w+)\}", part, random.choice(_FORMS[kind] + _OF_ANY))


def _accepted(text: str) -> bool:
    try:
        given = definition(FIELDS, {"k": {"value": f"last({text})", "every": "1d", "by": ["k"]}})
    except DefinitionError:
        return False
    return not unsupported(given, make_plan(given))
