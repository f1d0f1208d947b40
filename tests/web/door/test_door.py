import errno
import gzip
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from livekpi.disk import Disk
from tests.web.answers import problem
from tests.web.world import GOOD, NOW_US, Client, World, client_of, make_world

URL = "/v1/events/app"
WRONG = b'{"ts": "2026-03-01T12:00:00Z", "user": 7}'


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (GOOD, [GOOD]),
        (GOOD + b"\n" + GOOD + b"\n", [GOOD, GOOD]),
        (GOOD + b"\r\n\r\n  \n" + GOOD, [GOOD + b"\r", GOOD]),
        (b"[" + GOOD + b" , " + GOOD + b"]", [GOOD, GOOD]),
        (b'\xef\xbb\xbf{\n "ts": "2026-03-01T12:00:00Z",\n "user": "ann"\n}\n', [b'{\n "ts": "2026-03-01T12:00:00Z",\n "user": "ann"\n}']),
        (b'[{"ts": "2026-03-01T12:00:00Z",\n "user": "ann"}\n]', [b'{"ts": "2026-03-01T12:00:00Z",  "user": "ann"}']),
        (b"\n\n [" + GOOD + b"]", [GOOD]),
    ],
    ids=["object", "lines", "blank lines", "array", "object over lines", "array over lines", "array after blanks"],
)
def test_events_are_taken_in_every_form(client: Client, world: World, body: bytes, records: list[bytes]) -> None:
    answer = client.post(URL, content=body)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": len(records), "dead": 0, "errors": []}
    assert world.logged() == records


def test_an_empty_array_is_taken_and_holds_nothing(client: Client, world: World) -> None:
    assert client.post(URL, content=b"[]").json() == {"accepted": 0, "dead": 0, "errors": []}
    assert world.logged() == []


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "zstd"])
def test_compressed_bodies(client: Client, world: World, encoding: str) -> None:
    packed = zstandard.ZstdCompressor().compress(GOOD) if encoding == "zstd" else gzip.compress(GOOD)
    assert client.post(URL, content=packed, headers={"Content-Encoding": encoding}).status_code == 202
    assert world.logged() == [GOOD]


def test_broken_events_cost_no_other_theirs_and_are_kept(client: Client, world: World) -> None:
    body = b"\n".join([GOOD, WRONG, b"", b"{broken", GOOD])
    answer = client.post(URL, content=body)
    assert answer.status_code == 202
    found = answer.json()
    assert (found["accepted"], found["dead"]) == (2, 2)
    assert [(error["line"], error["field"]) for error in found["errors"]] == [(2, "user"), (4, None)]
    assert found["errors"][0]["reason"] == "expected a string, got 7"
    assert world.logged() == [GOOD, WRONG, b"{broken", GOOD]
    assert world.value("livekpi_http_events_total", source="app", seen="good") == 2
    assert world.value("livekpi_http_events_total", source="app", seen="dead") == 2


def test_an_event_too_far_ahead_is_told_by_its_arrival(client: Client, world: World) -> None:
    late = b'{"ts": "2026-03-01T12:05:01Z", "user": "ann"}'
    assert client.post(URL, content=late).json()["dead"] == 1
    world.clock.set_us(NOW_US + 1_000_000)
    assert client.post(URL, content=late).json()["dead"] == 0


def test_at_most_twenty_errors_are_told(client: Client) -> None:
    found = client.post(URL, content=b"\n".join([GOOD, *[WRONG] * 30])).json()
    assert found["dead"] == 30
    assert len(found["errors"]) == 20


@pytest.mark.parametrize(
    ("body", "headers", "says"),
    [
        (b"", {}, "holds no event"),
        (b" \n \r\n", {}, "holds no event"),
        (b"hello\nworld", {}, "nothing in the body is JSON; line 1"),
        (b"[1, 2", {}, "begins with [ but is no JSON array"),
        (b"[" * 100_000, {}, "begins with [ but is no JSON array"),
        (GOOD, {"Content-Encoding": "gzip"}, "not what `Content-Encoding: gzip` says"),
        (gzip.compress(GOOD, mtime=0)[:-9], {"Content-Encoding": "gzip"}, "cut short"),
        (zstandard.ZstdCompressor().compress(GOOD)[:-1], {"Content-Encoding": "zstd"}, "cut short"),
    ],
)
def test_what_can_not_be_read_at_all_is_a_bad_request(
    client: Client, world: World, body: bytes, headers: dict[str, str], says: str
) -> None:
    assert says in problem(client.post(URL, content=body, headers=headers), 400)
    assert world.logged() == []
    assert world.value("livekpi_http_refused_requests_total", status="400") == 1


def test_an_unknown_encoding(client: Client) -> None:
    answer = client.post(URL, content=GOOD, headers={"Content-Encoding": "br"})
    assert "send gzip or zstd" in problem(answer, 415)
    assert answer.headers["accept-encoding"] == "gzip, zstd"


@pytest.mark.parametrize("source", ["nowhere", "shop"])
def test_a_source_without_a_door(client: Client, source: str) -> None:
    assert "those that do: app" in problem(client.post(f"/v1/events/{source}", content=GOOD), 404)


def test_a_get_is_not_for_the_door(client: Client) -> None:
    answer = client.get(URL)
    assert "it takes POST" in problem(answer, 405)
    assert answer.headers["allow"] == "POST"


