"""Checks that the engine can run the sources."""

from pathlib import Path

from livekpi.definition.report import Report
from livekpi.definition.shape.model import DefinitionSpec
from livekpi.definition.shape.values import is_topic_prefix


def check_engine(spec: DefinitionSpec, path: Path, report: Report) -> None:
    """A cluster reads Kafka only, and needs a name for its topics; mistakes go to `report`."""
    cluster, name = spec.engine.cluster, spec.engine.name
    if cluster is None:
        return
    for source, given in spec.sources.items():
        if given.kafka is None:
            kind = type(given.kind).__name__.lower()
            if not report.left_out(("sources", source, kind)):
                report.key(
                    ("sources", source, kind),
                    f"engine {name} reads Kafka only; let the events of {source!r} come over Kafka, or use embedded",
                )
    if cluster.topics is None and not is_topic_prefix(path.stem):
        report.key(("engine",), f"topics can't be named after {path.name!r}; give `topics`, what the names of the job's topics begin with")
