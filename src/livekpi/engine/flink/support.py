"""What of a definition Flink can't do, or does otherwise."""

import re
from collections.abc import Iterable

from sqlglot import exp

from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.types import Field
from livekpi.engine.flink.expressions import Expressions, UnsupportedError
from livekpi.engine.flink.rendering import OWN
from livekpi.engine.java_kafka import untranslatable
from livekpi.engine.plan import Plan

TIME_PARTS = frozenset("YymdHIMSfpbBaAz%")
"""What of a strptime pattern our function reads."""


def unsupported(definition: Definition, plan: Plan) -> list[str]:
    """Each thing that can't be done, with its source and what to do instead."""
    found: list[str] = []
    for name, groupings in plan.groupings.items():
        source = definition.sources[name]
        problems = [*_kafka(source), *(problem for field in source.fields.values() for problem in _field(field))]
        partials = (partial for grouping in groupings for partial in grouping.partials)
        trees = [tree for partial in partials for tree in (partial.argument, partial.where) if tree is not None]
        problems += _expressions(source, trees)
        found += [f"engine flink, source {name}: {problem}" for problem in dict.fromkeys(problems)]
    return found


def _kafka(source: SourceDefinition) -> Iterable[str]:
    if source.spec.kafka is not None:
        if source.spec.kafka.lost == "stop":  # where its connector goes on is its own affair, whatever its client is told
            yield "`lost: stop`: Flink goes on where records were deleted before they were read; leave `lost` out, or use another engine"
        for setting in untranslatable(source.spec.kafka.settings):
            yield f"`settings: {setting}` has no counterpart in Flink's Kafka client; leave it out"


def _field(field: Field) -> Iterable[str]:
    if field.name in OWN:
        yield f"the field {field.name!r} has a name that the job needs itself; call it otherwise"
    if ": " in field.name or "\n" in field.name:
        yield f"the field {field.name!r} has a colon and a space, or a line break, in its name; call it otherwise"
    parts = re.findall("%(.)", field.time_format or "")
    for part in dict.fromkeys(part for part in parts if part not in TIME_PARTS):
        yield f"the field {field.name!r}: timestamp({field.time_format}): %{part} is not read there"


def _expressions(source: SourceDefinition, trees: Iterable[exp.Expr]) -> Iterable[str]:
    expressions = Expressions(source.fields)
    for tree in trees:
        try:
            expressions.render(tree)
        except UnsupportedError as error:
            yield str(error)
