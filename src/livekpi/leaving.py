"""The end of a process, in time: it does not wait for answers which nobody awaits any more."""

import os
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

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
    """Ends the process with what is done within it, whatever threads begun there still compute.

    All that must be on disk is there by then. Python itself would wait for the threads of a pool as long as they like, daemons or not, and
    ending other daemons amid a library's code can crash it. Where none is left after `patience_s`, the process ends as any other.
    """
    before = set(threading.enumerate())
    try:
        yield
    except SystemExit as end:
        _leave(end.code, before, patience_s)
        raise
    _leave(None, before, patience_s)


@contextmanager
def ending_at_last(told: threading.Event, after_s: float) -> Iterator[None]:
    """Ends the process with 0, `after_s` after it was told to, where what is done within has not ended by then."""
    over = threading.Event()

    def look() -> None:
        told.wait()
        if not over.wait(after_s):
            log.warning("not all has ended in time; what was not committed is read again by the next start")
            os._exit(0)

    watch = threading.Thread(target=look, name="last", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        told.set()
        watch.join()


def _leave(code: object, before: Collection[threading.Thread], patience_s: float) -> None:
    if _ended(before, Deadline(patience_s)):
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _ended(before: Collection[threading.Thread], deadline: Deadline) -> bool:
    """Whether no thread is left but those that were there before."""
    others = set(threading.enumerate()).difference(before)
    for thread in others:
        thread.join(deadline.left_s())
    return not any(thread.is_alive() for thread in others)
