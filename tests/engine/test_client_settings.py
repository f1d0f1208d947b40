"""The settings of the client that writes the job's topics: `livekpi check` says, where it stands, which of them the job can't be given."""

from pathlib import Path

import pytest

from livekpi.clustered import problems
from livekpi.definition.load import parse_definition

TEXT = """\
sources: { shop: { kafka: { brokers: "x:1", topic: t }, time: ts, fields: { ts: timestamp } } }
kpis: { k: { value: count(*), every: 1m } }
engine:
  ENGINE:
    checkpoint: "file:///c"
    client:
      security.protocol: ssl
      ssl.certificate.location: "${PLACE}"
      debug: all
      ssl.key.password: "${SECRET}"
"""


def said(engine: str, text: str = TEXT) -> list[str]:
    text = text.replace("ENGINE", engine)
    if engine == "flink":
        text = text.replace('    checkpoint: "file:///c"\n', "\n")
    definition = parse_definition(text.encode(), Path("shop.yaml"), {"PLACE": "/a.pem", "SECRET": "x"})
    return list(map(str, problems(definition)))


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_one_that_java_has_not_is_said_where_it_stands(engine: str) -> None:
    why = f"has no counterpart in {engine.capitalize()}'s Kafka client; leave it out"
    assert said(engine) == [
        f"shop.yaml:8:7: engine {engine}: `client: ssl.certificate.location` {why}",
        f"shop.yaml:10:7: engine {engine}: `client: ssl.key.password` {why}",
    ]


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_those_that_can_be_passed_on_are_no_mistake(engine: str) -> None:
    kept = [line for line in TEXT.splitlines() if "certificate" not in line and "key" not in line]
    assert said(engine, "\n".join(kept)) == []


@pytest.mark.parametrize("engine", ['"flink"', '{"spark": {"checkpoint": "file:///c"}}', '"embedded"'])
def test_where_none_are_given_there_is_nothing_to_say(engine: str) -> None:
    head = TEXT.partition("engine:")[0]
    definition = parse_definition(f"{head}engine: {engine}\n".encode(), Path("shop.yaml"), {})
    assert problems(definition) == []
