"""Chromium as the page's tests need it: where its program is, and how it is started."""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers.cache import UnavailableError, cache_directory, installed, program

VERSION = "153.0.0"
_PACKAGE = f"@sparticuz/chromium@{VERSION}"  # Chromium's headless shell, with the libraries and a font that a bare system lacks
_SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
_INSTALL_TIMEOUT_S = 300
_START_TIMEOUT_S = 60
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--font-render-hinting=none", "--disable-lcd-text"),
)
_UNPACK = (
    "const [i, o] = process.argv.slice(1), f = require('fs'); f.writeFileSync(o, require('zlib').brotliDecompressSync(f.readFileSync(i)))"
)
_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A program, and what must be in its environment."""

    program: Path
    environ: Mapping[str, str]


def chromium(environ: Mapping[str, str] = os.environ) -> Chromium:
    """The one that LIVEKPI_CHROMIUM names, or one on PATH; else one from npm, in the cache. Raises UnavailableError."""
    given = environ.get("LIVEKPI_CHROMIUM")
    if given is not None:
        return Chromium(_runs(Path(given), environ), environ)
    for name in _NAMES:
        found = shutil.which(name, path=environ.get("PATH"))
        if found is not None:
            return Chromium(_runs(Path(found), environ), environ)
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise UnavailableError("no chromium is on PATH, and the one on npm is for Linux on x86_64; LIVEKPI_CHROMIUM may name one")

    def install(directory: Path) -> None:
        _install(directory, environ)

    home = installed(cache_directory(environ), f"chromium-{VERSION}", install)
    libraries = os.pathsep.join([str(home / "lib"), *filter(None, [environ.get("LD_LIBRARY_PATH")])])
    own = {**environ, "LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(home / "fonts.conf")}
    return Chromium(_runs(home / "chromium", own), own)


def _install(directory: Path, environ: Mapping[str, str]) -> None:
    # the Makefile puts PyPI's Node there where the machine has none
    searched = {**environ, "PATH": os.pathsep.join([environ.get("PATH", ""), str(Path(sys.prefix) / "node-bin")])}
    npm, node = (program(name, "Chromium", searched) for name in ("npm", "node"))
    with TemporaryDirectory(dir=directory) as scratch:
        _run([npm, "pack", _PACKAGE, "--silent", f"--pack-destination={scratch}"], searched)
        [package] = Path(scratch).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if digest != _SHA512:
            raise UnavailableError(f"npm brought another {_PACKAGE} than expected: its sha512 is {digest}")
        with tarfile.open(package) as archive:
            archive.extractall(scratch, filter="data")
        parts = Path(scratch, "package", "bin")
        _run([node, "-e", _UNPACK, str(parts / "chromium.br"), str(directory / "chromium")], searched)
        for part in ("al2023", "fonts", "swiftshader"):  # libraries into lib/, fonts into fonts/, what draws beside the program
            _run([node, "-e", _UNPACK, str(parts / f"{part}.tar.br"), str(parts / part)], searched)
            with tarfile.open(parts / part) as archive:
                archive.extractall(directory, filter="data")
    (directory / "chromium").chmod(0o755)
    (directory / "fonts.conf").write_text(_FONTS)


def _runs(found: Path, environ: Mapping[str, str]) -> Path:
    """The program, where it can say its version; a library that is missing is named."""
    _run([str(found), "--version"], environ, _START_TIMEOUT_S)
    return found


def _run(command: list[str], environ: Mapping[str, str], timeout_s: float = _INSTALL_TIMEOUT_S) -> None:
    what = " ".join([Path(command[0]).name, command[1]])
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, env=dict(environ))
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"`{what}` did not end within {timeout_s} s") from None
    except OSError as error:
        raise UnavailableError(f"`{what}` can't be run: {error.strerror}") from error
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise UnavailableError(f"`{what}` failed:\n{said}")
