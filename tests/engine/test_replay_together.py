"""Dead letters that are fed back together: decoded at once, and each with its own end."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from livekpi.engine.replay import Replay
from livekpi.events import Events
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.store import dead_letters
from tests.rehearsed import definition, points, rehearsed, send

MADE = definition("n: integer", {"total": "value: sum(n)"})
MINUTE = "2026-03-01T12:00"


def mended(n: object) -> bytes:
    return json.dumps({"ts": f"{MINUTE}:00Z", "n": n}).encode()


def test_many_are_decoded_by_few_calls_and_each_has_its_own_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decode, calls = Decoder.decode, list[int]()

    def counting(decoder: Decoder, chunks: Sequence[Chunk], arrived_us: int) -> Events:
        calls.append(len(chunks))
        return decode(decoder, chunks, arrived_us)

    with rehearsed(tmp_path, MADE) as server:
        for partition in (0, 1):
            send(server, *({"n": f"x{partition}{place}"} for place in range(50)), partition=partition)
        even = {number: mended(number) for number in range(2, 101, 2)}
        done = server.engine.replay(Replay(tuple(range(1, 101)), even))
        monkeypatch.setattr(Decoder, "decode", counting)
        server.commit()
        found = done.result(0)
        assert found.fed == tuple(even)
        assert [number for number, _ in found.dead] == list(range(1, 101, 2))
        reasons = dict(found.dead)
        assert [reasons[number].rpartition(" ")[2] for number in (1, 49, 51, 99)] == ['"x00"', '"x048"', '"x10"', '"x148"']
        assert [point.value for point in points(server, "total", step="all")] == [sum(even)]
        assert calls == [100, 50]
        with closing(server.store.cursor()) as cursor:
            assert [letter.number for letter in dead_letters.find(cursor)] == list(range(1, 101, 2))


def test_two_letters_of_one_record_end_each_by_itself(tmp_path: Path) -> None:
    """A source that was begun anew may have both."""
    with rehearsed(tmp_path, MADE) as server:
        send(server, {"n": "x"})
        with server.store.transaction() as cursor:
            for number in (2, 3):
                cursor.execute(f"INSERT INTO dead_letters SELECT * REPLACE ({number} AS number) FROM dead_letters WHERE number = 1")
        done = server.engine.replay(Replay((1, 2, 3), {2: mended(7), 3: mended("y")}))
        server.commit()
        found = done.result(0)
        assert found.fed == (2,)
        assert {number: why.rpartition(" ")[2] for number, why in found.dead} == {1: '"x"', 3: '"y"'}
        assert [point.value for point in points(server, "total", step="all")] == [7]
