import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from livekpi.definition.file.document import data
from livekpi.definition.file.yaml_source import read_yaml
from livekpi.definition.shape.schema import schema

EXAMPLES = Path(__file__).parents[3] / "examples"
VALIDATOR = Draft202012Validator(schema())
RIGHT: dict[str, Any] = {
    "sources": {"shop": {"http": None, "time": "ts", "fields": {"ts": "timestamp(epoch_ms)", "amount": "optional decimal(18, 2)"}}},
    "kpis": {"orders": {"value": "count(*)", "every": "1m", "target": {"1d": 50, "timezone": "UTC"}}},
    "keep": {"10s": "1d"},
}


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    json.dumps(schema(), allow_nan=False)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda path: path.name)
def test_an_example_is_valid(path: Path) -> None:
    document, _ = read_yaml(path.read_bytes(), path.name, {"PAGERDUTY_KEY": "key"})
    VALIDATOR.validate(data(document.root))
    VALIDATOR.validate(YAML(typ="safe", pure=True).load(path))  # as an editor sees it, variables and all


def changed(place: tuple[str, ...], value: object) -> dict[str, Any]:
    """The right definition with one value in another's place."""
    copy: dict[str, Any] = json.loads(json.dumps(RIGHT))
    at = copy
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("limits",), {"series": "${SERIES:-10}"}),
        (("keep", "10s"), "${KEEP}"),
        (("sources", "shop", "late"), "${LATE:-1h}"),
        (("sources", "shop", "fields", "ts"), "${TYPE}"),
        (("kpis", "orders", "good"), "${GOOD}"),
        (("kpis", "orders", "target"), [{"from": "2026-01-01", "to": "2026-02-01", "value": 5}]),
        (("kpis", "orders", "target"), {"1d": "${TARGET}"}),
        (("alerts",), {"low": {"when": "orders < 5", "only": {"days": "mon-fri", "hours": "22:00-06:00"}, "ready": 0.9}}),
        (
            ("alerts",),
            {"low": {"when": "orders < 5", "except": [{"days": ["sun"]}, {"holidays": "DE-BE", "dates": ["2026-12-24"]}]}},
        ),
        (("engine",), "flink"),
        (("engine",), "${ENGINE:-embedded}"),
        (("engine",), {"flink": {"topics": "live", "parallelism": "${PARALLELISM}", "settings": {"a.b": 5}}}),
        (("engine",), {"spark": {"checkpoint": "file:///shared"}}),
    ],
)
def test_what_is_right(place: tuple[str, ...], value: object) -> None:
    VALIDATOR.validate(RIGHT)
    VALIDATOR.validate(changed(place, value))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("kpi",), {}),
        (("kpis",), {}),
        (("kpis", "my-orders"), {"value": "count(*)"}),
        (("kpis", "orders"), {"every": "1m"}),
        (("kpis", "orders", "every"), "soon"),
        (("kpis", "orders", "good"), "upp"),
        (("kpis", "orders", "target"), {"soon": 5}),
        (("keep", "soon"), "1d"),
        (("limits",), {"series": 0}),
        (("sources", "shop", "kafka"), {"brokers": "b", "topic": "t"}),
        (("sources", "shop", "fields", "ts"), "tmestamp"),
        (("sources", "shop"), {"time": "ts"}),
        (("alerts",), {"low": {"when": "orders < 5", "only": {"days": "mon-fry"}}}),
        (("alerts",), {"low": {"when": "orders < 5", "only": {"hours": "9-17"}}}),
        (("alerts",), {"low": {"when": "orders < 5", "except": {"holidays": "Germany"}}}),
        (("alerts",), {"low": {"when": "orders < 5", "except": {"dates": ["24.12."]}}}),
        (("alerts",), {"low": {"when": "orders < 5", "ready": 0.5}}),
        (("engine",), "flnk"),
        (("engine",), {"flink": {}, "embedded": {}}),
        (("engine",), {"spark": {}}),
        (("engine",), {"flink": {"gatway": "http://here"}}),
    ],
)
def test_what_is_wrong(place: tuple[str, ...], value: object) -> None:
    assert not VALIDATOR.is_valid(changed(place, value))


def described(part: dict[str, Any], way: str) -> list[str]:
    """The ways to properties without a description."""
    bare = [f"{way}.{name}" for name, value in part.get("properties", {}).items() if "description" not in value]
    return bare + [bare for name, value in part.get("$defs", {}).items() for bare in described(value, name)]


def test_everything_is_described_and_defaults_stand_as_in_the_file() -> None:
    assert described(schema(), "") == []
    source = schema()["$defs"]["SourceSpec"]["properties"]
    assert source["late"]["default"] == "1h"
    assert schema()["properties"]["keep"]["default"] == {"10s": "2d", "1m": "2w", "1h": "2y"}


def test_no_default_is_written_as_the_file_does_not() -> None:
    assert schema()["properties"]["limits"]["default"]["query_time"] == "10s"
    assert '"PT' not in json.dumps(schema())
