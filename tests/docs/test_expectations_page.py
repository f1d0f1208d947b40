"""The page on what was expected says the numbers that the code has."""

import pytest

from livekpi.alerts.asking import predictions
from livekpi.alerts.judging import anomalies, pacing
from livekpi.insight import completion, expectation
from livekpi.query.output import EXTRA_KEYS
from tests.house.tree import ROOT

PAGE = " ".join((ROOT / "docs" / "expectations.md").read_text(encoding="utf-8").split())
DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    "said",
    [
        f"for a day and at least {expectation.WARM_BUCKETS} buckets before it; for {anomalies.BANDS_US // DAY_US} days back",
        f"{expectation.GREATEST_SCORE:,.0f} for all else",
        f"fewer than {predictions.LEAST_EVENTS:,} events",
        f"fewer than {completion.LEAST_VALUES} complete steps",
        f"the last {predictions.LOOK_BACK} complete steps",
        f"Up to {pacing.PERIODS} earlier periods",
    ],
)
def test_its_numbers_are_those_of_the_code(said: str) -> None:
    assert said in PAGE


def test_the_words_for_numbers_are_right() -> None:
    assert (expectation.WARM_US, anomalies.LEAST_BUCKET_US) == (DAY_US, 60_000_000), "a day, whole minutes"
    assert (predictions.LEAST_SHARE, predictions.LONGEST_US) == (0.1, 3_600_000_000), "a tenth, an hour"


def test_it_has_every_key() -> None:
    assert all(f"`{key}`" in PAGE for keys in EXTRA_KEYS.values() for key in keys)
