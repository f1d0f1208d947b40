"""Imports livekpi once, and forks a life of it for each line that asks for one: ``python forking.py``, a JSON object a line in and out.

``{"arguments": […], "output": PATH, "errors": PATH}`` begins ``livekpi ARGUMENTS…`` and is answered with its process id, and
``{"pid": …}`` with its exit code, null while it runs. The end of the lines means that the starter is gone, however it went:
then all that runs is killed.
"""

import json
import os
import signal
import threading
from typing import Any

import livekpi.asking  # these four are what a life would import
import livekpi.letters
import livekpi.run
import livekpi.sources.kafka  # noqa: F401
from livekpi.cli import main as livekpi_main


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.dup(1)
    lives: set[int] = set()
    for line in requests:
        request = json.loads(line)
        if "pid" in request:
            answer = {"code": _code(request["pid"], lives)}
        else:
            assert threading.active_count() == 1, "a life would miss what runs beside"
            pid = os.fork()
            if pid == 0:
                requests.close()
                os.close(answers)
                return _live(request)
            lives.add(pid)
            answer = {"pid": pid}
        os.write(answers, json.dumps(answer).encode() + b"\n")
    for pid in lives:
        os.kill(pid, signal.SIGKILL)
    return None


def _code(pid: int, lives: set[int]) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    lives.discard(ended)
    return os.waitstatus_to_exitcode(status) if ended else None


def _live(request: dict[str, Any]) -> None:
    """What an interpreter of its own would do from here on."""
    os.setsid()
    appending = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for place, path, how in ((0, os.devnull, os.O_RDONLY), (1, request["output"], appending), (2, request["errors"], appending)):
        opened = os.open(path, how, 0o644)
        os.dup2(opened, place)
        os.close(opened)
    livekpi_main(request["arguments"], prog_name="livekpi")


if __name__ == "__main__":
    main()
