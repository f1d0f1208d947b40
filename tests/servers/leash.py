"""Becomes a command that dies when its starter does: ``python leash.py COMMAND…`` with a pipe as stdin.

A child stays behind and reads the pipe. A byte lets it go; the end of the pipe without one means that the starter is
gone, however it went, and then the command is killed.
"""

import os
import signal
import sys


def main() -> None:
    command = os.getpid()
    if os.fork() == 0:
        os.setsid()  # a Ctrl-C in the terminal is for the starter
        released = os.read(0, 1)
        if not released:
            os.kill(command, signal.SIGKILL)
        os._exit(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.execvp(sys.argv[1], sys.argv[1:])  # keeps the process id, so a signal to the starter's child is one to the command


if __name__ == "__main__":
    main()
