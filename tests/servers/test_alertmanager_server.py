from pathlib import Path

import pytest

from tests.servers.alertmanager_server import alertmanager_binary
from tests.servers.cache import UnavailableError


def script(path: Path, text: str = "exit 0") -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def environ(path: Path) -> dict[str, str]:
    return {"PATH": str(path), "LIVEKPI_TEST_CACHE": str(path / "cache")}


@pytest.mark.parametrize("name", ["alertmanager", "prometheus-alertmanager"])
def test_one_that_is_installed_is_taken(tmp_path: Path, name: str) -> None:
    assert script(tmp_path / name) == alertmanager_binary(environ(tmp_path))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="Alertmanager needs `go`, which is not on PATH"):
        alertmanager_binary(environ(tmp_path))


def test_what_go_says_is_passed_on(tmp_path: Path) -> None:
    script(tmp_path / "go", "echo 'no such module' >&2; exit 1")
    with pytest.raises(UnavailableError, match=r"Go could not build .*/cmd/alertmanager@v[0-9.]+:\nno such module"):
        alertmanager_binary(environ(tmp_path))
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_go_builds_is_built_once(tmp_path: Path) -> None:
    script(tmp_path / "go", 'echo built >> "$GOBIN/alertmanager"')
    first, second = alertmanager_binary(environ(tmp_path)), alertmanager_binary(environ(tmp_path))
    assert first == second
    assert first.read_text() == "built\n"
