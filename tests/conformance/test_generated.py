"""What the embedded engine makes of the generated records is what plain Python says; the clusters' own tests say it of theirs."""

import pytest

from tests.conformance.answers import asked, everything
from tests.conformance.beside_oracle import CHECKED, unlike_oracle
from tests.conformance.engines import Computed
from tests.conformance.generated import CODES, SOURCE, generated


@pytest.mark.parametrize("kpi", CHECKED)
def test_embedded_says_what_the_oracle_says(reference: Computed, kpi: str) -> None:
    assert unlike_oracle(reference, kpi) == []


def test_every_broken_record_is_a_dead_letter(reference: Computed) -> None:
    letters = [letter for letter in reference.letters if letter[0] == SOURCE]
    assert {letter[1:3] for letter in letters} == generated().broken
    assert {letter[3] for letter in letters} == CODES


def test_embedded_answers_whatever_a_cluster_is_compared_with(reference: Computed) -> None:
    """Two refusals would be alike."""
    requests = list(everything(reference.definition, reference.definition.kpis))
    assert requests
    assert [request for request in requests if isinstance(asked(reference, request), str)] == []
