"""A data directory is all there is: a copy of one that nobody writes goes on elsewhere, also where its server was killed."""

import random
import shutil
from pathlib import Path

import pytest

from tests.faults.livekpi_server import LivekpiServer
from tests.faults.posting import Client
from tests.faults.traffic import DEFINITION, Traffic


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_copy_goes_on_elsewhere(how: str, rng: random.Random, begin_us: int, tmp_path: Path) -> None:
    definition, traffic = DEFINITION.format(source="http: {}"), Traffic(rng, begin_us, bad=0)
    here, elsewhere = (tmp_path / name for name in ("here", "elsewhere"))
    here.mkdir()
    elsewhere.mkdir()
    first = LivekpiServer(here, definition)
    second = LivekpiServer(elsewhere, definition)
    try:
        first.start()
        first.wait_until_it_answers()
        post(first, traffic, 3_000)
        if how == "stopped":
            first.process.terminate()
            assert first.process.wait(10) == 0
        else:
            first.process.kill()
        shutil.copytree(first.data, second.data)
        shutil.rmtree(first.data)
        second.start()
        second.wait_until_it_answers()
        post(second, traffic, 500)
        second.until_all_are_counted(traffic)
        second.check(traffic)
    finally:
        first.close()
        second.close()


def post(server: LivekpiServer, traffic: Traffic, count: int) -> None:
    """Posts so many events to each source."""
    body = b"\n".join(traffic.record() or b"" for _ in range(count))
    client = Client(server.address)
    for source in ("shop", "every_one"):
        answer = client.post(source, body)
        assert answer is not None
        assert answer[0] == 202
    client.close()
