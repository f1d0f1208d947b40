"""What is not nested too deep for a check is not too deep for what comes after it."""

import json
from pathlib import Path

import duckdb
import pytest

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError
from livekpi.definition.sql.parsing import MAX_DEPTH
from livekpi.engine.plan import make_plan
from livekpi.engine.rendering import EVENT, cells_sql


def checked(value: str) -> Definition | None:
    """A definition with this value; None where it is refused."""
    source = {"http": {}, "time": "ts", "fields": {"ts": "timestamp", "n": "integer", "x": "number"}}
    text = json.dumps({"sources": {"s": source}, "kpis": {"k": {"value": value, "every": "1m"}}})
    try:
        return parse_definition(text.encode(), Path("x.yaml"), {})
    except DefinitionError:
        return None


@pytest.mark.parametrize("operator", ["+", "/", "%", "+ n *", "/ n -"])
@pytest.mark.parametrize("field", ["n", "x"])
def test_the_deepest_that_is_accepted_is_computed(operator: str, field: str) -> None:
    chains = (f"sum({f' {operator} '.join([field] * count)})" for count in range(MAX_DEPTH, 0, -1))
    deepest = next(found for found in map(checked, chains) if found is not None)
    (grouping,) = make_plan(deepest).all()
    sql = cells_sql(grouping).format(keys="1 AS bucket", source=f"(SELECT 1 AS n, 1.0::DOUBLE AS x) AS {EVENT}")
    assert duckdb.connect().execute(sql).fetchall()
