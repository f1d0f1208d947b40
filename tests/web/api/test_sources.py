from livekpi.store.positions import Position
from livekpi.web.backend import SourceState
from tests.web.world import MINUTE_US, NOW_US, Client, World


def test_sources(client: Client, world: World) -> None:
    rows = (Position("0", 12, NOW_US - MINUTE_US, NOW_US), Position("1", 7, None, NOW_US))
    world.backend.states = [
        SourceState("shop", "kafka", rows, {"0": 3}, NOW_US - MINUTE_US, None),
        SourceState("app", "http", (), {}, None, "the disk is full"),
    ]
    shop, app = client.get("/v1/sources").json()["sources"]
    assert shop == {
        "source": "shop",
        "kind": "kafka",
        "time": "ts",
        "fields": [{"name": "ts", "type": "timestamp"}, {"name": "sku", "type": "string"}],
        "partitions": [
            {"partition": "0", "position": 12, "last_event": "2026-03-01T11:59:00Z", "lag": 3},
            {"partition": "1", "position": 7, "last_event": None, "lag": None},
        ],
        "lag": 3,
        "watermark": "2026-03-01T11:59:00Z",
        "last_event": "2026-03-01T11:59:00Z",
        "behind_seconds": 60.0,
        "problem": None,
    }
    assert (app["problem"], app["watermark"], app["behind_seconds"], app["lag"]) == ("the disk is full", None, None, 0)
    assert {"name": "amount", "type": "optional number"} in app["fields"]
