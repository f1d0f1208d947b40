"""The same definition on Spark and embedded: the same numbers, and the oracle's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.answers import differences, everything
from tests.conformance.beside_oracle import CHECKED, unlike_oracle
from tests.conformance.conftest import given_to
from tests.conformance.engines import SETTLE, Computed, clustered
from tests.servers.spark_server import SparkServer

pytestmark = pytest.mark.timeout(1_000)
_QUICK = "-XX:TieredStopAtLevel=1"


@pytest.fixture(scope="module")
def computed(brokers: str, spark: SparkServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computed]:
    """All of it, by one job."""
    directory: Path = tmp_path_factory.mktemp("on-spark")
    settings = {
        "spark.jars": spark.jars,
        "spark.ui.enabled": False,
        "spark.sql.shuffle.partitions": 1,
        "spark.driver.memory": "1g",
        "spark.executor.memory": "1g",
        "spark.driver.extraJavaOptions": _QUICK,
        "spark.executor.extraJavaOptions": _QUICK,
    }
    spec = {"master": spark.master, "topics": "by-spark", "checkpoint": f"file://{directory}/checkpoint", "settings": settings}
    with clustered(given_to("spark"), brokers, {"spark": {**spec, "settle": SETTLE}}, directory, spark.environ) as found:
        yield found


def test_every_point_of_every_kpi(reference: Computed, computed: Computed) -> None:
    given = given_to("spark")
    assert differences(reference, computed, everything(computed.definition, given.kpis)) == []


@pytest.mark.parametrize("kpi", CHECKED)
def test_the_generated_numbers_are_the_oracles(computed: Computed, kpi: str) -> None:
    assert unlike_oracle(computed, kpi) == []


def test_every_question_of_the_golden_scripts(reference: Computed, computed: Computed) -> None:
    assert differences(reference, computed, given_to("spark").requests) == []


def test_every_dead_letter(reference: Computed, computed: Computed) -> None:
    refused = reference.definition.sources.keys() - computed.definition.sources
    assert computed.letters == {letter for letter in reference.letters if letter[0] not in refused}
