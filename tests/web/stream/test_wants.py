"""What a stream is asked for."""

from pathlib import Path

from starlette.datastructures import QueryParams

from livekpi.definition.load import load
from livekpi.web.parameters import Parameters
from livekpi.web.stream.hub import Subscription
from livekpi.web.stream.wants import read_subscription
from tests.web.world import DEFINITION, NOW_US


def asked(directory: Path, text: str) -> Subscription:
    path = directory / "test.yaml"
    path.write_text(DEFINITION)
    parameters = Parameters(QueryParams(text), "kpi", "by", "alerts", several=("want",))
    return read_subscription(parameters, load(path, {}), NOW_US)


def test_an_empty_want_asks_for_no_numbers(tmp_path: Path) -> None:
    assert asked(tmp_path, "want=&alerts=true") == Subscription((), True, True)
    assert [want.kpi for want in asked(tmp_path, "").wants] == ["revenue", "stock", "users", "visits"]
