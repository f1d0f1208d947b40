"""The kinds of values that the file's model is made of, each with its check."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from livekpi.definition.durations import DURATION_PATTERN, parse_duration
from livekpi.definition.holiday_dates import COUNTRY_PATTERN, real_country
from livekpi.definition.problems import nearest
from livekpi.definition.types import SIMPLE_KINDS, parse_field

_DAY = timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAYS_PATTERN = f"^({'|'.join(_WEEKDAYS)})(-({'|'.join(_WEEKDAYS)}))?$"
_SHORT_ZONE = 5
"""Names of time zones as long as this, or shorter, are mostly abbreviations."""
_HOURS_PATTERN = "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"
_DATE_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _divides_a_day(bucket: timedelta) -> timedelta:
    if bucket < timedelta(seconds=1) or _DAY % bucket:
        raise ValueError("expected a bucket of at least 1s that divides a day, such as 10s, 1m, 15m or 1h")
    return bucket


def _period(text: str) -> str:
    try:
        period = parse_duration(text)
    except ValueError as error:
        raise PydanticCustomError("wrong_key", "{reason}", {"reason": str(error)}) from error
    if not period or (_DAY % period and period % _DAY):
        raise PydanticCustomError("wrong_key", "expected a part of a day, or whole days or weeks, such as 1h, 1d or 1w")
    return text


def _real_timezone(name: str) -> str:
    zones = available_timezones()
    if name not in zones:
        # to a short name such as CEST another is near that means another time
        meant = nearest(name, sorted(zone for zone in zones if "/" in zone or zone == "UTC" or len(name) > _SHORT_ZONE))
        raise ValueError(f"expected a time zone's name such as Europe/Berlin or UTC{meant}")
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


def parse_weekdays(given: object) -> frozenset[int]:
    """Reads ``mon-fri``, ``sat`` or a list of such; 0 is Monday, and a span may pass the week's end."""
    found: set[int] = set()
    for text in given if isinstance(given, list) and given else [given]:
        ends = text.split("-") if isinstance(text, str) else []
        wrong = next((end for end in ends if end not in _WEEKDAYS), None)
        if not 1 <= len(ends) <= 2 or wrong is not None:
            raise ValueError(f"expected days such as mon-fri or [sat, sun]{nearest(wrong or '', _WEEKDAYS)}")
        first, last = _WEEKDAYS.index(ends[0]), _WEEKDAYS.index(ends[-1])
        found.update(day % 7 for day in range(first, last + (7 if last < first else 0) + 1))
    return frozenset(found)


def parse_hours(given: object) -> tuple[int, int]:
    """Reads ``09:00-17:30`` as minutes since midnight; ``24:00`` is the day's end, and the end may be on the next day."""
    if isinstance(given, str) and re.fullmatch(_HOURS_PATTERN, given):
        begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in given.split("-"))
        if begin < 24 * 60 and end <= 24 * 60 and begin != end:
            return begin, end
    raise ValueError("expected hours such as 09:00-17:30, or 22:00-06:00 for those of a night")


def _date(given: object) -> date:
    if isinstance(given, str) and re.fullmatch(_DATE_PATTERN, given):
        try:
            return date.fromisoformat(given)
        except ValueError as error:
            raise ValueError(f"expected a date that there is: {error}") from error
    raise ValueError("expected a date such as 2026-12-24")


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
_DayOrDays = Annotated[str, Field(pattern=_WEEKDAYS_PATTERN)]
Weekdays = Annotated[frozenset[int], BeforeValidator(parse_weekdays, json_schema_input_type=_DayOrDays | list[_DayOrDays])]
Hours = Annotated[tuple[int, int], BeforeValidator(parse_hours, json_schema_input_type=Annotated[str, Field(pattern=_HOURS_PATTERN)])]
Date = Annotated[date, BeforeValidator(_date, json_schema_input_type=Annotated[str, Field(pattern=_DATE_PATTERN)])]
Country = Annotated[str, AfterValidator(real_country), Field(json_schema_extra={"pattern": COUNTRY_PATTERN})]
