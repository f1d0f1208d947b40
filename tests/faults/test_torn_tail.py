"""The ingest log ends in a write that was never finished: it is found at the next start and reported, and costs nothing."""

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from livekpi.sources.frames import Header
from tests.faults.livekpi_server import LivekpiServer
from tests.faults.posting import Client
from tests.faults.traffic import DEFINITION, Traffic
from tests.servers.nursery import Nursery

REPORTED = "the ingest log ended in a write that was never finished nor answered; it was cut off"


def frame(position: int, payload: bytes) -> bytes:
    """A whole frame of one record, as it would stand at the end of the log."""
    return Header(len(payload), zlib.crc32(payload), 1, 1_760_000_000_000_000, position, position).encode() + payload


def no_tail(_position: int, _record: bytes) -> bytes:
    return b""


TAILS: dict[str, Callable[[int, bytes], bytes]] = {
    "half a header": lambda position, record: frame(position, record)[:20],
    "half a payload": lambda position, record: frame(position, record)[: -len(record) // 2],
    "all but one byte": lambda position, record: frame(position, record)[:-1],
    "a payload that was not written": lambda position, record: frame(position, record)[: -len(record)] + bytes(len(record)),
    "zeros": lambda _position, _record: bytes(4_096),
    "garbage": lambda _position, record: b"\xff" + record[::-1] * 20,
}


def segment(server: LivekpiServer) -> Path:
    """The log of `every_one`, which is short enough here to be one file."""
    [found] = (server.data / "ingest" / "every_one").glob("*.log")
    return found


def reported(server: LivekpiServer) -> int:
    """How often, in all its lives."""
    return server.log.read_text().count(REPORTED)


def test_a_torn_tail_is_cut_off_and_reported(rng: random.Random, begin_us: int, nursery: Nursery, tmp_path: Path) -> None:
    server = LivekpiServer(tmp_path, DEFINITION.format(source="http: {}"), nursery)
    client, source = Client(server.address), Traffic(rng, begin_us, bad=0)
    sent = 0
    whole = b""
    try:
        for torn, tail in enumerate([*TAILS.values(), no_tail]):
            server.start()
            server.wait_until_it_answers()
            assert reported(server) == torn, server.process.tail()
            assert sent == 0 or segment(server).read_bytes() == whole
            for _ in range(20):
                assert client.send("every_one", [source.event().record()], rng) == "accepted"
                sent += 1
            server.until(lambda sent=sent: server.count() >= sent)  # type: ignore[misc]
            assert server.count() == sent
            server.process.kill()
            client.close()
            whole = segment(server).read_bytes()
            segment(server).write_bytes(whole + tail(len(whole), replace(source.event(), country="torn").record()))
        server.start()
        server.wait_until_it_answers()
        assert reported(server) == len(TAILS), "a log that ends well is not reported"
        assert server.count() == sent
    finally:
        client.close()
        server.close()
    letters = server.query("dead-letters")
    assert letters == []
