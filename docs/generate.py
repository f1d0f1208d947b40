"""Writes docs/reference/ from the code: `make docs`. With --check it only says what is out of date, and exits 1."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from prometheus_client import CollectorRegistry

from livekpi import cli
from livekpi.definition.shape.schema import schema
from livekpi.metrics import Metrics
from livekpi.web.openapi.document import DOCUMENT

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Made from the code by `make docs`; a change here is lost. -->\n"
Schema = Mapping[str, Any]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n" + "".join("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def definition() -> str:
    """The definition file: each model of it a section, each key a row."""
    made = schema()
    sections = [("The file", made), *((_heading(name), spec) for name, spec in _in_order(made))]
    text = "# The definition file\n\nEach key that may stand in it. A key that is not listed is a mistake. Anywhere in it `${NAME}` is\n"
    text += "replaced by the environment's value, and `${NAME:-default}` by a default where there is none.\n"
    for heading, spec in sections:
        text += f"\n## {heading}\n\n{spec.get('description', '').strip()}\n"
        if "properties" in spec:
            rows = [_row(key, value, key in spec.get("required", ())) for key, value in spec["properties"].items()]
            text += _table(("key", "what", "default", "meaning"), rows)
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


def _row(key: str, value: Schema, required: bool) -> tuple[str, ...]:
    return f"`{key}`", _type(value), "required" if required else _default(value.get("default")), str(value.get("description", ""))


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
        return _alternatives(arms)
    if "enum" in value or "const" in value:
        return ", ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        patterns = [each for pattern, each in value.get("patternProperties", {}).items() if pattern != r"\)$"]
        inner = next(iter(patterns), value.get("additionalProperties"))
        return f"by name: {_type(inner)}" if isinstance(inner, Mapping) and inner else "mapping"
    kind = "duration" if "[smhdwy]" in str(value.get("pattern")) else str(value.get("type", ""))
    return {"string": "text", "boolean": "true or false", "integer": "whole number"}.get(kind, kind)


def _alternatives(arms: list[Schema]) -> str:
    """What any of the arms takes; null and a variable are left out, as they are said elsewhere."""
    texts = dict.fromkeys(_type(arm) for arm in arms if arm.get("type") != "null" and arm.get("pattern") != r"\$\{")
    # Beside free text an enumeration is what an editor offers, no more.
    return " or ".join(text for text in texts if "text" not in texts or not text.startswith("`"))


def commands() -> str:
    """Every command's --help."""
    text = "# The commands\n\n`livekpi COMMAND --help` says the same. What a command's exit code means: [exit codes](../exit-codes.md).\n"
    root = cli.main
    for name in sorted(root.commands):
        command = root.commands[name]
        above = click.Context(root, info_name="livekpi", **root.context_settings)
        with click.Context(command, info_name=name, parent=above, terminal_width=100, max_content_width=100) as context:
            text += f"\n## livekpi {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    return text


def metrics() -> str:
    """Every metric of /metrics."""
    registry = CollectorRegistry()
    found = Metrics(registry)
    text = (
        "# What livekpi measures of itself\n\n`/metrics` has these, in OpenMetrics; a counter's name ends in `_total` there.\n"
        "On Linux the usual `process_…` stand beside them: CPU time, memory, open files and how many may be, and when the process began.\n"
    )
    labels = {metric._name: metric._labelnames for metric in vars(found).values() if hasattr(metric, "_labelnames")}
    rows = []
    for metric in registry.collect():
        names = ", ".join(f"`{label}`" for label in labels.get(metric.name, ()))
        rows.append((f"`{metric.name}`", metric.type, names, metric.documentation))
    return text + _table(("metric", "kind", "labels", "meaning"), rows)


def http() -> str:
    """Every request of the API."""
    text = "# The HTTP API\n\nA running server says the same at `/openapi.json`, with the shape of each answer. Where a token is\n"
    text += "needed it stands in `Authorization: Bearer`. An error is a problem document (RFC 9457) whose `detail` says\n"
    text += "what is wrong and what to do.\n"
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            text += f"\n## {method.upper()} {path}\n\n{operation['summary']}. {operation.get('description', '')}".rstrip() + "\n"
            parameters = [(f"`{each['name']}`", each["in"], _parameter(each)) for each in operation["parameters"]]
            text += _table(("parameter", "in", "meaning"), parameters) if parameters else ""
            text += _table(("status", "meaning"), [(status, answer["description"]) for status, answer in operation["responses"].items()])
    return text


def _parameter(parameter: Schema) -> str:
    schema_ = parameter["schema"]
    default = f"; {schema_['default']} where it is not given" if "default" in schema_ else ""
    return f"{parameter.get('description') or schema_.get('description') or _type(schema_)}{default}"


PAGES: Mapping[str, Callable[[], str]] = {
    "definition.md": definition,
    "commands.md": commands,
    "http.md": http,
    "metrics.md": metrics,
}


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
