from pathlib import Path

import pytest

from tests.servers.cache import UnavailableError, cache_directory, installed, program
from tests.servers.kafka_server import start_kafka
from tests.servers.maven import copy_jars


class Install:
    """Writes a file, and counts how often it was asked to."""

    def __init__(self, text: str) -> None:
        self.text, self.times = text, 0

    def __call__(self, directory: Path) -> None:
        self.times += 1
        (directory / "file").write_text(self.text)


def test_installs_once(tmp_path: Path) -> None:
    install = Install("first")
    homes = {installed(tmp_path / "cache", "thing", install) for _ in range(3)}
    assert homes == {tmp_path / "cache" / "thing"}
    assert install.times == 1
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["thing"]


def test_the_first_to_end_wins_and_the_other_takes_what_it_made(tmp_path: Path) -> None:
    def slow(directory: Path) -> None:
        installed(tmp_path, "thing", Install("the winner's"))
        Install("the loser's")(directory)

    assert (installed(tmp_path, "thing", slow) / "file").read_text() == "the winner's"
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_an_install_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(directory: Path) -> None:
        Install("half")(directory)
        raise UnavailableError("no network")

    with pytest.raises(UnavailableError, match="no network"):
        installed(tmp_path, "thing", fail)
    assert list(tmp_path.iterdir()) == []


def test_where_the_cache_is() -> None:
    assert cache_directory({"LIVEKPI_TEST_CACHE": "here"}) == Path("here")
    assert cache_directory({}) == Path.home() / ".cache" / "livekpi-tests"


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="Kafka needs `java`, which is not on PATH"):
        start_kafka(tmp_path, {"PATH": str(tmp_path)})
    with pytest.raises(UnavailableError, match="Flink needs `mvn`"):
        program("mvn", "Flink", {"PATH": str(tmp_path)})


def test_what_maven_says_is_passed_on(tmp_path: Path) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho 'no such artifact'; exit 1\n")
    maven.chmod(0o755)
    with pytest.raises(UnavailableError, match="Maven could not bring a:b:1:\nno such artifact"):
        copy_jars(["a:b:1"], tmp_path / "jars", {"PATH": str(tmp_path)})
