from livekpi.engine.plan import make_plan
from livekpi.engine.topics import all_topics
from livekpi.store.layout import cells, column, spread
from tests.definition.places import parsed

DEFINITION = """\
sources:
  shop: { kafka: { brokers: b, topic: t }, time: ts, fields: { ts: timestamp, country: string, user: string, ms: integer } }
kpis:
  slow: { value: "quantile(ms, 0.9)", every: 10s, by: [country] }
  users: { value: count(distinct user), every: 10s, by: [country] }
  total: { value: sum(ms), every: 10s, by: [country] }
engine: flink
"""


def test_the_topics_of_a_plan() -> None:
    definition = parsed(DEFINITION)
    [grouping] = make_plan(definition).groupings["shop"]
    bins, distinct = (spread(grouping, partial).name for partial in grouping.spreads)
    [total] = grouping.cells
    found = {topic.name: (topic.key, topic.rest) for topic in all_topics("live", make_plan(definition))["shop"]}
    series = {"bucket": "integer", "d0": "text"}
    assert found == {
        f"live.{cells(grouping).name}": (series, {"n": "text", column(total).name: "text"}),
        f"live.{bins}": (series | {"key": "integer"}, {"n": "text"}),
        f"live.{distinct}": (series | {"key": "text"}, {}),
        "live.progress_shop": ({"partition": "integer"}, {"n": "integer", "offset": "integer", "time": "integer"}),
        "live.dead_letters_shop": (
            {"partition": "integer", "offset": "integer"},
            {"field": "text", "reason": "text", "code": "text", "record": "text", "record_base64": "text"},
        ),
    }


def test_a_value_repeats_its_key() -> None:
    [topic, *_] = all_topics("live", make_plan(parsed(DEFINITION)))["shop"]
    assert list(topic.value) == [*topic.key, *topic.rest]
