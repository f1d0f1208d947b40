"""Looks up what a source says about its fields."""

import re
from collections.abc import Callable, Mapping

from livekpi.definition.definition import SourceDefinition
from livekpi.definition.file.document import Loc
from livekpi.definition.problems import nearest
from livekpi.definition.report import Report
from livekpi.definition.resolve.log_formats import LOG_FIELDS
from livekpi.definition.shape.model import DefinitionSpec, File, SourceSpec, Stdin
from livekpi.definition.types import Field, Kind, parse_field

_OWN_COLUMNS = ("_time", "_partition", "_position")
"""livekpi's own columns beside the fields, which no field may be called."""
_LONGEST_NAME = 128

# what a source names a field for, and the types that field may have
_ROLES: tuple[tuple[str, Callable[[SourceSpec], str | None], tuple[Kind, ...]], ...] = (
    ("time", lambda source: source.time, ("timestamp",)),
    ("id", lambda source: source.id, ("string", "integer")),
    ("trace", lambda source: source.trace, ("string",)),
)


def resolve_sources(spec: DefinitionSpec, report: Report) -> dict[str, SourceDefinition]:
    """The sources with their fields; mistakes go to `report`."""
    return {name: SourceDefinition(name, source, _fields(("sources", name), source, report)) for name, source in spec.sources.items()}


def name_problem(name: str) -> str | None:
    """What keeps a field from having this name; None where nothing does."""
    if name.lower() in _OWN_COLUMNS or name.lower().startswith("_bucket_"):
        return f"{name!r} is a name livekpi keeps for itself"
    if len(name) > _LONGEST_NAME:
        return f"{name[:20]!r}… is longer than {_LONGEST_NAME} characters"
    if not name.isprintable() or {"\\", '"'} & set(name):
        return f"{name!r} has a character that no field's name may have"
    return None if name else "a field without a name"


def _fields(loc: Loc, source: SourceSpec, report: Report) -> Mapping[str, Field]:
    fields = _declared(loc, source, report)
    for role, name, kinds in _ROLES:
        named = name(source)
        if named is None or named in report.names((*loc, "fields")) or (not fields and report.left_out((*loc, "fields"))):
            continue
        problem = _role_problem(named, kinds, fields)
        if problem is not None:
            report.value((*loc, role), problem)
        elif role == "time" and fields[named].optional:
            report.value((*loc, role), f"{named!r} is optional; an event without a time can't be counted, so take `optional` away")
    return fields


def _role_problem(name: str, kinds: tuple[Kind, ...], fields: Mapping[str, Field]) -> str | None:
    expected = f"expected a field of type {' or '.join(kinds)}"
    if name not in fields:
        return f"there is no field {name!r}{nearest(name, fields) or f'; {expected}'}"
    return None if fields[name].type.kind in kinds else f"{name!r} is {fields[name].type}; {expected}"


def _declared(loc: Loc, source: SourceSpec, report: Report) -> Mapping[str, Field]:
    kind = source.kind
    if isinstance(kind, File | Stdin) and kind.format in LOG_FIELDS:
        if source.fields:
            brought = ", ".join(LOG_FIELDS[kind.format])
            report.key((*loc, "fields"), f"format {kind.format} brings its own fields ({brought}); take `fields` away")
        return LOG_FIELDS[kind.format]
    if not source.fields and not report.left_out((*loc, "fields")):
        report.key(loc, "'fields' is missing: each field's name and type")
    fields = {name: parse_field(name, text) for name, text in source.fields.items()}
    _check_names((*loc, "fields"), fields, report)
    if isinstance(kind, File) and kind.regex is not None:
        _check_groups(loc, kind.regex, fields, report)
    return fields


def _check_names(loc: Loc, fields: Mapping[str, Field], report: Report) -> None:
    first: dict[str, str] = {}
    for name in fields:
        problem = name_problem(name)
        if problem is not None:
            report.key((*loc, name), f"{problem}; rename the field where the events are made")
        same = first.setdefault(name.lower(), name)
        if same != name:
            report.key((*loc, name), f"{name!r} differs from {same!r} only in capitals, which SQL does not tell apart; declare one of them")


def _check_groups(loc: Loc, regex: str, fields: Mapping[str, Field], report: Report) -> None:
    groups = re.compile(regex).groupindex
    known = fields.keys() | report.names((*loc, "fields"))
    for group in groups:
        if group not in known:
            report.value((*loc, "file", "regex"), f"the group {group!r} is not declared in `fields`{nearest(group, known)}")
    for name in fields:
        if name not in groups:
            report.key((*loc, "fields", name), f"the regular expression has no group {name!r}{nearest(name, groups)}")
