"""`livekpi run`: opens the parts, connects them, and closes them in order."""

import gc
import os
import resource
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import psutil
import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from livekpi.alerting import Alerting
from livekpi.clock import Clock, SystemClock
from livekpi.clustered import open_clustered
from livekpi.clustered import problems as engine_problems
from livekpi.commit import Commit
from livekpi.data_directory import data_directory
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.definition.problems import DefinitionError, nearest
from livekpi.engine.engine import Engine
from livekpi.engine.supervision import Supervisor
from livekpi.leaving import Deadline, ending_at_last
from livekpi.metrics import Metrics
from livekpi.reloading import Reloader
from livekpi.sources.base import Source
from livekpi.sources.handover import Decoded
from livekpi.sources.ingest_log import IngestLog
from livekpi.sources.opening import open_source
from livekpi.store import catalog, positions
from livekpi.store.database import Store, make_directory
from livekpi.web.access.guard import LOOPBACK_NAMES
from livekpi.web.access.tokens import Tokens, is_loopback, tokens_for
from livekpi.web.app import App
from livekpi.web.door.door import Inlet
from livekpi.web.running.alerts import RunningAlerts
from livekpi.web.running.cursors import Cursors
from livekpi.web.running.numbers import Running
from livekpi.web.server import Server, parse_listen

log = structlog.get_logger()

DEFAULT_LISTEN = "127.0.0.1:8321"
MIB = 1 << 20
COLLECT_AFTER = 50_000
"""So many objects more than before are made before the youngest are searched for garbage: more than a batch holds at once."""
OPEN_FILES = 65_536
"""So many files and connections may be open where the system allows it."""
STOP_S = 4.0
"""How long all parts together may take to end, when it is stopped; what has not ended is then left behind."""
LAST_S = 4.5
"""How long after a signal the process ends at the latest, in whatever it is: nothing that was committed or accepted is lost by that."""
RELOAD_S = 0.25
"""How long of that the loading of a changed file may take to end: it can take as long as it likes, and changes nothing that is kept."""
LOOK_S = 1
"""How often the main thread looks whether it is to stop: a signal wakes it only where the system gave it to this thread."""


@dataclass(frozen=True)
class Parts:
    """A definition with all that is open for it."""

    definition: Definition
    store: Store
    engine: Engine
    logs: Mapping[str, IngestLog]
    metrics: Metrics
    clock: Clock
    job: Supervisor | None = None
    """Who watches over the job, where a cluster computes."""


@contextmanager
def opened(definition: Definition, data: Path, clock: Clock, *, once: bool) -> Iterator[Parts]:
    """Opens store, ingest logs, sources and engine; closes them again in order."""
    metrics = Metrics(CollectorRegistry())
    with ExitStack() as stack:
        store = Store.open(data, clock, memory_mib=definition.spec.limits.memory_mib)
        stack.callback(store.close)
        with store.transaction() as cursor:
            catalog.claim(cursor, definition.spec.engine.name)
        if definition.spec.engine.cluster is not None:
            clustered = open_clustered(definition, store, data, clock, metrics, once=once)
            engine = Engine(
                definition, store, clustered.sources, clock, metrics, once=once, writer=clustered.writer, reached_us=clustered.reached
            )
            clustered.job.start()
            stack.callback(clustered.job.close)
            yield Parts(definition, store, engine, {}, metrics, clock, clustered.job)
            return
        logs: dict[str, IngestLog] = {}
        sources: dict[str, Source] = {}
        for name, source in definition.sources.items():
            if source.spec.http is not None:
                known = positions.load(store.cursor(), name, source.origin)
                committed = max((row.position for row in known.values()), default=0)
                logs[name] = IngestLog(data / "ingest" / name, source=name, metrics=metrics, committed=committed)
                stack.callback(logs[name].close)
            sources[name] = open_source(source, definition.path.parent, data, logs.get(name), clock, metrics, once=once)
        engine = Engine(definition, store, sources, clock, metrics, once=once)
        yield Parts(definition, store, engine, logs, metrics, clock)


def run_once(file: Path, data: Path | None) -> None:
    """Reads what is there now, commits it, calls finished buckets final, says how much it was, and returns."""
    with collecting_rarely():
        definition = load_or_warn(file)
        directory = data_directory(file, data)
        with opened(definition, directory, SystemClock(), once=True) as parts:
            with stopping() as stop, progress(parts):
                parts.engine.run(stop)
            if parts.job is not None:
                parts.job.park()
            else:
                say_what_was_read(parts)


def say_what_was_read(parts: Parts) -> None:
    """Logs what became of each source's records, so that none is dead unseen."""
    for name in parts.definition.sources:
        events, dead = parts.metrics.read_of(name)
        about = {"source": name, "events": events, "dead_letters": dead}
        if dead:
            hint = f"livekpi dead-letters --data {shlex.quote(str(parts.store.directory))} --source {name}"
            log.warning("read; some records could not be counted", **about, hint=hint)
        else:
            log.info("read", **about)


def run(file: Path, data: Path | None, listen: str, token_file: Path | None, *, insecure: bool) -> None:
    """Collects, computes and serves until SIGTERM or SIGINT, then commits what has been read.

    Raises what kept it from starting, or what the engine died of.
    """
    allow_open_files()
    with collecting_rarely():
        directory = data_directory(file, data)
        definition = load_or_warn(file)
        host, port = parse_listen(listen)
        make_directory(directory)
        tokens = tokens_for(host, os.environ, token_file, directory, insecure=insecure)
        for name in sorted(tokens.kpis - definition.kpis.keys()) if tokens is not None else ():
            log.warning("a token is for a KPI that there is not", kpi=name, hint=nearest(name, definition.kpis).removeprefix("; ") or None)
        with stopping() as stop, opened(definition, directory, SystemClock(), once=False) as parts:
            serve(parts, host, port, tokens, stop)


