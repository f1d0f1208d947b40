"""The fields that access log formats bring along; a dash in the log is null."""

from collections.abc import Mapping

from livekpi.definition.types import Field, parse_field

_COMMON = {
    "client": "string",
    "user": "optional string",
    "time": "timestamp(%d/%b/%Y:%H:%M:%S %z)",
    "method": "optional string",
    "path": "optional string",
    "protocol": "optional string",
    "status": "integer",
    "bytes": "optional integer",
}
_COMBINED = _COMMON | {"referrer": "optional string", "agent": "optional string"}
LOG_FIELDS: Mapping[str, Mapping[str, Field]] = {
    log_format: {name: parse_field(name, text) for name, text in fields.items()}
    for log_format, fields in (("common", _COMMON), ("combined", _COMBINED))
}
"""By format."""
