"""The same definition on Flink and embedded: the same numbers, and the oracle's."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conformance.answers import differences, everything
from tests.conformance.beside_oracle import CHECKED, unlike_oracle
from tests.conformance.conftest import given_to
from tests.conformance.engines import SETTLE, Computed, clustered
from tests.servers.flink_server import start_flink
from tests.servers.offering import offered

pytestmark = pytest.mark.timeout(1_000)


@pytest.fixture(scope="module")
def computed(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computed]:
    """All of it, by one job."""
    directory: Path = tmp_path_factory.mktemp("on-flink")
    with offered("Flink", partial(start_flink, tmp_path_factory.mktemp("flink"))) as server:
        engine = {"flink": {"gateway": server.gateway, "rest": server.rest, "topics": "by-flink", "settle": SETTLE}}
        with clustered(given_to("flink"), brokers, engine, directory) as found:
            yield found


def test_every_point_of_every_kpi(reference: Computed, computed: Computed) -> None:
    given = given_to("flink")
    assert differences(reference, computed, everything(computed.definition, given.kpis)) == []


@pytest.mark.parametrize("kpi", CHECKED)
def test_the_generated_numbers_are_the_oracles(computed: Computed, kpi: str) -> None:
    assert unlike_oracle(computed, kpi) == []


def test_every_question_of_the_golden_scripts(reference: Computed, computed: Computed) -> None:
    assert differences(reference, computed, given_to("flink").requests) == []


def test_every_dead_letter(reference: Computed, computed: Computed) -> None:
    assert computed.letters == reference.letters
