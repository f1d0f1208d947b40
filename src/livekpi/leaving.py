"""The end of a process, in time: it does not wait for answers which nobody awaits any more."""

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue

import structlog

PATIENCE_S = 0.25
"""How long threads may still take that were told to end."""
log = structlog.get_logger()


class Deadline:
    """A time that several waits share."""

    def __init__(self, after_s: float) -> None:
        self._at_s = time.monotonic() + after_s

    def left_s(self) -> float:
        """How long it is until then; 0 once it has passed."""
        return max(0.0, self._at_s - time.monotonic())


@contextmanager
def leaving(patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Ends the process with what is done within it, in whatever way that ends and whatever threads begun there still compute.

    All that must be on disk is there by then. Python itself would wait for the threads of a pool as long as they like, daemons or not, and
    ending other daemons amid a library's code can crash it. Where none is left after `patience_s`, the process ends as any other.
    """
    before = set(threading.enumerate())
    try:
        yield
    except BaseException as end:
        _leave(end, before, patience_s)
        raise
    _leave(None, before, patience_s)


@contextmanager
def ending_at_last(stop: threading.Event, after_s: float) -> Iterator[Callable[[], None]]:
    """Gives what tells to end: it sets `stop`, and ends the process with 0 where what is done within has not ended `after_s` later.

    A handler of signals may call it, even amid such a call: it only puts something into a queue, whereas setting an event takes a lock that
    the thread it interrupts may hold.
    """
    told = SimpleQueue[bool]()
    over = threading.Event()

    def look() -> None:
        if not told.get():
            return
        stop.set()
        if not over.wait(after_s):
            log.warning("not all has ended in time; what was not committed is read again by the next start")
            os._exit(0)

    watch = threading.Thread(target=look, name="last", daemon=True)
    watch.start()
    try:
        yield partial(told.put, True)
    finally:
        over.set()
        told.put(False)
        watch.join()


def _leave(end: BaseException | None, before: Collection[threading.Thread], patience_s: float) -> None:
    """`end` is what is raised, if anything is."""
    try:
        if _ended(before, Deadline(patience_s)):
            return
    except KeyboardInterrupt as impatient:  # who waits for nothing more
        end = end or impatient
    code = _told(end)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _told(end: BaseException | None) -> int:
    """What a process ends with that ends by this; says why, as is said where it is raised on."""
    if end is None:
        return 0
    if isinstance(end, SystemExit):
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    if isinstance(end, KeyboardInterrupt):
        sys.stderr.write("\nAborted!\n")
    else:
        sys.excepthook(type(end), end, end.__traceback__)
    return 1


def _ended(before: Collection[threading.Thread], deadline: Deadline) -> bool:
    """Whether no thread is left but those that were there before, and those that Python did not begin: it waits for none of them."""
    begun = {thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}  # noqa: SLF001 - nothing else tells
    others = begun.difference(before)
    for thread in others:
        thread.join(deadline.left_s())
    return not any(thread.is_alive() for thread in others)
