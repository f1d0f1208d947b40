import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from livekpi.web.access import guard
from livekpi.web.openapi.document import DOCUMENT
from tests.web.world import Client, World


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {node["$ref"]} if "$ref" in node else set[str]().union(*map(references, node.values()))
    return set[str]().union(*map(references, node)) if isinstance(node, list) else set()


def test_it_has_the_routes_that_there_are(world: World) -> None:
    routes = {
        route.path: {method.lower() for method in route.methods or () if method != "HEAD"}
        for route in world.app.routes
        if route.include_in_schema
    }
    assert {path: set(operations) for path, operations in DOCUMENT["paths"].items()} == routes


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operations in DOCUMENT["paths"].values() for operation in operations.values()]
    assert len(set(names)) == len(names)
    assert {"getKpis", "getKpisByKpiPace", "postEventsBySource", "getMetrics"} <= set(names)


def test_its_references_lead_somewhere_and_its_schemas_are_used() -> None:
    assert references(DOCUMENT) == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


def test_its_path_parameters_are_those_of_the_path() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_its_query_parameters_are_those_that_are_taken(client: Client) -> None:
    """An unknown parameter is refused, and the refusal names those that are known."""
    for path, operations in DOCUMENT["paths"].items():
        if "get" not in operations or not path.startswith("/v1/"):
            continue
        detail = client.get(path.replace("{kpi}", "users"), params={"unknown": "x"}).json()["detail"]
        taken = detail.partition("takes ")[2]
        named = [parameter["name"] for parameter in operations["get"]["parameters"] if parameter["in"] == "query"]
        assert sorted(taken.split(", ")) == sorted(named or ["none"])


def asked(path: str, method: str) -> Iterator[tuple[str, bytes | None]]:
    """Addresses and bodies, right ones and wrong ones."""
    parameters = [each["name"] for each in DOCUMENT["paths"][path][method]["parameters"] if each["in"] == "query"]
    names = [("revenue", "app", "1", "x.js"), ("nothing", "nothing", "99", "nothing"), ("%00", "%00", "%00", "%00")]
    bodies = [None] if method != "post" else [b"", b"{}", b"[]", b"\xff", b'{"text": "x"}', b'{"author": "a", "reason": "b", "for": "1h"}']
    for kpi, source, number, asset in names:
        address = path.replace("{kpi}", kpi).replace("{source}", source).replace("{number}", number).replace("{asset}", asset)
        if path == "/v1/stream":
            address += "?kpi=nothing"  # of others there would be no end
        mark = "&" if "?" in address else "?"
        queries = [f"{mark}{name}={value}" for name in (*parameters, "unknown") for value in ("", "x", "%00", "-1", "99999999999999999999")]
        yield from ((address + query, body) for query in ("", *queries) for body in bodies)


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations])
def test_each_answer_is_one_that_it_describes(client: Client, world: World, path: str, method: str) -> None:
    world.backend.replayed.cancel()
    responses = DOCUMENT["paths"][path][method]["responses"]
    for address, body in asked(path, method):
        answer = client.request(method, address, content=body)
        described = responses.get(str(answer.status_code))
        assert described is not None, (address, body, answer.text)
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in described.get("content", {kind: None}), (address, body, kind)
        if kind.endswith("json") and "schema" in described["content"][kind]:
            schema = {**described["content"][kind]["schema"], "components": DOCUMENT["components"]}
            jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_what_needs_no_token_is_what_the_guard_leaves_open() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            assert (operation.get("security") == []) == guard.is_open(path.replace("{kpi}", "users").replace("{asset}", "page.js")), path


def test_it_is_served(client: Client) -> None:
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
