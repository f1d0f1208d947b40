"""The API: what another definition would change."""

from livekpi.query.steps import QueryError
from livekpi.web.access.guard import needed
from livekpi.web.access.tokens import Scope
from tests.web.world import Client, World


def test_it_asks_the_backend(client: Client, world: World) -> None:
    answer = client.post("/v1/check", json={"definition": "kpis:", "variables": {"SHOP": "a"}})
    assert (answer.status_code, answer.json()) == (200, {"changes": [], "doubts": []})
    (asked,) = world.backend.checks_asked
    assert (asked.definition, asked.variables) == ("kpis:", {"SHOP": "a"})


def test_what_is_wrong_is_said(client: Client, world: World) -> None:
    wrongs: tuple[dict[str, object], ...] = ({"definition": "", "unknown": 1}, {"variables": {}})
    for wrong in wrongs:
        assert client.post("/v1/check", json=wrong).status_code == 400
    world.backend.error = QueryError("definition:3:1: expected …")
    answer = client.post("/v1/check", json={"definition": ""})
    assert (answer.status_code, answer.json()["detail"]) == (400, "definition:3:1: expected …")


def test_it_takes_a_token_that_may_act() -> None:
    assert needed("POST", "/v1/check") == Scope.ACT