def serve(
    parts: Parts, host: str, port: int, tokens: Tokens | None, stop: threading.Event, started: Callable[[str], None] | None = None
) -> None:
    """Runs the engine and the web until `stop`; calls `started` with the address once requests are answered."""
    engine = EngineThread(parts.engine, stop)
    alerting = Alerting(parts.definition, parts.engine.plan, parts.store, parts.clock, parts.metrics)
    cursors = Cursors(parts.store)
    backend = Running(parts.engine, cursors, parts.clock, engine.is_alive, alerting)
    alerts = RunningAlerts(cursors, lambda: backend.definition, parts.clock, alerting)
    hosts = LOOPBACK_NAMES if is_loopback(host) else None
    app = App(backend, inlets(parts), clock=parts.clock, metrics=parts.metrics, tokens=tokens, hosts=hosts, alerts=alerts, job=parts.job)
    parts.engine.subscribe(app.on_commit)
    measure(parts)
    alerting.subscribe(app.on_alerts)
    alerting.attach(parts.engine)
    server = Server(app, host, port, app.stop)
    reloader = reloading(parts.definition, backend, app)
    parts.engine.install()
    engine.start()
    try:
        alerting.start()
        server.start()
        assert parts.store.lock is not None
        parts.store.lock.announce(server.address)
        log.info("listening", address=f"http://{server.address}", data=str(parts.store.directory))
        reloader.start()
        if started is not None:
            started(server.address)
        while not stop.wait(LOOK_S):
            pass
    finally:
        stop.set()
        deadline = Deadline(STOP_S)
        reloader.close(RELOAD_S)
        server.stop(deadline.left_s())
        engine.join(deadline.left_s())
        alerting.close(deadline)
    if engine.error is not None:
        raise engine.error


def reloading(definition: Definition, backend: Running, app: App) -> Reloader:
    """Brings what changes in the file to those who look."""

    def show(found: Definition) -> None:
        backend.show(found)
        app.on_definition()

    def outdated(why: str) -> None:
        backend.outdated(why)
        app.on_definition()

    return Reloader(definition, os.environ, show, outdated)


class EngineThread(threading.Thread):
    """The engine's loop on a thread; `error` is what it died of. When it ends, so does the server."""

    def __init__(self, engine: Engine, stop: threading.Event) -> None:
        super().__init__(name="engine", daemon=True)
        self.error: BaseException | None = None
        self._engine, self._stop_event = engine, stop

    def run(self) -> None:
        try:
            self._engine.run(self._stop_event)
        except BaseException as error:  # noqa: BLE001 - raised on the main thread
            self.error = error
        finally:
            self._stop_event.set()


def inlets(parts: Parts) -> dict[str, Inlet]:
    """What the doors of the http sources lead to."""
    found = {}
    for name, log_ in parts.logs.items():
        source = parts.definition.sources[name]
        assert source.spec.http is not None
        limits = source.spec.http
        found[name] = Inlet(log_, partial(Decoded.of, parts.engine.decoder(name)), limits.max_body_mib * MIB, limits.max_behind_mib * MIB)
    return found


def measure(parts: Parts) -> None:
    """Lets /metrics look up what is only known when somebody asks."""
    process = psutil.Process()
    parts.metrics.measure(store_bytes=parts.store.size_bytes, process_memory_bytes=lambda: process.memory_info().rss, lag=parts.engine.lag)
    ProcessCollector(registry=parts.metrics.registry)


def allow_open_files() -> None:
    """Lets this process have as many files and connections open as it may allow itself: often 1,024 are allowed at first, and each viewer
    takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """While a process does nothing but run, what is loaded is not searched for garbage, and the rest less often.

    Records come and go by the thousand in a batch, and none of them is in a circle; searching them for one took a tenth of the time.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()  # else DuckDB complains at the process's end of what is left, on stderr


def load_or_warn(file: Path) -> Definition:
    """The definition; its warnings go to the log. Raises DefinitionError, also for what its engine can't do."""
    definition = load(file, os.environ)
    refused = engine_problems(definition)
    if refused:
        raise DefinitionError(refused)
    for problem in definition.warnings:
        log.warning(str(problem))
    return definition


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, and SIGHUP where a terminal is closed; a second SIGINT waits for nothing more.

    Without a terminal SIGHUP does nothing: it asks for the file to be read anew, which happens without. After a signal the process ends
    within `LAST_S`.
    """
    stop, told = threading.Event(), False
    with ending_at_last(stop, LAST_S) as tell:

        def on_signal(number: int, frame: FrameType | None) -> None:
            nonlocal told
            if told and number == signal.SIGINT:
                signal.default_int_handler(number, frame)
            told = True
            tell()

        with _handled(on_signal):
            yield stop


@contextmanager
def _handled(on_signal: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Has signals that ask for the end handled by `on_signal`."""
    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None] | signal.Handlers] = {
        signal.SIGTERM: on_signal,
        signal.SIGINT: on_signal,
    }
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup has set it otherwise
        handlers[signal.SIGHUP] = on_signal if os.isatty(0) else signal.SIG_IGN
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
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
