"""Ports that nobody listens on."""

import random
import socket

_RANGE = range(15_000, 32_000)
"""Below the ports that systems hand to clients: a client that connects to a server just killed can't be given the
server's own port, meet itself there, and keep the server from coming back."""


def free_ports(count: int, rng: random.Random | None = None) -> list[int]:
    """`count` different ports of 127.0.0.1 that are free now."""
    rng = rng or random.Random()
    found: list[int] = []
    for port in rng.sample(_RANGE, k=1_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"expected {count} free ports between {_RANGE.start} and {_RANGE.stop}, found {len(found)}")