BOMB = bytes(2**24)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BOMB, {}),
        (gzip.compress(BOMB), {"Content-Encoding": "gzip"}),
        (zstandard.ZstdCompressor().compress(BOMB), {"Content-Encoding": "zstd"}),
        (b"\n".join([b"1"] * 500_001), {}),
        (b"[" + b",".join([b"1"] * 500_001) + b"]", {}),
    ],
    ids=["plain", "gzip", "zstd", "lines", "elements"],
)
def test_too_large_a_body(client: Client, world: World, body: bytes, headers: dict[str, str]) -> None:
    assert "fewer" in problem(client.post(URL, content=body, headers=headers), 413)
    assert world.logged() == []


def test_too_large_a_body_of_unknown_length(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(2000):
            yield BOMB[:1000]

    assert "send fewer events at a time (`max_body_mib`" in problem(client.post(URL, content=pieces()), 413)


def test_an_engine_too_far_behind(tmp_path: Path) -> None:
    with make_world(tmp_path, max_behind_bytes=100) as world, client_of(world) as client:
        assert client.post(URL, content=GOOD + b"\n" + GOOD).status_code == 202
        answer = client.post(URL, content=GOOD)
        assert "`max_behind_mib` sets the limit" in problem(answer, 429)
        assert int(answer.headers["retry-after"]) > 0
        world.log.release(world.log.end)
        assert client.post(URL, content=GOOD).status_code == 202


def test_a_stopping_server_takes_nothing(client: Client) -> None:
    client.stop()
    assert "stopping" in problem(client.post(URL, content=GOOD), 503)


def test_a_full_disk_and_room_again(tmp_path: Path) -> None:
    room = False

    def write(descriptor: int, buffers: object, offset: int) -> int:
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.pwritev(descriptor, buffers, offset)  # type: ignore[arg-type]

    with make_world(tmp_path, disk=Disk(write=write)) as world, client_of(world) as client:
        answer = client.post(URL, content=GOOD)
        assert "No space left on device" in problem(answer, 503)
        assert "retry-after" in answer.headers
        assert "No space left" in problem(client.get("/readyz"), 503)
        room = True
        assert client.post(URL, content=GOOD).status_code == 202
        assert client.get("/readyz").status_code == 200
        assert world.logged() == [GOOD]


def test_the_answer_waits_for_the_sync(tmp_path: Path) -> None:
    asked, go = Event(), Event()

    def sync(_descriptor: int) -> None:
        asked.set()
        assert go.wait(30)

    with make_world(tmp_path, disk=Disk(sync=sync)) as world, client_of(world) as client, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, URL, content=GOOD)
        assert asked.wait(30)
        assert client.get("/healthz").status_code == 200  # the server answers others meanwhile
        assert not answer.done()
        go.set()
        assert answer.result(30).status_code == 202


def test_too_many_bytes_at_a_time(tmp_path: Path) -> None:
    asked, go = Event(), Event()

    def sync(_descriptor: int) -> None:
        asked.set()
        assert go.wait(30)

    with make_world(tmp_path, disk=Disk(sync=sync)) as world, client_of(world) as client, ThreadPoolExecutor(1) as pool:
        held = world.app._door._held
        held._limit = 3 * len(GOOD)  # a body counts as it came and as it goes into the log
        first = pool.submit(client.post, URL, content=GOOD)
        assert asked.wait(30)
        answer = client.post(URL, content=GOOD + b"\n" + GOOD)
        go.set()
        assert f"{2 * len(GOOD)} bytes of other requests are being worked on" in problem(answer, 429)
        assert "retry-after" in answer.headers
        assert first.result(30).status_code == 202
        assert client.post(URL, content=GOOD).status_code == 202
        assert held._bytes == 0


def test_an_error_of_our_own_is_a_problem_without_its_insides(tmp_path: Path) -> None:
    with make_world(tmp_path) as world, client_of(world) as client:
        world.backend.error = ZeroDivisionError("secret")
        assert "secret" not in problem(client.get("/v1/kpis/users"), 500)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Client]]:
    with make_world(tmp_path_factory.mktemp("door"), max_behind_bytes=2**40) as world, client_of(world) as client:
        yield world, client


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ts", "user", "amount", "x"]), inner, max_size=4),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())
LINE = st.one_of(st.just(GOOD), st.just(WRONG), JSON, st.binary(max_size=30), st.just(b""), st.just(GOOD[:-1]))
BODY = st.one_of(
    st.lists(LINE, max_size=6).map(b"\n".join), st.lists(JSON, max_size=4).map(lambda each: b"[" + b",".join(each) + b"]"), st.binary()
)
PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


@settings(deadline=None, max_examples=300)
@given(BODY, st.sampled_from(list(PACK)), st.booleans())
def test_any_body_is_taken_whole_or_refused_with_a_problem(
    shared: tuple[World, Client], body: bytes, encoding: str, really_packed: bool
) -> None:
    world, client = shared
    before = world.log.end
    sent = PACK[encoding](body) if really_packed else body
    answer = client.post(URL, content=sent, headers={"Content-Encoding": encoding} if encoding else {})
    if answer.status_code != 202:
        assert answer.status_code in {400, 413}
        assert problem(answer, answer.status_code)
        assert world.log.end == before
        return
    found = answer.json()
    assert len(found["errors"]) == min(found["dead"], 20)
    assert all(error["reason"] for error in found["errors"])
    records = world.logged(before)
    assert len(records) == found["accepted"] + found["dead"]
    assert all(record is not None and record.strip() for record in records)
    if GOOD in body.split(b"\n") and not body.lstrip().startswith(b"[") and not body.startswith(b"\xef\xbb\xbf"):
        assert GOOD in records
