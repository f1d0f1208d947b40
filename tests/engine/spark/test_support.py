"""What `livekpi check` says that Spark can't do."""

from pathlib import Path

from livekpi.definition.load import parse_definition
from livekpi.engine.plan import make_plan
from livekpi.engine.spark.support import unsupported


def said(source: str, more: str = "") -> list[str]:
    text = f"""
sources: {{ shop: {{ kafka: {{ brokers: "x:1", topic: t, {source} }}, time: ts, {more} fields: {{ ts: timestamp, id: string }} }} }}
kpis: {{ k: {{ value: count(*), every: 1m }} }}
engine: {{ spark: {{ checkpoint: "file:///c" }} }}
"""
    definition = parse_definition(text.encode(), Path("x.yaml"), {})
    return unsupported(definition, make_plan(definition))


def test_what_can_be_passed_on_is_no_problem() -> None:
    assert said("settings: { security.protocol: SSL, ssl.ca.location: /ca.pem, fetch.wait.max.ms: 10, queued.min.messages: 9 }") == []


def test_repeats_are_not_dropped() -> None:
    (problem,) = said("start: earliest", "id: id,")
    assert "source shop: `id: id`" in problem


def test_a_setting_that_java_has_not_is_named() -> None:
    (problem,) = said("settings: { ssl.key.password: x }")
    assert "source shop" in problem
    assert "`settings: ssl.key.password`" in problem
