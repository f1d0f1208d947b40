"""The kinds of values that the file's model is made of, each with its check."""

import re
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from livekpi.definition.durations import DURATION_PATTERN, parse_duration
from livekpi.definition.problems import nearest
from livekpi.definition.types import SIMPLE_KINDS, parse_field

_DAY = timedelta(days=1)


def _divides_a_day(bucket: timedelta) -> timedelta:
    if bucket < timedelta(seconds=1) or _DAY % bucket:
        raise ValueError("expected a bucket of at least 1s that divides a day, such as 10s, 1m, 15m or 1h")
    return bucket


def _period(text: str) -> str:
    try:
        if parse_duration(text):
            return text
    except ValueError as error:
        raise PydanticCustomError("wrong_key", "{reason}", {"reason": str(error)}) from error
    raise PydanticCustomError("wrong_key", "expected a period longer than nothing")


def _real_timezone(name: str) -> str:
    zones = available_timezones()
    if name not in zones:
        raise ValueError(f"expected a time zone's name such as Europe/Berlin or UTC{nearest(name, sorted(zones))}")
    return name


def _regular_expression(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"expected a regular expression: {error}") from error
    if not groups:
        raise ValueError("expected a regular expression with named groups, one a field, such as (?P<status>[0-9]+)")
    return text


def moment(text: str, timezone: str) -> datetime:
    """The moment that an ISO 8601 date or date with time means in a time zone; a zone in the text goes first."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))


def _moment(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("expected a date such as 2026-01-31, or one with a time such as 2026-01-31T18:00") from error
    return text


def _field_type(text: str) -> str:
    parse_field("", text)
    return text


def _address(text: str) -> str:
    found = re.fullmatch(r"https?://[^/\s]+(/\S*)?", text)
    if found is None:
        raise ValueError("expected an address such as http://localhost:8083")
    return text.rstrip("/")


def _topic_prefix(text: str) -> str:
    if not is_topic_prefix(text):
        raise ValueError("expected at most 100 of the characters a-z, A-Z, 0-9, . _ and -, as Kafka's topics have them")
    return text


def is_topic_prefix(text: str) -> bool:
    """Whether names of Kafka's topics may begin so; what follows needs some of the 249 characters that one may have."""
    return re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text) is not None and text.strip(".") != ""


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=Annotated[str, Field(pattern=DURATION_PATTERN)]),
]
Bucket = Annotated[Duration, AfterValidator(_divides_a_day)]
Timezone = Annotated[str, AfterValidator(_real_timezone)]
Text = Annotated[str, StringConstraints(min_length=1)]
RegularExpression = Annotated[str, AfterValidator(_regular_expression)]
Period = Annotated[str, AfterValidator(_period)]
Moment = Annotated[str, AfterValidator(_moment)]
FieldType = Annotated[
    str,
    AfterValidator(_field_type),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [optional + kind for optional in ("", "optional ") for kind in SIMPLE_KINDS]},
                {"type": "string", "pattern": r"^\s*(optional\s+)?(decimal|timestamp)\s*\(.+$"},
            ]
        }
    ),
]
Address = Annotated[str, AfterValidator(_address)]
TopicPrefix = Annotated[str, AfterValidator(_topic_prefix)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
