"""What all servers that tests need have in common: how they are begun, and that they are ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import pytest

from tests.servers.cache import UnavailableError


class Server(Protocol):
    """A server that runs, or is about to."""

    def wait_ready(self) -> None:
        """Returns when it answers; raises where it won't."""

    def close(self) -> None:
        """Ends it."""


S = TypeVar("S", bound=Server)


def ready(server: S) -> S:
    """The server once it answers; where it does not, it is ended, and what kept it raised."""
    try:
        server.wait_ready()
    except BaseException:
        server.close()
        raise
    return server


@contextmanager
def offered(name: str, start: Callable[[], S]) -> Iterator[S]:
    """A server while it is needed; a test whose server can't be had is skipped, with the reason."""
    try:
        server = start()
    except UnavailableError as error:
        pytest.skip(f"no {name}: {error}")
    try:
        yield server
    finally:
        server.close()
