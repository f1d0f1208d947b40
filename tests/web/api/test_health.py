from tests.web.answers import problem
from tests.web.world import Client, World


def test_all_is_well(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_source_that_can_not_be_read_is_named(client: Client, world: World) -> None:
    world.backend.troubles = {"shop": "the broker is gone", "disk": "no space left"}
    assert client.get("/healthz").status_code == 200  # a restart would not help
    answer = client.get("/readyz")
    assert problem(answer, 503) == "shop: the broker is gone; disk: no space left"
    assert answer.json()["not_ready"] == world.backend.troubles


def test_an_engine_that_has_stopped(client: Client, world: World) -> None:
    world.backend.failed = "its thread has ended"
    assert "its thread has ended" in problem(client.get("/healthz"), 503)
    assert client.get("/readyz").json()["not_ready"] == {"engine": "its thread has ended"}


def test_a_server_that_stops_is_not_ready_and_well(client: Client, world: World) -> None:
    client.stop()
    world.backend.failed = "its thread has ended"
    world.backend.troubles = {"shop": "it is read no more"}
    assert problem(client.get("/readyz"), 503) == "server: it is stopping"
    assert client.get("/healthz").status_code == 200
