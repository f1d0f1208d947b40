"""Runs all benchmarks one after the other, or those named: `make bench`, `make bench ARGS='query week'`, `make bench ARGS=--quick`."""

import argparse
import ast
import subprocess
import sys
import time
from pathlib import Path

from bench.common import RESULTS, ROOT, arguments, module
from bench.summary import write

QUICK: dict[str, tuple[str, ...]] = {
    "kafka": ("--events", "200000", "--repetitions", "1"),
    "freshness": ("--seconds", "10"),
    "kpis": ("--events", "200000", "--repetitions", "1"),
    "http_door": ("--seconds", "2", "--repetitions", "1"),
    "stream_clients": ("--seconds", "5", "--clients", "100", "--slow", "5"),
    "query": ("--days", "3", "--repetitions", "5"),
    "backtest": ("--days", "20", "--repetitions", "1"),
    "alerts": ("--seconds", "5", "--rate", "5000", "--buckets", "10", "--hours", "1", "--minutes", "3"),
    "week": ("--days", "3", "--events-a-day", "50000"),
    "page": ("--seconds", "5", "--loads", "2", "--commits", "50"),
    "decode": (),
}
"""Each benchmark, and sizes at which it shows that it works, though not how fast; those figures are not kept."""


PLAIN = frozenset({"decode"})
"""Those that only print: what they print is kept."""


def about(name: str) -> str:
    """The first line of a benchmark's docstring."""
    module_, package = (Path(__file__).parent / each for each in (f"{name}.py", f"{name}/__main__.py"))
    text = ast.get_docstring(ast.parse((module_ if module_.exists() else package).read_text(encoding="utf-8")))
    return (text or "").splitlines()[0]


def _measured(name: str, *, quick: bool) -> bool:
    return subprocess.run([*module(name), *(("--dry", *QUICK[name]) if quick else ())], cwd=ROOT, check=False).returncode == 0


def _plain(name: str, *, keep: bool) -> bool:
    done = subprocess.run(module(name), cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    if keep and done.returncode == 0:
        (RESULTS / f"{name}.txt").write_text(done.stdout, encoding="utf-8")
        write()
    return done.returncode == 0


def main() -> int:
    """Returns 1 where a benchmark failed; a missed target is a figure like any other."""
    parser = arguments(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(f"{name:10} {about(name)}" for name in QUICK)
    parser.add_argument("names", nargs="*", default=list(QUICK), metavar="NAME", help="all, where none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes, and keep nothing")
    options = parser.parse_args()
    failed = []
    for name in options.names:
        print(f"\n== {name}: {about(name)}", flush=True)
        begun = time.monotonic()
        works = _plain(name, keep=not options.quick) if name in PLAIN else _measured(name, quick=options.quick)
        failed += [] if works else [name]
        print(f"== {name} {'done' if works else 'failed'} after {time.monotonic() - begun:.0f} s", flush=True)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
