"""Public holidays of countries and their parts, as the library `holidays` knows them."""

import re
from datetime import date
from functools import lru_cache

from livekpi.definition.problems import nearest

COUNTRY_PATTERN = "^[A-Z]{2}(-.+)?$"
"""For the JSON Schema."""


def real_country(text: str) -> str:
    """The text itself, where it names a country (``DE``) or a part of one (``DE-BE``) whose holidays are known.

    Raises ValueError with what was expected.
    """
    import holidays  # noqa: PLC0415 - takes a third of a second, and only files that name a country need it

    country, _, part = text.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if not re.fullmatch(COUNTRY_PATTERN, text) or country not in known:
        raise ValueError(f"expected a country's ISO 3166 code such as DE, US or DE-BE{nearest(country, known)}")
    if part and part not in known[country]:
        wanted = nearest(part, known[country]) or f"; it has {', '.join(known[country])}" * bool(known[country])
        raise ValueError(f"{country} has no part {part!r} with holidays of its own{wanted}")
    return text


@lru_cache(maxsize=256)
def holiday_dates(country: str, year: int) -> frozenset[date]:
    """A year's public holidays, those that are moved to another day on both; `country` is one that `real_country` takes."""
    import holidays  # noqa: PLC0415 - see above

    code, _, part = country.partition("-")
    return frozenset(holidays.country_holidays(code, subdiv=part or None, years=year, expand=False))
