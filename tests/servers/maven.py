"""Jars from Maven Central, or from whatever mirror this machine's Maven is set up with."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers.cache import UnavailableError, program

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>livekpi.tests</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>{}</dependency>"
_ALONE = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
_TIMEOUT_S = 300


def copy_jars(coordinates: Sequence[str], into: Path, environ: Mapping[str, str] = os.environ, *, transitive: bool = True) -> None:
    """Puts jars (``group:artifact:version``) and, where `transitive`, all they need at run time into a directory.

    Raises UnavailableError where Maven or what it asks for can't be had.
    """
    maven = program("mvn", coordinates[0], environ)
    with TemporaryDirectory(dir=into.parent) as scratch:
        pom = Path(scratch, "pom.xml")
        pom.write_text(
            _POM.format(dependencies="\n".join(_DEPENDENCY.format(*c.split(":"), "" if transitive else _ALONE) for c in coordinates))
        )
        command = [
            *(maven, "--quiet", "--batch-mode", "--file", str(pom)),
            f"-Dmaven.repo.local={scratch}/repository",  # its own: runs at the same time don't meet
            *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environ)
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"Maven did not bring {coordinates[0]} within {_TIMEOUT_S} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[:10])
        raise UnavailableError(f"Maven could not bring {coordinates[0]}:\n{said}")
