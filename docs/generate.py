"""Writes docs/reference/ from the code: `make docs`. With --check it only says what is out of date, and exits 1."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from prometheus_client import CollectorRegistry

from livekpi import cli
from livekpi.definition.schema import schema
from livekpi.metrics import Metrics

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Made from the code by `make docs`; a change here is lost. -->\n"
Schema = Mapping[str, Any]


def definition() -> str:
    """The definition file: each model of it a section, each key a row."""
    made = schema()
    sections = [("The file", made), *((_heading(name), spec) for name, spec in _in_order(made))]
    text = "# The definition file\n\nEach key that may stand in it. A key that is not listed is a mistake. Anywhere in it `${NAME}` is replaced by\n"
    text += "the environment's value, and `${NAME:-default}` by a default where there is none.\n"
    for heading, spec in sections:
        text += f"\n## {heading}\n\n{spec.get('description', '').strip()}\n"
        if "properties" in spec:
            text += "\n| key | what | default | meaning |\n|---|---|---|---|\n"
            text += "".join(_row(key, value, key in spec.get("required", ())) for key, value in spec["properties"].items())
    return text


def _in_order(made: Schema) -> Iterator[tuple[str, Schema]]:
    """The models in the order in which a reader meets them."""
    seen: list[str] = []

    def visit(part: Any) -> None:
        if isinstance(part, Mapping):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                seen.append(name)
                visit(made["$defs"][name])
            for value in part.values():
                visit(value)
        elif isinstance(part, list):
            for value in part:
                visit(value)

    visit(made["properties"])
    return ((name, made["$defs"][name]) for name in seen)


def _heading(model: str) -> str:
    """A model's name as a heading: SourceSpec is ``Source``, PagerDuty stays."""
    return model.removesuffix("Spec")


def _row(key: str, value: Schema, required: bool) -> str:
    meaning = " ".join(str(value.get("description", "")).split()).replace("|", "\\|")
    return f"| `{key}` | {_type(value)} | {'required' if required else _default(value.get('default'))} | {meaning} |\n"


def _default(value: object) -> str:
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, Mapping):
        return "`{" + ", ".join(f"{key}: {each}" for key, each in value.items()) + "}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(value: Schema) -> str:
    """A schema in few words."""
    if "$ref" in value:
        heading = _heading(value["$ref"].rpartition("/")[2])
        return f"[{heading}](#{heading.lower()})"
    arms = [arm for key in ("anyOf", "oneOf", "allOf") for arm in value.get(key, ())]
    if arms:
        given = [arm for arm in arms if arm.get("type") != "null" and arm.get("pattern") != r"\$\{"]
        texts = dict.fromkeys(_type(arm) for arm in given)
        # Beside free text an enumeration is what an editor offers, no more.
        return " or ".join(text for text in texts if "text" not in texts or not text.startswith("`"))
    if "enum" in value or "const" in value:
        return ", ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        patterns = [each for pattern, each in value.get("patternProperties", {}).items() if pattern != r"\)$"]
        inner = next(iter(patterns), value.get("additionalProperties"))
        return f"by name: {_type(inner)}" if isinstance(inner, Mapping) and inner else "mapping"
    if "[smhdwy]" in str(value.get("pattern")):
        return "duration"
    return {"string": "text", "boolean": "true or false", "integer": "whole number"}.get(str(value.get("type")), str(value.get("type", "")))


def commands() -> str:
    """Every command's --help."""
    text = "# The commands\n\n`livekpi COMMAND --help` says the same. What a command's exit code means: [exit codes](../exit-codes.md).\n"
    root = cli.main
    for name in sorted(root.commands):
        command = root.commands[name]
        with click.Context(command, info_name=f"livekpi {name}", terminal_width=100, max_content_width=100) as context:
            text += f"\n## livekpi {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    return text


def metrics() -> str:
    """Every metric of /metrics."""
    registry = CollectorRegistry()
    found = Metrics(registry)
    text = "# What livekpi measures of itself\n\n`/metrics` has these, in OpenMetrics; a counter's name ends in `_total` there.\n"
    text += "\n| metric | kind | labels | meaning |\n|---|---|---|---|\n"
    labels = {metric._name: metric._labelnames for metric in vars(found).values() if hasattr(metric, "_labelnames")}
    for metric in registry.collect():
        names = ", ".join(f"`{label}`" for label in labels.get(metric.name, ()))
        text += f"| `{metric.name}` | {metric.type} | {names} | {metric.documentation} |\n"
    return text


PAGES: Mapping[str, Callable[[], str]] = {"definition.md": definition, "commands.md": commands, "metrics.md": metrics}


def main(arguments: list[str]) -> int:
    """Writes the pages, or with --check compares them."""
    stale = []
    for name, make in PAGES.items():
        path, text = HERE / name, NOTE + make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    print("\n".join(f"docs/reference/{name} {'is out of date: make docs' if '--check' in arguments else 'written'}" for name in stale))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
