"""`livekpi run`: opens the parts, connects them, and closes them in order."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import structlog
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from livekpi.clock import Clock, SystemClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.engine.engine import Commit, Engine
from livekpi.metrics import Metrics
from livekpi.sources.base import Source
from livekpi.sources.ingest_log import IngestLog
from livekpi.sources.opening import open_source
from livekpi.store import positions
from livekpi.store.database import Store

log = structlog.get_logger()

DEFAULT_LISTEN = "127.0.0.1:8321"
DEFAULT_DATA = ".livekpi"


@dataclass(frozen=True)
class Parts:
    """A definition with all that is open for it."""

    definition: Definition
    store: Store
    engine: Engine
    logs: Mapping[str, IngestLog]
    metrics: Metrics
    clock: Clock


def data_directory(file: Path, data: Path | None) -> Path:
    """Where a definition's data is: as given, or `.livekpi` beside the file."""
    return data if data is not None else file.parent / DEFAULT_DATA


@contextmanager
def opened(definition: Definition, data: Path, clock: Clock, *, once: bool) -> Iterator[Parts]:
    """Opens store, ingest logs, sources and engine; closes them again in order."""
    metrics = Metrics(CollectorRegistry())
    with ExitStack() as stack:
        store = Store.open(data, clock, memory_mib=definition.spec.limits.memory_mib)
        stack.callback(store.close)
        logs: dict[str, IngestLog] = {}
        sources: dict[str, Source] = {}
        for name, source in definition.sources.items():
            if source.spec.http is not None:
                known = positions.load(store.cursor(), name, source.origin)
                committed = max((row.position for row in known.values()), default=0)
                logs[name] = IngestLog(data / "ingest" / name, source=name, metrics=metrics, committed=committed)
                stack.callback(logs[name].close)
            sources[name] = open_source(source, definition.path.parent, logs.get(name), clock, metrics)
        engine = Engine(definition, store, sources, clock, metrics, once=once)
        yield Parts(definition, store, engine, logs, metrics, clock)


def run_once(file: Path, data: Path | None) -> None:
    """Reads what is there now, commits it, calls finished buckets final, and returns."""
    definition = load(file, os.environ)
    say_what_waits(definition)
    with opened(definition, data_directory(file, data), SystemClock(), once=True) as parts, stopping() as stop, progress(parts):
        parts.engine.run(stop)


def say_what_waits(definition: Definition) -> None:
    """One line where the file has sections that do not act yet."""
    if definition.spec.alerts:
        log.warning("alerts and notify are checked but do not act yet", alerts=len(definition.spec.alerts))


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second SIGINT ends at once."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress(parts: Parts) -> Iterator[None]:
    """A line on a terminal's stderr that shows how far the reading is; nothing where stderr is no terminal."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        most_left = events = 0

        def show(commit: Commit) -> None:
            nonlocal most_left, events
            events += commit.events
            left = sum(sum(partitions.values()) for partitions in parts.engine.lag().values())
            most_left = max(most_left, left)
            bar.update(task, description=f"{events:,} events", total=most_left or None, completed=most_left - left)

        parts.engine.subscribe(show)
        yield
