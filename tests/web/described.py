"""What the API's description says an answer is."""

from typing import Any

import jsonschema

from livekpi.web.openapi import DOCUMENT


def fits(name: str, content: Any) -> None:
    """Whether an answer is what the API's description says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(content)
