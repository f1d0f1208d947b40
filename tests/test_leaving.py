"""A process ends at once, whatever its threads still do; and as any other where they are done."""

import subprocess
import sys

import pytest

PREAMBLE = """
import atexit, sys, threading
from concurrent.futures import ThreadPoolExecutor
from livekpi.leaving import ending_at_last, leaving
atexit.register(print, "as any other")
begun = threading.Event()
def forever():
    begun.set()
    while True:
        pass
"""


def ended(block: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PREAMBLE + block], capture_output=True, text=True, timeout=30, check=False)


GOING_ON = """
with leaving(0.1):
    threading.Thread(target=ThreadPoolExecutor(1).submit, args=[forever], daemon=True).start()  # the pool's thread is a daemon too
    begun.wait()
    print("said")
    """


@pytest.mark.parametrize(("last", "code"), [("pass", 0), ("sys.exit()", 0), ("sys.exit(3)", 3), ("sys.exit('why')", 1)])
def test_it_does_not_wait_for_a_thread_that_goes_on(last: str, code: int) -> None:
    found = ended(GOING_ON + last)
    assert (found.returncode, found.stdout) == (code, "said\n")


@pytest.mark.parametrize(
    ("last", "said"), [("raise KeyboardInterrupt", "\nAborted!\n"), ("1 / 0", "ZeroDivisionError: division by zero\n")]
)
def test_nor_where_it_ends_by_an_error_and_says_by_which(last: str, said: str) -> None:
    found = ended(GOING_ON + last)
    assert (found.returncode, found.stdout) == (1, "said\n")
    assert found.stderr.endswith(said)


def test_nor_does_who_interrupts_it_once_more() -> None:
    block = GOING_ON.replace("0.1", "20") + "threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT]).start()"
    heard = "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is begun without\n"
    found = ended(heard + block)
    assert (found.returncode, found.stdout, found.stderr) == (1, "said\n", "\nAborted!\n")


def test_a_thread_that_python_did_not_begin_is_not_waited_for() -> None:
    found = ended("""
import _thread, time
def foreign():
    threading.current_thread()
    begun.set()
    time.sleep(60)
with leaving(20):
    _thread.start_new_thread(foreign, ())
    begun.wait()
sys.exit(3)
""")
    assert (found.returncode, found.stdout, found.stderr) == (3, "as any other\n", "")


def test_threads_that_are_told_to_end_may() -> None:
    found = ended("""
with leaving(20):
    pool = ThreadPoolExecutor(2)
    pool.submit(begun.set)
    pool.shutdown(wait=False)
    sys.exit(3)
""")
    assert (found.returncode, found.stdout) == (3, "as any other\n")


def test_a_fault_keeps_its_stack() -> None:
    found = ended("""
with leaving(20):
    1 / 0
""")
    assert (found.returncode, found.stdout) == (1, "as any other\n")
    assert "ZeroDivisionError" in found.stderr


@pytest.mark.parametrize(("told", "code"), [(True, 0), (False, 3)])
def test_what_was_told_to_end_ends_at_last_and_only_that(told: bool, code: int) -> None:
    found = ended(f"""
stop = threading.Event()
with ending_at_last(stop, 0.1) as tell:
    if {told}:
        tell()
        forever()
    assert not stop.wait(0.5)
sys.exit(3)
""")
    assert found.returncode == code
    assert ("not all has ended in time" in found.stderr + found.stdout) == told


def test_who_ends_in_time_ends_as_any_other() -> None:
    found = ended("""
stop = threading.Event()
with ending_at_last(stop, 0.2) as tell:
    tell()
    stop.wait()
threading.Event().wait(0.5)
sys.exit(3)
""")
    assert (found.returncode, found.stdout) == (3, "as any other\n")


def test_a_signal_may_come_amid_what_one_leads_to() -> None:
    found = ended("""
import signal
from livekpi.run import stopping
with stopping() as stop:
    with stop._cond:  # which this thread has amid `wait`
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    assert stop.wait(20)
sys.exit(3)
""")
    assert (found.returncode, found.stdout) == (3, "as any other\n")
