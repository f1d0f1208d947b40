import re
from pathlib import Path
from typing import Any

import pytest

from livekpi.definition.definition import Definition
from livekpi.definition.resolve.sources import name_problem
from livekpi.engine.flink.rendering import FUNCTIONS, OWN, Job, render_job, state_ttl_us
from livekpi.engine.flink.sql import FUNCTION
from livekpi.engine.flink.support import TIME_PARTS, unsupported
from livekpi.engine.plan import make_plan
from livekpi.engine.topics import all_topics
from livekpi.store.layout import tables
from tests.engine.flink.shop import definition

PAGE = (Path(__file__).parents[3] / "docs/flink.md").read_text(encoding="utf-8")
FIELDS = {
    "country": "optional string",
    "n": "integer",
    "x": "optional number",
    "d": "decimal(18, 2)",
    "huge": "decimal(19, 2)",
    "sku": "string",
}


def made(value: str = "count(*)", **more: Any) -> Definition:
    return definition(FIELDS, {"k": {"value": value, "every": "1m"}}, **more)


def job(given: Definition) -> Job:
    assert given.spec.engine.flink is not None
    return render_job(given, make_plan(given), given.spec.engine.flink)


def test_a_source_is_read_by_one_table_however_many_kpis() -> None:
    kpis = {f"k{every}": {"value": "sum(n)", "every": every, "by": ["country"]} for every in ("10s", "1m", "1h")}
    rendered = job(definition(FIELDS, kpis)).text
    assert rendered.count("'connector' = 'kafka'") == 1
    assert rendered.count("INSERT INTO") == 3 + 2  # and progress and dead letters


def test_all_topics_are_written_with_their_fields() -> None:
    given = definition(FIELDS, {"k": {"value": "quantile(x, 0.5) + count(distinct sku) + last(n)", "every": "1m", "by": ["country"]}})
    topics = all_topics(given.topics, make_plan(given))["shop"]
    rendered = job(given)
    assert len(topics) == len(rendered.inserts) == 5
    for topic in topics:
        [table] = [statement for statement in rendered.setup if f"'topic' = '{topic.name}'" in statement]
        assert re.findall(r"`([^`]+)` (?:BIGINT|STRING)", table) == list(topic.value)
        assert f"PRIMARY KEY ({', '.join(f'`{name}`' for name in topic.key)}) NOT ENFORCED" in table


def test_what_is_needed_is_a_column_and_all_that_is_declared_is_checked() -> None:
    [records] = [statement for statement in job(made("sum(n)")).setup if "'connector' = 'kafka'" in statement]
    assert re.findall(r"`(\w+)` [A-Z]", records) == ["n"]
    assert "'livekpi.fields' = 'ts: timestamp\ncountry: optional string\nn: integer\nx: optional number\nd: decimal(18, 2)" in records


def test_only_functions_that_are_used_are_made() -> None:
    rendered = job(made("sum(n * 2) filter (where upper(sku) = 'X')")).text
    assert re.findall(f"IF NOT EXISTS {FUNCTION}([a-z_]+) AS", rendered) == ["multiply", "upper", "named", "cells"]
    assert set(re.findall(f"{FUNCTION}([a-z_]+)[(]", rendered)) == {"multiply", "upper", "named", "cells"}
    assert (FUNCTIONS["split_part"], FUNCTIONS["cells"]) == ("Functions$SplitPart", "Cells")


def test_texts_and_names_are_quoted() -> None:
    given = definition(
        {"it's `a` name": "string"}, {"k": {"value": "count(*) filter (where \"it's `a` name\" = 'O''Hara')", "every": "1m"}}
    )
    rendered = job(given).text
    assert "`it's ``a`` name` STRING" in rendered
    assert "CAST('O''Hara' AS STRING)" in rendered
    assert "it''s `a` name: string" in rendered


def test_state_is_kept_as_long_as_its_buckets_can_change() -> None:
    given = definition(FIELDS, {"k": {"value": "count(*)", "every": "1m"}}, late="2h")
    [grouping] = make_plan(given).all()
    hours = 14 * 24 + 2 + 24  # what `keep` says by default, `late`, and a silence, in which Flink's clock runs on and that of events stands
    assert state_ttl_us(given, grouping) == hours * 3_600_000_000
    assert f"STATE_TTL('k' = '{hours * 3600}s')" in job(given).text


def test_settings_of_the_file_go_last() -> None:
    given = made(flink={"parallelism": 3, "settings": {"pipeline.object-reuse": False, "execution.checkpointing.interval": "1 min"}})
    settings = job(given).settings
    assert settings["parallelism.default"] == "3"
    assert settings["pipeline.object-reuse"] == "false"
    assert settings["execution.checkpointing.interval"] == "1 min"


def test_a_target_of_the_file_is_where_our_own_hands_the_job_to() -> None:
    settings = job(made(flink={"settings": {"execution.target": "yarn-session"}})).settings
    assert settings["execution.target"] == "livekpi"
    assert settings["livekpi.execution.target"] == "yarn-session"
    assert "livekpi.execution.target" not in job(made()).settings


def test_each_state_has_its_name() -> None:
    """A table's stands in its statement; those of positions and ids, which no table has, among the settings."""
    given = definition(
        FIELDS, {"k": {"value": "quantile(x, 0.5) + count(distinct sku) + last(n)", "every": "1m"}}, topic="visits", id="sku"
    )
    [grouping] = make_plan(given).all()
    rendered = job(given)
    names = [re.findall(r"livekpi_named\('(.*?)'", insert) for insert in rendered.inserts]
    assert names == [[table.name] for table in tables(grouping)] + [["progress_shop kafka:visits"], ["dead_letters_shop"]]
    named = {name: value for name, value in rendered.settings.items() if name.startswith("livekpi.")}
    assert named == {"livekpi.source.records_shop": "shop kafka:visits", "livekpi.ids.records_shop": "shop sku"}


