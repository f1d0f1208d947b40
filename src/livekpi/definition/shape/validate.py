"""Checks a document's shape against the model, and says each mistake where it stands."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from livekpi.definition.file.document import Document, Loc, Scalar, data
from livekpi.definition.problems import Problem, nearest
from livekpi.definition.shape.model import DefinitionSpec
from livekpi.definition.shape.parts import Model

# pydantic's kind of error → what was expected, from the error's context
_EXPECTED: dict[str, Callable[[dict[str, Any]], str]] = {
    "model_type": lambda _: "expected `key: value` pairs",
    "dict_type": lambda _: "expected `key: value` pairs",
    "list_type": lambda _: "expected a list, such as [one, two]",
    "string_type": lambda _: "expected text; put it in quotes",
    "int_type": lambda _: "expected a whole number",
    "int_parsing": lambda _: "expected a whole number",
    "int_parsing_size": lambda _: "expected a smaller whole number",
    "int_from_float": lambda _: "expected a whole number",
    "float_type": lambda _: "expected a number",
    "float_parsing": lambda _: "expected a number",
    "finite_number": lambda _: "expected a smaller number",
    "bool_type": lambda _: "expected true or false",
    "bool_parsing": lambda _: "expected true or false",
    "greater_than": lambda context: f"expected more than {context['gt']}",
    "greater_than_equal": lambda context: f"expected at least {context['ge']}",
    "less_than_equal": lambda context: f"expected at most {context['le']}",
    "string_too_short": lambda _: "expected some text",
    "string_too_long": lambda context: f"expected at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda _: "expected a name of letters, digits and _ that does not start with a digit",
    "too_short": lambda _: "expected at least one",
    "literal_error": lambda context: f"expected {context['expected']}",
    "value_error": lambda context: str(context["error"]),
}


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of a document."""

    spec: DefinitionSpec | None
    """Made from what is right, so that the other checks see it; None where too little is."""
    problems: list[Problem]
    left_out: frozenset[Loc]
    """The parts that are not in `spec`, for their mistakes."""


def validate(document: Document) -> Validated:
    """Finds every mistake in a document's shape."""
    problems: list[Problem] = []
    left_out: set[Loc] = set()
    given = data(document.root)
    while True:
        try:
            return Validated(DefinitionSpec.model_validate(given), problems, frozenset(left_out))
        except ValidationError as error:
            found = [(_loc(details, document), details) for details in error.errors(include_url=False)]
        # A part that lacks what was left out of it is no second mistake.
        fresh = {(loc, _missing(details)): details for loc, details in found if not _holds(loc, left_out)}
        problems.extend(_problem(document, loc, details) for (loc, _), details in fresh.items())
        for part in sorted({_part(loc, left_out) for loc, _ in found}, key=len, reverse=True):
            if not part:
                return Validated(None, problems, frozenset(left_out))
            left_out.add(_leave_out(given, part))


def _loc(details: ErrorDetails, document: Document) -> Loc:
    """Where pydantic's error stands; the steps that a document has not (arms of unions, marks of keys) are left out."""
    loc: Loc = ()
    for step in details["loc"][: -1 if _missing(details) else None]:
        if document.find((*loc, step)) is not None:
            loc = (*loc, step)
    return loc


def _missing(details: ErrorDetails) -> str:
    """The key whose absence is the mistake; empty where that is not the mistake."""
    return str(details["loc"][-1]) if details["type"] == "missing" else ""


def _holds(loc: Loc, parts: set[Loc]) -> bool:
    return any(part[: len(loc)] == loc for part in parts)


def _part(loc: Loc, left_out: set[Loc]) -> Loc:
    """What to leave out to be rid of a mistake: a whole list for an item, and what holds a part left out in vain."""
    while loc and (isinstance(loc[-1], int) or loc in left_out):
        loc = loc[:-1]
    return loc


def _leave_out(given: Any, part: Loc) -> Loc:
    """Takes a part out of what is given; says which."""
    for step in part[:-1]:
        given = given[step]
    value, kinds = given[part[-1]], {"kafka", "http", "file", "stdin"}
    if (
        part[0] == "sources"
        and len(part) == 2
        and isinstance(value, dict)
        and {"time", "fields"} <= value.keys()
        and kinds & value.keys() != {"http"}
    ):
        # Only its kind is wrong: http stands in, so that the KPIs on its fields are checked all the same.
        given[part[-1]] = {key: rest for key, rest in value.items() if key not in kinds} | {"http": {}}
        return (*part, "http")
    del given[part[-1]]
    return part


def _problem(document: Document, loc: Loc, details: ErrorDetails) -> Problem:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "missing":
        name = _missing(details)
        place = (*loc, name) if document.find((*loc, name)) else loc
        # a word that stands for a whole part (engine: spark) has nothing of it in the document
        known = _fields(tuple(details["loc"][:-1])) | _fields(loc)
        return document.key_problem(place, f"{name!r} is missing: {known[name].description}")
    if kind == "extra_forbidden":
        return document.key_problem(loc, f"there is no key {loc[-1]!r} here{_choice(str(loc[-1]), _keys_beside(loc))}")
    expected = _EXPECTED[kind](context) if kind in _EXPECTED else details["msg"].replace("Input should be", "expected")
    if "[key]" in details["loc"] or kind == "wrong_key":
        return document.key_problem(loc, f"got {loc[-1]!r}, {expected}")
    node = document.find(loc)
    if kind == "literal_error" and isinstance(node, Scalar):
        expected += nearest(node.text, re.findall(r"'([^']*)'", expected))
    if isinstance(node, Scalar) or kind.endswith("_type"):
        return document.problem(loc, f"got {document.shown(loc)}, {expected}")
    return document.key_problem(loc, expected)


def _choice(name: str, known: Sequence[str]) -> str:
    return nearest(name, known) or f"; expected one of {', '.join(known)}"


def _keys_beside(loc: Loc) -> list[str]:
    """The keys that may stand where one does not belong; where there are several kinds of thing, those of the kinds without it."""
    models = [{field.alias or name for name, field in model.model_fields.items()} for model in _models(DefinitionSpec, loc[:-1])]
    return [name for name in _fields(loc[:-1]) if any(name in own for own in models if loc[-1] not in own)]


def _fields(loc: Loc) -> dict[str, FieldInfo]:
    """The model's fields at a place, by the names they have in the file."""
    return {field.alias or name: field for model in _models(DefinitionSpec, loc) for name, field in model.model_fields.items()}


def _models(annotation: Any, loc: Loc) -> Iterator[type[Model]]:
    """The models that may stand at `loc` within a value of a type."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        if not loc:
            yield annotation
        for name, field in annotation.model_fields.items():
            if loc and loc[0] == (field.alias or name):
                yield from _models(field.annotation, loc[1:])
    elif get_origin(annotation) in (dict, list):
        if loc:
            yield from _models(get_args(annotation)[-1], loc[1:])
    else:
        for arm in get_args(annotation):
            yield from _models(arm, loc)
