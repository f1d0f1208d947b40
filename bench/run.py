"""Runs all benchmarks one after the other, or those named: `make bench`, `make bench ARGS='query week'`, `make bench ARGS=--quick`."""

import argparse
import ast
import subprocess
import sys
import time
from pathlib import Path

from bench.common import ROOT, arguments, module

QUICK: dict[str, tuple[str, ...]] = {
    "kafka": ("--events", "200000", "--repetitions", "1"),
    "freshness": ("--seconds", "10"),
    "kpis": ("--events", "200000", "--repetitions", "1"),
    "http_door": ("--seconds", "2", "--repetitions", "1"),
    "query": ("--days", "3", "--repetitions", "5"),
    "week": ("--days", "3", "--events", "150000"),
}
"""Each benchmark, and sizes at which it shows that it works, though not how fast; those figures are not kept."""


def about(name: str) -> str:
    """The first line of a benchmark's docstring."""
    text = ast.get_docstring(ast.parse((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")))
    return (text or "").splitlines()[0]


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
        done = subprocess.run([*module(name), *(("--dry", *QUICK[name]) if options.quick else ())], cwd=ROOT, check=False)
        failed += [name] if done.returncode else []
        print(f"== {name} {'failed' if done.returncode else 'done'} after {time.monotonic() - begun:.0f} s", flush=True)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
