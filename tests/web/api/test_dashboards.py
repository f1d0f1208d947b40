"""GET /v1/dashboards."""

from pathlib import Path
from typing import Any

import jsonschema

from livekpi.web.openapi.document import DOCUMENT
from tests.web.answers import problem
from tests.web.world import Client, client_of, make_world

REST = """
dashboards:
  shop:
    title: The shop
    rows:
      - [revenue, { kpi: visits, title: Where from, size: wide, by: country, top: 8, span: 90m }]
      - { title: More, tiles: [{ text: "<b>plain</b>" }] }
"""


def dashboards(client: Client) -> Any:
    found = client.get("/v1/dashboards").json()
    for each in found["dashboards"]:
        schema = {"$ref": "#/components/schemas/Dashboard", "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(schema).validate(each)
    return found


def test_they_are_as_the_file_has_them(tmp_path: Path) -> None:
    with make_world(tmp_path, rest=REST) as world, client_of(world) as client:
        plain = {"kpi": "revenue", "title": None, "size": "medium", "by": None, "top": 5, "span": None}
        split = {"kpi": "visits", "title": "Where from", "size": "wide", "by": "country", "top": 8, "span": "90m"}
        rows = [{"title": None, "tiles": [plain, split]}, {"title": "More", "tiles": [{"text": "<b>plain</b>", "size": "medium"}]}]
        assert dashboards(client) == {"dashboards": [{"name": "shop", "title": "The shop", "rows": rows}], "stale": None}


def test_a_file_without_any_has_none(client: Client) -> None:
    assert dashboards(client) == {"dashboards": [], "stale": None}
    assert "takes none" in problem(client.get("/v1/dashboards?name=shop"), 400)


def test_it_says_what_of_the_file_is_not_in_effect(tmp_path: Path) -> None:
    with make_world(tmp_path) as world, client_of(world) as client:
        world.backend.stale = "kpis.yaml: `kpis` changed; restart to apply"
        assert dashboards(client)["stale"] == world.backend.stale
