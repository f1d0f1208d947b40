"""The oracle's shop on a cluster: its events come over Kafka, and no id drops repeats."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from tests.properties.shop import FIELDS, KPIS

SOURCE = "shop"


def text(brokers: str = "nowhere:9092", topic: str = "shop", engine: object = "flink", **rest: Any) -> str:
    """The definition file; JSON is YAML."""
    fields: Mapping[str, str] = {name: kind for name, kind in FIELDS.items() if name != "id"}
    source = {"kafka": {"brokers": brokers, "topic": topic}, "time": "ts", "late": "10m", "idle": "2m", "fields": fields}
    kpis = {name: said.text for name, said in KPIS.items()}
    return json.dumps({"sources": {SOURCE: source}, "kpis": kpis, "engine": engine, **rest})


def definition(**given: Any) -> Definition:
    """It, read."""
    return parse_definition(text(**given).encode(), Path("shop.yaml"), {})
