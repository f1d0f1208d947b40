"""No golden script is left out unseen, and each engine refuses what is said here that it refuses, and nothing else."""

from pathlib import Path

import pytest

from livekpi.clustered import problems
from livekpi.definition.load import parse_definition
from tests.conformance.scripts import GOLDEN, LEFT_OUT, REFUSED, Golden, golden_scripts, together

ENGINES = {"flink": {"flink": {"topics": "computed"}}, "spark": {"spark": {"topics": "computed", "checkpoint": "file:///computed"}}}
SCRIPTS = golden_scripts()


def test_what_is_left_out_is_there() -> None:
    assert LEFT_OUT.keys() < {path.stem for path in GOLDEN.glob("*.test")}
    assert len(SCRIPTS) > 20


def test_every_script_asks_and_has_records() -> None:
    found = together(SCRIPTS)
    assert found.sources.keys() == found.records.keys()
    assert all(found.records.values())
    assert {request.kpi for request in found.requests} <= found.kpis.keys()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
def test_check_refuses_just_what_an_engine_cannot_do(script: Golden, engine: str) -> None:
    definition = parse_definition(together([script]).text("nowhere:9092", ENGINES[engine]).encode(), Path("definition.yaml"), {})
    refused = [str(problem) for problem in problems(definition)]
    said = REFUSED[engine].get(script.name)
    assert [said is not None and said in each for each in refused] == [True] * (said is not None), refused
