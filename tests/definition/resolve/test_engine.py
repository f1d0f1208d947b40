import pytest

from tests.definition.places import assert_problems, parsed

KAFKA = """\
sources:
  shop: { kafka: { brokers: "localhost:9092", topic: shop }, time: ts, fields: { ts: timestamp, country: string } }
kpis: { orders: { value: count(*), every: 10s } }
"""
BOTH = KAFKA.replace("kpis:", "  visits: { §http: {}, time: ts, fields: { ts: timestamp } }\nkpis:").replace(
    "every: 10s", "every: 10s, source: shop"
)


@pytest.mark.parametrize(
    ("given", "name", "topics"),
    [
        ("", "embedded", "shop"),
        ("engine:\n", "embedded", "shop"),
        ("engine: embedded\n", "embedded", "shop"),
        ("engine: flink\n", "flink", "shop"),
        ("engine: { flink: }\n", "flink", "shop"),
        ("engine: { flink: { topics: live.shop } }\n", "flink", "live.shop"),
        ("engine: { spark: { checkpoint: file:///tmp/shop } }\n", "spark", "shop"),
    ],
)
def test_an_engine(given: str, name: str, topics: str) -> None:
    found = parsed(KAFKA + given)
    assert (found.spec.engine.name, found.topics) == (name, topics)
    assert (found.spec.engine.cluster is None) == (name == "embedded")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("engine: §flnk\n", "got `flnk`, expected embedded, flink or spark; did you mean 'flink'?"),
        ("engine: §5\n", "got `5`, expected `key: value` pairs"),
        ("§engine: spark\n", "'checkpoint' is missing: A directory that driver and executors see"),
        ("engine: { §spark: { master: local } }\n", "'checkpoint' is missing: A directory that driver and executors see"),
        ("§engine: { flink: , embedded: }\n", "expected exactly one of embedded, flink, spark"),
        ("§engine: {}\n", "expected exactly one of embedded, flink, spark"),
        ("engine: { flink: { gateway: §localhost:8083 } }\n", "got `localhost:8083`, expected an address such as http://localhost:8083"),
        ("engine: { flink: { topics: §'my shop' } }\n", "got `my shop`, expected at most 100 of the characters"),
        ("engine: { flink: { topics: §.. } }\n", "got `..`, expected at most 100 of the characters"),
        ("engine: { flink: { client: { §enable.auto.commit: true } } }\n", "got 'enable.auto.commit', expected nothing about committing"),
        ("engine: { flink: { §gatway: x } }\n", "there is no key 'gatway' here; did you mean 'gateway'?"),
    ],
)
def test_a_wrong_engine(given: str, message: str) -> None:
    assert_problems(KAFKA + given, message)


def test_a_cluster_reads_kafka_only() -> None:
    said = "engine flink reads Kafka only; let the events of 'visits' come over Kafka, or use embedded"
    assert_problems(f"{BOTH}engine: flink\n", said)
    assert_problems(BOTH.replace("§", ""))


def test_topics_need_a_name_where_the_file_has_none_that_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.definition.places.FILE", parsed(KAFKA).path.with_name("my shop.yaml"))
    assert_problems(f"{KAFKA}§engine: flink\n", "topics can't be named after 'my shop.yaml'; give `topics`")
    assert_problems(f"{KAFKA}engine: {{ flink: {{ topics: shop }} }}\n")