def test_the_page_tells_the_settings() -> None:
    told = re.findall(r"^\| `([a-z.-]+)` \| `(.*)` \|$", PAGE, re.MULTILINE)
    rendered = job(made()).settings
    own = {"parallelism.default", "table.exec.state.ttl"} | {name for name in rendered if name.startswith("livekpi.")}
    assert dict(told) == {name: value for name, value in rendered.items() if name not in own}


def test_the_page_tells_the_names_and_time_parts() -> None:
    [names] = re.findall(r"a field called (.*) \|.* \|", PAGE)
    assert set(re.findall("`(_[a-z0-9_]+)`", names)) == {name for name in OWN if name_problem(name) is None}
    [parts] = re.findall(r"other parts than `(.*?)`", PAGE)
    assert set(parts.split(" ")) == {f"%{part}" for part in TIME_PARTS}


@pytest.mark.parametrize(("settings", "level"), [({}, "read_committed"), ({"isolation.level": "read_uncommitted"}, "read_uncommitted")])
def test_what_was_aborted_is_not_read_unless_that_is_asked_for(settings: dict[str, str], level: str) -> None:
    given = made(kafka={"brokers": "b:1", "topic": "t", "settings": settings}, flink={"client": {}})
    assert re.findall("'properties.isolation.level' = '(.*)'", job(given).text) == [level]


def test_ids_are_told_apart_in_columns_that_no_field_can_be() -> None:
    given = definition({"_id": "optional string", "_count": "integer"}, {"k": {"value": "sum(_count)", "every": "1m"}}, id="_id")
    [view] = [statement for statement in job(given).setup if statement.startswith("CREATE TEMPORARY VIEW")]
    [number, key] = re.findall(r" AS (`[^`]+`)", view)
    assert f"PARTITION BY {key} " in view
    assert f"WHERE {number} = 1" in view
    assert all(name_problem(name.strip("`")) is not None for name in (key, number))


@pytest.mark.parametrize(
    ("value", "field"),
    [*(("count_if({} in ({}))", field) for field in ("n", "x", "sku", "d")), *(("max(greatest({}, {}))", field) for field in ("x", "sku"))],
)
def test_a_list_of_any_length_is_nested_a_few_times(value: str, field: str) -> None:
    """Flink's parser, which goes down by calls, overflows at some hundreds."""
    values = ", ".join(f"'{at}'" if field == "sku" else str(at) for at in range(1_300))
    assert _depth(job(made(value.format(field, values))).statement_set) < 50


def _depth(sql: str) -> int:
    """How deep Flink's parser goes: each of several ORs in a row, too, is a level of its own."""
    levels, deepest = [0], 0
    for word in re.findall(r"[()]|\bOR\b", sql):
        if word == ")":
            levels.pop()
        elif word == "(":
            levels.append(1)
        else:
            levels[-1] += 1
        deepest = max(deepest, sum(levels))
    return deepest


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        *(("case when n > 1 then d else 0.00 end", "19, 2"), ("greatest(0.00, d)", "19, 2"), ("least(d, huge)", "20, 2")),
        *(
            ("coalesce(huge, d)", "20, 2"),
            ("if(n > 1, huge, d)", "20, 2"),
            ("coalesce(nullif(n, 0), 7)", "21, 1"),
            ("greatest(7, n)", "21, 1"),
        ),
    ],
)
def test_of_several_values_the_widest_is_computed_with(value: str, type_: str) -> None:
    assert f" + CAST(0.5 AS DECIMAL(2, 1))) AS DECIMAL({type_}))" in job(made(f"max({value} + 0.5)")).text


def test_a_secured_broker() -> None:
    kafka = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "ann",
        "sasl.password": 'a"b',
        "debug": "all",
    }
    given = definition(FIELDS, {"k": {"value": "count(*)", "every": "1m"}}, kafka={"brokers": "b:1", "topic": "t", "settings": kafka})
    rendered = job(given).text
    assert "'properties.sasl.mechanism' = 'SCRAM-SHA-512'" in rendered
    assert 'scram.ScramLoginModule required username="ann" password="a\\"b";' in rendered
    assert "debug" not in rendered


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"value": "sum(n) filter (where huge * n > 1)"}, "needs 39 digits"),
        ({"value": "last(cast(sku as timestamp))"}, "a cast of string to timestamp"),
        ({"kafka": {"brokers": "b:1", "topic": "t", "lost": "stop"}}, "`lost: stop`: Flink goes on"),
        ({"kafka": {"brokers": "b:1", "topic": "t", "settings": {"ssl.cipher.suites": "x"}}}, "`settings: ssl.cipher.suites`"),
        ({"extra": {"_code": "integer"}}, "'_code' has a name that the job needs itself"),
        ({"extra": {"at": "timestamp(%Y-%W-%w)"}}, "%W is not read there"),
    ],
)
def test_what_flink_cannot_do_is_named(more: dict[str, Any], message: str) -> None:
    fields, value = FIELDS | more.pop("extra", {}), more.pop("value", "count(*)")
    given = definition(fields, {"k": {"value": value, "every": "1m"}}, **more)
    problems = unsupported(given, make_plan(given))
    assert any(message in problem and "engine flink, source shop" in problem for problem in problems), problems


def test_what_flink_can_do_is_not_complained_of() -> None:
    given = made("sum(n * d) + count(distinct sku)")
    assert unsupported(given, make_plan(given)) == []
