"""The JSON Schema of the definition file, for editors that complete and check as one types."""

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from livekpi.definition.durations import format_duration
from livekpi.definition.shape.model import DefinitionSpec
from livekpi.definition.shape.parts import Model

_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_REST_OF_A_VALUE = {r"\)$": {"type": "null"}}
"""``10m)`` in ``{ when: absent(orders, 10m) }``: plain YAML sees a key there, livekpi the rest of the value."""


def schema() -> dict[str, Any]:
    """The schema, by draft 2020-12."""
    made = _with_variables(DefinitionSpec.model_json_schema(schema_generator=_Generator))
    source, kpi, alert = (made["$defs"][name] for name in ("SourceSpec", "KpiSpec", "AlertSpec"))
    for holder in (source["properties"]["fields"], kpi, alert):
        holder["patternProperties"] = _REST_OF_A_VALUE
    return {"$schema": GenerateJsonSchema.schema_dialect, **made}


class _Generator(GenerateJsonSchema):
    """Writes default durations as the file does."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        if isinstance(dft, Model):
            dft = dict(dft)
        if isinstance(dft, dict):
            return {self.encode_default(key): self.encode_default(value) for key, value in dft.items()}
        return super().encode_default(dft)


def _with_variables(part: dict[str, Any]) -> dict[str, Any]:
    """Lets a text with a variable in it stand wherever a value has a form to keep, and only known names be keys."""
    made = {key: _inner(key, value) for key, value in part.items()}
    if "patternProperties" in made:
        made.setdefault("additionalProperties", False)
    if made.get("type") not in ("integer", "number", "boolean") and "enum" not in made and "pattern" not in made:
        return made
    said = {key: made.pop(key) for key in ("title", "description", "default") if key in made}
    return said | {"anyOf": [made, _VARIABLE]}


def _inner(key: str, value: Any) -> Any:
    if key in ("$defs", "properties", "patternProperties"):
        return {name: _with_variables(schema) for name, schema in value.items()}
    if key in ("anyOf", "oneOf"):
        return [_with_variables(arm) for arm in value]
    return _with_variables(value) if key in ("items", "additionalProperties") and isinstance(value, dict) else value
