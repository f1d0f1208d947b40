from datetime import timedelta

import pytest

from livekpi.definition.shape.model import Kafka, PeriodTarget


def test_a_target_by_period() -> None:
    target = PeriodTarget.model_validate({"1d": 50000, "1w": 4e5, "timezone": "Europe/Berlin"})
    assert target.values == {timedelta(days=1): 50_000.0, timedelta(weeks=1): 400_000.0}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bootstrap.servers", "`brokers`"),
        ("auto.offset.reset", "`start` and `lost`"),
        ("enable.auto.commit", "offsets are committed in the store"),
        ("enable.auto.offset.store", "offsets are committed in the store"),
        ("enable.partition.eof", "livekpi does not need for itself"),
    ],
)
def test_a_setting_that_would_change_what_is_read_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Kafka(brokers="localhost:9092", topic="shop", settings={"client.id": "me", name: "false"})


def test_other_settings_of_the_consumer_are_taken_as_they_are() -> None:
    settings: dict[str, str | int | float | bool] = {
        "group.id": "ours",
        "ssl.ca.location": "/ca.pem",
        "fetch.min.bytes": 5,
        "check.crcs": True,
    }
    assert Kafka(brokers="localhost:9092", topic="shop", settings=settings).settings == settings
