"""livekpi's own functions on Flink: Java in this package, compiled where there is a JDK, into a jar that goes beside Flink's.

``python -m livekpi.engine.flink.jar FLINK_LIB OUT.jar`` does it for a distribution's ``lib`` directory.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCES = Path(__file__).with_name("java")
_RELEASE = "11"
"""The oldest Java that Flink 2 runs on."""
_TIMEOUT_S = 300
_SERVICES = {
    "org.apache.flink.table.factories.Factory": "Format",
    "org.apache.flink.core.execution.PipelineExecutorFactory": "Executor",
}
"""What Flink looks for by itself: kind → our class."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # what is made of the same sources by the same compiler is the same file


class JarError(Exception):
    """The jar can't be made; says why and what to do."""


def build_jar(out: Path, flink_jars: Iterable[Path]) -> Path:
    """Compiles the functions against Flink's jars into `out`, which it returns. Raises JarError."""
    javac = shutil.which("javac")
    if javac is None:
        raise JarError("compiling livekpi's functions for Flink needs `javac`, a JDK of Java 11 or later, on PATH")
    with TemporaryDirectory() as scratch:
        classpath = os.pathsep.join(map(str, flink_jars))
        sources = map(str, sorted(SOURCES.rglob("*.java")))
        options = ["--release", _RELEASE, "-encoding", "UTF-8", "-proc:none", "-nowarn", "-Xlint:-options"]
        command = [javac, *options, "-cp", classpath, "-d", scratch, *sources]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - all of it is ours
        if done.returncode != 0:
            raise JarError(f"javac could not compile livekpi's functions for Flink; are these its jars? {classpath}\n{done.stderr[:4000]}")
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as jar:
            for path in sorted(Path(scratch).rglob("*.class")):
                jar.writestr(zipfile.ZipInfo(path.relative_to(scratch).as_posix(), _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
            for service, class_ in _SERVICES.items():
                jar.writestr(zipfile.ZipInfo(f"META-INF/services/{service}", _EPOCH), f"livekpi.flink.{class_}\n")
    return out


def main(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m livekpi.engine.flink.jar FLINK_LIB OUT.jar\n")
        return 2
    try:
        build_jar(Path(arguments[1]), sorted(Path(arguments[0]).glob("*.jar")))
    except JarError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
