from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from livekpi.definition.shape.values import Timezone, moment


def test_a_moment_takes_its_zone_from_the_text_before_the_target() -> None:
    assert moment("2026-07-01", "Europe/Berlin") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert moment("2026-07-01T00:00Z", "Europe/Berlin") == datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "near"), [("CEST", ""), ("PDT", ""), ("utc", "UTC"), ("Berlin", "Europe/Berlin"), ("Singapor", "Singapore")]
)
def test_for_the_short_name_of_a_time_no_zone_of_another_time_is_proposed(name: str, near: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Timezone).validate_python(name)
    message = str(caught.value.errors()[0]["msg"])
    assert message.partition("did you mean ")[2].strip("'?") == near
    assert "expected a time zone's name such as Europe/Berlin or UTC" in message
