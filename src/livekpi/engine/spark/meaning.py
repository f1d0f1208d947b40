"""What a job computes, as a digest: by it a driver is known to be that of a definition, however the file says it."""

import hashlib
import json

from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.shape.model import Spark
from livekpi.engine.plan import Grouping, make_plan
from livekpi.engine.spark.options import sink_options, source_options
from livekpi.engine.spark.slots import wanted_keeps
from livekpi.store.layout import cells, column, spread


def meaning_of(definition: Definition, spec: Spark, *, once: bool) -> str:
    """A digest of all that a driver does for a definition, with the variables' values; equal where a driver would do the same.

    The file's path, comments, dashboards, alerts and what is only shown are not in it.
    """
    groupings = make_plan(definition).groupings
    sources = {name: _source(definition, source, groupings[name]) for name, source in definition.sources.items()}
    meant = [spec.master, spec.checkpoint.rstrip("/"), definition.topics, spec.settings, once, sources]
    return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()[:12]


def _source(definition: Definition, source: SourceDefinition, groupings: tuple[Grouping, ...]) -> list[object]:
    """What of a source decides what its query does."""
    return [
        source_options(source),
        sink_options(definition, source),
        source.spec.time,
        source.ahead_us,
        [(field.name, str(field)) for field in source.fields.values()],  # in their order: the first that is wrong is told
        {cells(grouping).name: _columns(grouping) for grouping in groupings},
        wanted_keeps(definition, groupings),
    ]


def _columns(grouping: Grouping) -> list[str]:
    """All that is kept of a grouping, by names that say what it means."""
    own = [column(partial).name for partial in grouping.cells]
    return sorted(own + [spread(grouping, partial).name for partial in grouping.spreads])
