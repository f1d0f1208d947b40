"""PagerDuty's Events API v2 as its documentation describes it: what a request must be, and what is answered.

Written from the published description of the API (github.com/PagerDuty/api-schema, reference/events-v2) and the documented limits.
"""

import json
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tests.alerts.http_receiver import Answer, Request

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
EVENT_BYTES = 512_000
_TEXT = {"type": "string"}
_URL = {"type": "string", "pattern": r"^https?://[^\s<>\"]+$"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["routing_key", "event_action", "dedup_key"],
    "additionalProperties": False,
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
        "client": _TEXT,
        "client_url": _URL,
        "links": {
            "type": "array",
            "items": {"type": "object", "required": ["href"], "additionalProperties": False, "properties": {"href": _URL, "text": _TEXT}},
        },
        "images": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["src"],
                "additionalProperties": False,
                "properties": {"src": {"type": "string", "pattern": "^https://"}, "href": _URL, "alt": _TEXT},
            },
        },
        "payload": {
            "type": "object",
            "required": ["summary", "severity", "source"],
            "additionalProperties": False,
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "source": {"type": "string", "minLength": 1},
                "timestamp": {"type": "string", "format": "date-time"},
                "component": _TEXT,
                "group": _TEXT,
                "class": _TEXT,
                "custom_details": {"type": "object"},
            },
        },
    },
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
}
_VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


def mistakes(body: bytes) -> list[str]:
    """What is wrong with a request; nothing is, where the list is empty."""
    if len(body) > EVENT_BYTES:
        return [f"the event has {len(body)} bytes"]
    try:
        given = json.loads(body.decode("utf-8"), parse_constant=_no_json)
    except ValueError as error:
        return [f"JSON parse error: {error}"]
    found = [f"{'.'.join(map(str, error.path))}: {error.message[:200]}" for error in _VALIDATOR.iter_errors(given)]
    return found + [f"control characters in {given!r}"[:200] for _ in [0] if _controls(given)]


def answer(request: Request) -> Answer:
    """What PagerDuty says to a request."""
    wrong = mistakes(request.body)
    if request.path != "/v2/enqueue" or request.headers["Content-Type"] != "application/json":
        wrong.append("not an event")
    if wrong:
        content: dict[str, Any] = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
        return Answer(400, body=json.dumps(content).encode())
    content = {"status": "success", "message": "Event processed", "dedup_key": request.json["dedup_key"]}
    return Answer(202, body=json.dumps(content).encode())


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _controls(given: Any) -> bool:
    if isinstance(given, str):
        return any((character < " " and character not in "\n\t\r") or "\ud800" <= character <= "\udfff" for character in given)
    if isinstance(given, dict):
        return any(_controls(key) or _controls(value) for key, value in given.items())
    return isinstance(given, list) and any(map(_controls, given))
