"""From a source's definition to the source."""

import hashlib
import sys
from pathlib import Path

from livekpi.clock import Clock
from livekpi.definition.definition import SourceDefinition
from livekpi.metrics import Metrics
from livekpi.sources.base import Source
from livekpi.sources.file import FileSource
from livekpi.sources.http import HttpSource
from livekpi.sources.ingest_log import IngestLog
from livekpi.sources.kafka import KafkaSource
from livekpi.sources.stdin import StdinSource


def open_source(
    source: SourceDefinition, base: Path, data: Path, log: IngestLog | None, clock: Clock, metrics: Metrics, *, once: bool
) -> Source:
    """The source of a definition; paths in it are relative to `base`. `log` is an http source's ingest log.

    Raises SourceError where an extra is not installed.
    """
    spec = source.spec
    if spec.kafka is not None:
        return KafkaSource(source.name, spec.kafka, clock, metrics, group=consumer_group(data), once=once)
    if spec.file is not None:
        return FileSource(spec.file, base, once=once)
    if spec.http is not None:
        assert log is not None
        return HttpSource(log)
    assert spec.stdin is not None
    return StdinSource(spec.stdin, sys.stdin.buffer)


def consumer_group(data: Path) -> str:
    """Of Kafka: a group of its own for each data directory, so that servers do not overwrite each other's offsets."""
    return f"livekpi-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]}"
