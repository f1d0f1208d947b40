"""The alert rules of the definition file: when somebody is to be told."""

# ruff: noqa: RUF012 - pydantic copies defaults; the linter knows that only where it sees BaseModel

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from livekpi.definition.file.substitute import STAND_IN
from livekpi.definition.shape.parts import Model
from livekpi.definition.shape.values import Country, Date, Duration, Hours, Timezone, Weekdays


def _page(text: str) -> str:
    if re.fullmatch(r"https?://[!#-;=?-\[\]_a-z~]{1,2000}", text) is None and not text.startswith(STAND_IN):
        raise ValueError("expected an address such as https://wiki.example.com/runbooks/orders, which links lead to")
    return text


class CalendarSpec(Model):
    """Times by the calendar: days (all, where none are named) and, of these, hours."""

    days: Weekdays | None = None
    """Days of the week: mon-fri, or [sat, sun]."""
    dates: list[Date] = []
    """Single days."""
    holidays: Country | None = None
    """The public holidays of a country, or of a part of one: DE, US, DE-BE."""
    hours: Hours | None = None
    """From and to, such as 09:00-17:30; past midnight they belong to the day on which they began."""
    timezone: Timezone = "UTC"
    """Whose days and hours these are."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.days or self.dates or self.holidays or self.hours):
            raise ValueError("expected at least one of days, dates, holidays, hours")
        return self


def _how_many(given: object) -> str:
    return "several" if isinstance(given, list) else "one"


Calendars = Annotated[
    Annotated[CalendarSpec, Tag("one")] | Annotated[list[CalendarSpec], Tag("several"), Field(min_length=1)],
    Discriminator(_how_many),
]


class AlertSpec(Model):
    """An alert rule."""

    title: str | None = None
    """What people call it; else its name."""
    when: str
    """The condition: comparisons and arithmetic over KPIs, ago(), absent(), anomalous(), pace(), rising(), falling()."""
    by: list[str] = []
    """One alert for each combination of these dimensions."""
    for_: Annotated[Duration, Field(alias="for")] = timedelta(0)
    """How long the condition must hold."""
    keep: Duration = timedelta(0)
    """How long an alert stays firing after its condition ceased."""
    clear: str | None = None
    """The condition under which a firing alert stops; else when `when` no longer holds."""
    only: Calendars | None = None
    """It may fire only inside this calendar, or one of these."""
    except_: Annotated[Calendars | None, Field(alias="except")] = None
    """It does not fire inside this calendar, nor any of these."""
    ready: Annotated[float, Field(gt=0.5, le=1)] = 0.99
    """The share of a bucket's events that must usually have arrived before it is judged."""
    severity: Literal["critical", "error", "warning", "info"] = "warning"
    """How bad it is."""
    notify: list[str] = []
    """Notifiers by name."""
    labels: dict[str, str] = {}
    """Passed on with each notification."""
    runbook: Annotated[str, AfterValidator(_page)] | None = None
    """The address of what to do."""
    summary: str | None = None
    """What a notification says first; {value}, {kpi}, {rule}, {title}, {threshold} and the dimensions in braces are filled in."""
