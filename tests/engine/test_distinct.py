"""Distinct values: remembered or not, small batch or large, the same values are kept."""

import random
from pathlib import Path

import pytest

from livekpi.engine import distinct
from livekpi.engine.distinct import FEW
from tests.rehearsed import definition, rehearsed, send, values

KPIS = {"users": "value: count(distinct user), by: [c]", "adults": "value: count(distinct user) filter (where age >= 18)"}
FIELDS = "c: optional string, user: optional integer, age: integer"


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 3 * FEW])
@pytest.mark.parametrize("remembered", [distinct.REMEMBERED, 0], ids=["remembering", "forgetting"])
def test_values_that_come_again_in_other_batches_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, remembered: int
) -> None:
    monkeypatch.setattr(distinct, "REMEMBERED", remembered)
    chance = random.Random(size)
    batches = [[(chance.choice([None, "x", "y"]), chance.choice([None, *range(size)])) for _ in range(size)] for _ in range(3)]
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        for batch in batches:
            send(server, *({"c": c, "user": user, "age": 18 if user is not None and user % 2 else 17} for c, user in batch))
        found = values(server, "users", by=("c",))
        adults = values(server, "adults")
    seen = {(c, user) for batch in batches for c, user in batch}
    expected = {c: len({user for at, user in seen if at == c and user is not None}) for c in {c for c, _ in seen}}
    assert {c: count for (_, c), count in found.items()} == expected
    assert list(adults.values()) == [len({user for _, user in seen if user is not None and user % 2})]
