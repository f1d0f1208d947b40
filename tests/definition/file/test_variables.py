"""Which variables are known where a definition is only asked, and which stay secret."""

from livekpi.definition.file.substitute import STAND_IN, Unset, substitute
from livekpi.definition.file.variables import telling
from livekpi.definition.file.yaml_source import read_yaml

TEXT = """
sources:
  client: { kafka: { brokers: "${BROKERS}", topic: "${TOPIC:-events}", settings: { sasl.password: "${KAFKA_PASSWORD}" } }, late: "${LATE}" }
engine: { flink: { parallelism: "${P}", settings: { key: "${FLINK_KEY}" }, client: { sasl.password: "${CLIENT_PASSWORD}" } } }
kpis:
  settings: { value: "count(*) filter (where shop in ('${SHOP}', '${OTHER:-b}'))", every: 1m, by: ["${DIMENSION}"] }
notify:
  desk: { slack: { url: "${HOOK}" }, rate: "${RATE}" }
"""
ENVIRON = {name: name.lower() for name in ("BROKERS", "LATE", "P", "SHOP", "DIMENSION", "KAFKA_PASSWORD", "FLINK_KEY", "CLIENT_PASSWORD")}


def test_what_may_be_secret_is_not_told() -> None:
    document, _ = read_yaml(TEXT.encode(), "kpis.yaml", ENVIRON | {"HOOK": "https://example.com/x", "RATE": "3"})
    assert telling(document.root, ENVIRON) == {
        "BROKERS": "brokers",
        "DIMENSION": "dimension",
        "LATE": "late",
        "OTHER": "",
        "P": "p",
        "SHOP": "shop",
        "TOPIC": "",
    }


def test_what_is_told_is_as_it_was_and_the_rest_is_its_default_or_stands_in() -> None:
    known = Unset({"SHOP": "b", "EMPTY": ""})
    assert substitute("${SHOP}/${SHOP:-x}/${EMPTY}/${EMPTY:-e}/${PORT:-25}/${HOOK}/${HOOK:-}", known).text == (
        f"b/b//e/25/{STAND_IN}/{STAND_IN}"
    )
    assert substitute("${SHOP}${HOOK}", known).mistakes == ()
