import io
import tarfile
from pathlib import Path

import pytest

from tests.servers.cache import UnavailableError
from tests.servers.chromium import chromium


def script(path: Path, text: str = "exit 0") -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def environ(path: Path, **others: str) -> dict[str, str]:
    return {"PATH": str(path), "LIVEKPI_TEST_CACHE": str(path / "cache"), **others}


@pytest.fixture(autouse=True)
def _on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.prefix", "/nowhere")


@pytest.mark.parametrize("name", ["chromium", "google-chrome", "chromium-headless-shell"])
def test_one_that_is_installed_is_taken(tmp_path: Path, name: str) -> None:
    found = script(tmp_path / name)
    assert chromium(environ(tmp_path)).program == found


def test_one_that_is_named_goes_first(tmp_path: Path) -> None:
    script(tmp_path / "chromium")
    named = script(tmp_path / "mine")
    assert chromium(environ(tmp_path, LIVEKPI_CHROMIUM=str(named))).program == named


def test_one_that_does_not_run_says_why(tmp_path: Path) -> None:
    script(tmp_path / "chromium", "echo 'libnss3.so: cannot open shared object file' >&2; exit 127")
    with pytest.raises(UnavailableError, match=r"`chromium --version` failed:\nlibnss3.so"):
        chromium(environ(tmp_path))
    with pytest.raises(UnavailableError, match="`mine --version` can't be run: No such file"):
        chromium(environ(tmp_path, LIVEKPI_CHROMIUM=str(tmp_path / "mine")))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="Chromium needs `npm`, which is not on PATH"):
        chromium(environ(tmp_path))


def test_a_machine_for_which_npm_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UnavailableError, match="LIVEKPI_CHROMIUM may name one"):
        chromium(environ(tmp_path))


def test_another_package_than_expected_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "other"
    with tarfile.open(package, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/evil"), io.BytesIO())
    script(tmp_path / "node")
    script(tmp_path / "npm", f'for each; do case $each in --pack-destination=*) /bin/cp {package} "${{each#*=}}/a.tgz";; esac; done')
    with pytest.raises(UnavailableError, match=r"npm brought another @sparticuz/chromium@[0-9.]+ than expected"):
        chromium(environ(tmp_path))
    assert list((tmp_path / "cache").iterdir()) == []
