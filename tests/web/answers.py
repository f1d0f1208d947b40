"""What an answer must be."""

from typing import Any

import httpx
import jsonschema

from livekpi.web.openapi.document import DOCUMENT


def fits(name: str, content: Any) -> None:
    """Whether an answer is what the API's description says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(content)


def problem(answer: httpx.Response, status: int) -> str:
    """The detail of a problem document."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    return str(document["detail"])
