"""Where several workers share the tests, those that take longest begin first, and a module's tests stay together.

Otherwise one worker is left in the end with minutes of tests that no other can take, and what a module's tests share, such as a cluster,
is started once a worker.
"""

from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

LONGEST = (
    "tests/conformance",
    "tests/faults/test_kafka_outages.py",
    "tests/properties/test_engine.py",
    "tests/faults/test_kafka_kills.py",
    "tests/engine/spark/test_spark.py",
    "tests/faults/test_http_kills.py",
    "tests/engine/flink/test_on_a_cluster.py",
    "tests/faults/test_alert_kills.py",
    "tests/alerts/judging/test_anomalies.py",
    "tests/faults/test_stopping.py",
    "tests/clusters/test_serving.py",
    "tests/clusters/test_kafka.py",
    "tests/docs/test_tutorial.py",
    "tests/faults",
    "tests/engine/flink",
    "tests/properties",
    "tests/query/test_live.py",
    "tests/sources/test_kafka.py",
    "tests/browser",
    "tests/alerts",
)
"""The longest first, and what waits between what works: a module, or a folder whose modules come one after the other."""
TOGETHER = ("tests/conformance",)
"""Folders whose modules share what is dear."""


def order(paths: Sequence[str]) -> list[int]:
    """The places of tests' paths in the order in which they should run."""
    return sorted(range(len(paths)), key=lambda place: (_rank(paths[place]), place))


def unit(nodeid: str) -> str:
    """What a test must not be parted from."""
    path = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if _is_in(path, folder)), path)


def _rank(path: str) -> int:
    return next((place for place, name in enumerate(LONGEST) if _is_in(path, name)), len(LONGEST))


def _is_in(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}/")


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """By units, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


@pytest.hookimpl(optionalhook=True)  # xdist may be off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = False  # by the number of tests in a module, which says nothing
    return _Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = [items[place] for place in order([item.nodeid.partition("::")[0] for item in items])]
