"""The disk is full: livekpi takes nothing more, says so, loses nothing that it answered for, and goes on when there is room."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.faults.livekpi_server import LivekpiServer, nothing_wrong
from tests.faults.posting import Body, Client
from tests.faults.test_http_kills import by_body, wrong_bodies
from tests.faults.traffic import DEFINITION, Traffic

MIB = 2**20
FILES = """
sources:
  door:
    http: {}
    time: ts
    fields: { ts: timestamp, sku: string }
  lines:
    file: { path: "lines.ndjson", format: ndjson, follow: true }
    time: ts
    id: event_id
    fields: { ts: timestamp, event_id: string }
kpis:
  posted: { source: door, value: count(*), every: 1m }
  read:   { source: lines, value: count(*), every: 1m }
"""


class Disk:
    """A small file system in memory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.size_mib = 0

    def mount(self, size_mib: int) -> None:
        """Raises OSError where this is not permitted."""
        self._run("mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(self.directory))
        self.size_mib = size_mib

    def enlarge(self, size_mib: int) -> None:
        self._run("mount", "-o", f"remount,size={size_mib}m", str(self.directory))
        self.size_mib = size_mib

    def free_bytes(self) -> int:
        found = os.statvfs(self.directory)
        return found.f_bavail * found.f_frsize

    def fill(self, leave_bytes: int) -> None:
        """Takes all room but so much by a file of its own, `filler`."""
        with (self.directory / "filler").open("ab") as filler:
            size = self.free_bytes() - leave_bytes
            if size > 0:
                os.posix_fallocate(filler.fileno(), filler.tell(), size)

    def clear(self) -> None:
        """Removes the filler."""
        (self.directory / "filler").unlink()

    def unmount(self) -> None:
        if self.size_mib:
            self._run("umount", "-l", str(self.directory))

    @staticmethod
    def _run(*command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise OSError(done.stderr.strip())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux":
        pytest.skip("needs Linux: a small tmpfs is mounted")
    found = Disk(tmp_path / "disk")
    found.directory.mkdir()
    try:
        found.mount(24)
    except OSError as error:
        pytest.skip(f"needs the right to mount a small tmpfs: {error}")
    yield found
    found.unmount()


def readiness(server: LivekpiServer) -> tuple[int, str]:
    connection = HTTPConnection(server.address, timeout=30)
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    found = response.status, response.read().decode()
    connection.close()
    return found


def post_until_refused(client: Client, source: Traffic, bodies: list[Body], rng: random.Random) -> None:
    """Posts bodies of `every_one` until one is refused; notes down what became of each."""
    for _ in range(10_000):
        name = f"body {len(bodies)}"
        events = [replace(source.event(), country=name) for _ in range(500)]
        bodies.append(Body(name, events, client.send("every_one", [event.record() for event in events], rng)))
        if bodies[-1].outcome != "accepted":
            return
    raise AssertionError("the disk never filled")


def stays_full(disk: Disk, server: LivekpiServer, client: Client, source: Traffic, bodies: list[Body], rng: random.Random) -> bool:
    """Whether, with what room the store gave back taken again, a body is refused, and it says so."""
    disk.fill(leave_bytes=0)
    known = len(bodies)
    post_until_refused(client, source, bodies, rng)
    status, why = readiness(server)
    return len(bodies) == known + 1 and status == 503 and "No space left" in why


def posts_again(server: LivekpiServer, client: Client, source: Traffic, bodies: list[Body], rng: random.Random) -> None:
    """Waits until a body is taken."""

    def taken() -> bool:
        name = f"body {len(bodies)}"
        events = [replace(source.event(), country=name)]
        bodies.append(Body(name, events, client.send("every_one", [event.record() for event in events], rng)))
        return bodies[-1].outcome == "accepted"

    server.until(taken, timeout_s=30)


def test_full_and_room_again(disk: Disk, rng: random.Random, begin_us: int) -> None:
    server = LivekpiServer(disk.directory.parent, DEFINITION.format(source="http: {}"), data=disk.directory / "data")
    source, bodies = Traffic(rng, begin_us, bad=0), list[Body]()
    client = Client(server.address)
    server.start()
    try:
        server.wait_until_it_answers()
        post_until_refused(client, source, bodies, rng)
        assert bodies[-1].outcome == "refused"
        server.until(lambda: stays_full(disk, server, client, source, bodies, rng))
        assert server.get("/healthz")
        disk.enlarge(160)
        disk.clear()
        posts_again(server, client, source, bodies, rng)
        server.until(lambda: readiness(server)[0] == 200, timeout_s=60)
        nothing_lost(server, bodies)
        server.process.kill()
        server.start()
        server.wait_until_it_answers()
        nothing_lost(server, bodies)
    finally:
        client.close()
        server.close()


def nothing_lost(server: LivekpiServer, bodies: list[Body]) -> None:
    accepted = sum(len(body.events) for body in bodies if body.outcome == "accepted")
    server.until(lambda: server.count() >= accepted)
    nothing_wrong(wrong_bodies(bodies, by_body(server, "every_event"), by_body(server, "every_revenue")))


def test_the_store_fills_while_files_are_read(disk: Disk) -> None:
    """No request comes that could notice: the engine notices, waits and goes on."""
    lines = disk.directory.parent / "lines.ndjson"
    server = LivekpiServer(disk.directory.parent, FILES, data=disk.directory / "data")
    server.start()
    try:
        server.wait_until_it_answers()
        write(lines, range(1_000))
        server.until(lambda: read(server) == 1_000)
        disk.fill(leave_bytes=64 * 2**10)
        write(lines, range(1_000, 200_000))
        server.until(lambda: "disk: " in readiness(server)[1])
        assert server.get("/healthz")
        write(lines, range(200_000, 201_000))
        disk.clear()
        disk.enlarge(160)
        server.until(lambda: read(server) >= 201_000)
        assert read(server) == 201_000
        server.until(lambda: readiness(server)[0] == 200)
        server.process.terminate()
        assert server.process.wait(5) == 0
    finally:
        server.close()


def write(path: Path, numbers: range) -> None:
    """Adds events, each with an id, and each twice."""
    with path.open("a") as file:
        file.writelines(f'{{"ts": "2026-03-01T12:00:00Z", "event_id": "e{number}"}}\n' * 2 for number in numbers)


def read(server: LivekpiServer) -> Any:
    """How many it has counted; 0 while it can't say, which is so between two attempts to open the store of a full disk."""
    answer = server.answer("/v1/kpis/read?step=all")
    return 0 if answer is None else sum(point["value"] for point in answer["points"])
