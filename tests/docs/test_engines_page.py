"""The page on clusters: the rows it shows are read, and give the numbers of the events it shows."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from livekpi.clock import ManualClock
from livekpi.definition.load import parse_definition
from livekpi.engine.plan import make_plan
from livekpi.engine.topics import all_topics
from livekpi.query.points import Request
from livekpi.store import dead_letters
from tests.clusters.served import Served
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
FENCES = {
    match["name"]: match["body"] for match in re.finditer(r"^```\w+ (?P<name>\S+)\n(?P<body>.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}
BUCKET_US = 1_772_366_400_000_000


def test_the_rows_give_the_numbers(tmp_path: Path) -> None:
    definition = parse_definition(FENCES["shop.yaml"].encode(), Path("shop.yaml"), {})
    served = Served(tmp_path, ManualClock(BUCKET_US + 60_000_000), definition, job=False)
    try:
        for line in FENCES["rows"].splitlines():
            topic, _, value = line.partition(" ")
            served.shelf.write(topic, value.encode())
        assert set(served.shelf.records) == {topic.name for topic in all_topics("shop", served.engine.plan)["shop"]}
        served.settle()
        found = {name: points(served, name) for name in definition.kpis}
        assert found["revenue"] == {"DE": Decimal("12.50"), None: Decimal("2.00")}
        assert found["level"] == found["revenue"]
        assert found["users"] == {"DE": 1, None: 1}
        assert found["p95"] == {"DE": pytest.approx(40, rel=0.01), None: 0}
        with served.cursor() as cursor:
            [letter] = dead_letters.find(cursor)
        assert (letter.partition, letter.position, letter.record) == ("0", 2, b"{")
        assert served.source.lag()["0"] == 0
    finally:
        served.close()


def points(served: Served, kpi: str) -> dict[object, object]:
    with served.query() as query:
        return {point.dimensions[0]: point.value for point in query.points(Request(kpi, by=("country",))).points}


def test_values_repeat_their_keys_as_said() -> None:
    definition = parse_definition(FENCES["shop.yaml"].encode(), Path("shop.yaml"), {})
    topics = {topic.name: topic for topic in all_topics(definition.topics, make_plan(definition))["shop"]}
    for line in FENCES["rows"].splitlines():
        name, _, value = line.partition(" ")
        fields = json.loads(value)
        assert list(fields)[: len(topics[name].key)] == list(topics[name].key)
        assert fields.keys() <= topics[name].value.keys()
