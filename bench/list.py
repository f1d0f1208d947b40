"""What can be measured: each script beside this one, its first line, and the command that runs it."""

import ast
from pathlib import Path


def main() -> None:
    """Prints one line a benchmark."""
    here = Path(__file__).parent
    for script in sorted(here.glob("*.py")):
        doc = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8")))
        if script.name != "list.py" and doc:
            print(f".venv/bin/python bench/{script.name:24} {doc.splitlines()[0]}")
    print("Figures, with machine and versions, are in bench/RESULTS.md once one has been run.")


if __name__ == "__main__":
    main()
