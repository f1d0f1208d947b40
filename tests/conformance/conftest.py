"""The records of all, put into Kafka once, and what the embedded engine makes of them."""

from collections.abc import Iterator

import pytest

from tests.conformance import generated
from tests.conformance.engines import Computed, embedded, put
from tests.conformance.scripts import REFUSED, Together, golden_scripts, together
from tests.servers.kafka_server import KafkaServer


def given_to(engine: str) -> Together:
    """All scripts that an engine can do, and the generated records, as one definition."""
    refused = REFUSED.get(engine, {})
    found = together(script for script in golden_scripts() if script.name not in refused)
    found.sources |= generated.sources()
    found.kpis |= generated.kpis()
    found.records[generated.SOURCE] = list(generated.generated().records.items())
    return found


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computed]:
    """What the embedded engine says."""
    with embedded(given_to("embedded"), tmp_path_factory.mktemp("embedded")) as computed:
        yield computed


@pytest.fixture(scope="session")
def brokers(_kafka_server: KafkaServer) -> str:
    """A Kafka that holds all records, by source a topic."""
    put(given_to("embedded"), _kafka_server)
    return _kafka_server.brokers
