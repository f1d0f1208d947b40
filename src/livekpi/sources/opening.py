"""From a source's definition to the source."""

from pathlib import Path

from livekpi.clock import Clock
from livekpi.definition.definition import SourceDefinition
from livekpi.metrics import Metrics
from livekpi.sources.base import Source, SourceError
from livekpi.sources.ingest_log import IngestLog


def open_source(source: SourceDefinition, base: Path, log: IngestLog | None, clock: Clock, metrics: Metrics) -> Source:
    """The source of a definition; paths in it are relative to `base`. `log` is an http source's ingest log.

    Raises SourceError where an extra is not installed. Imports are made here, so that a source not used costs nothing.
    """
    spec = source.spec
    if spec.kafka is not None:
        return _kafka(source, clock, metrics)
    if spec.file is not None:
        from livekpi.sources.file import FileSource  # noqa: PLC0415

        return FileSource(spec.file, base)
    if spec.http is not None:
        from livekpi.sources.http import HttpSource  # noqa: PLC0415

        assert log is not None
        return HttpSource(log)
    import sys  # noqa: PLC0415

    from livekpi.sources.stdin import StdinSource  # noqa: PLC0415

    assert spec.stdin is not None
    return StdinSource(spec.stdin, sys.stdin.buffer)


def _kafka(source: SourceDefinition, clock: Clock, metrics: Metrics) -> Source:
    try:
        from livekpi.sources.kafka import KafkaSource  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SourceError(f"the source {source.name!r} needs Kafka's client: pip install 'livekpi[kafka]'") from error
    assert source.spec.kafka is not None
    return KafkaSource(source.spec.kafka)
