from datetime import date

import pytest

from livekpi.definition.holiday_dates import holiday_dates, real_country


def test_a_part_of_a_country_has_more_holidays() -> None:
    assert date(2026, 10, 3) in holiday_dates("DE", 2026)
    assert holiday_dates("DE-BE", 2026) - holiday_dates("DE", 2026) == {date(2026, 3, 8)}
    assert {day.year for day in holiday_dates("DE", 2026)} == {2026}


@pytest.mark.parametrize("text", ["DE", "DE-BE", "US", "US-CA"])
def test_a_country_is_taken(text: str) -> None:
    assert real_country(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Germany", "expected a country's ISO 3166 code such as DE, US or DE-BE"),
        ("DEU", "expected a country's ISO 3166 code such as DE, US or DE-BE"),
        ("de", "expected a country's ISO 3166 code such as DE, US or DE-BE; did you mean 'DE'?"),
        ("XQ", "expected a country's ISO 3166 code"),
        ("DE-XX", "DE has no part 'XX' with holidays of its own; it has BB, BE, "),
        ("DE-be", "DE has no part 'be' with holidays of its own; did you mean 'BE'?"),
        ("SE-X", "SE has no part 'X' with holidays of its own"),
    ],
)
def test_what_is_no_country(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"expected|has no part") as raised:
        real_country(text)
    assert str(raised.value).startswith(message)
