"""What the embedded engine makes of decimals and integers is what exact arithmetic says, at every width and scale."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from random import Random

import pytest

from livekpi.definition.problems import DefinitionError
from tests.rehearsed import definition, rehearsed, send, values

EXACT = Context(prec=200)
"""Wide enough to round nothing."""
_ROUNDS, _PAIRS = 12, 8


@dataclass(frozen=True)
class Operand:
    """A field, or a literal where it has a value, with its digits in all and behind the point."""

    text: str
    digits: int
    scale: int
    literal: Decimal | None = None

    @property
    def declared(self) -> str:
        return f"decimal({self.digits}, {self.scale})"

    @property
    def most(self) -> Decimal:
        return Decimal(10**self.digits - 1).scaleb(-self.scale, EXACT)

    def value(self, random: Random) -> Decimal:
        """Its own, or any that it can have: the extremes often."""
        if self.literal is not None:
            return self.literal
        small = Decimal(random.randrange(1, 10 ** min(self.digits, 4))).scaleb(-self.scale, EXACT)
        any_ = Decimal(random.randrange(10**self.digits)).scaleb(-self.scale, EXACT)
        return EXACT.copy_sign(random.choice([Decimal(0), self.most, small, any_, any_]), Decimal(random.choice([1, -1])))


def remainder(one: Decimal, other: Decimal) -> Decimal | None:
    """With the dividend's sign."""
    return EXACT.remainder(one, other) if other else None


def whole_digits(one: Operand, other: Operand) -> int:
    return max(one.digits - one.scale, other.digits - other.scale) + max(one.scale, other.scale)


Compute = Callable[[Decimal, Decimal], Decimal | None]
OPERATORS: Mapping[str, tuple[Compute, Callable[[Operand, Operand], int]]] = {
    "{} + {}": (EXACT.add, lambda one, other: whole_digits(one, other) + 1),
    "{} - {}": (EXACT.subtract, lambda one, other: whole_digits(one, other) + 1),
    "{} * {}": (EXACT.multiply, lambda one, other: one.digits + other.digits),
    "{} % {}": (remainder, whole_digits),
    "greatest({}, {})": (max, whole_digits),
    "coalesce(nullif({0}, {1}), -{1})": (lambda one, other: one if one != other else -other, whole_digits),
    "case when {0} > {1} then {0} else {1} end": (max, whole_digits),
    "abs(-{0}) - {1}": (lambda one, other: EXACT.subtract(abs(one), other), lambda one, other: whole_digits(one, other) + 1),
}
"""What is computed, and how many digits that takes."""


def operand(name: str, random: Random) -> Operand:
    digits = random.choice([1, 9, 10, 12, 16, 17, 18, 18, 19, 28, 37, 38])
    scale = random.choice([0, digits, random.randrange(digits + 1)])
    return Operand(name, digits, scale)


def literal(random: Random) -> Operand:
    """A whole one, or one with a fraction."""
    value, scale = random.randrange(10 ** random.choice([1, 7, 17])), random.choice([0, 0, 1, 8])
    if not scale:
        return Operand(str(value), len(str(value)), 0, Decimal(value))
    text = f"{value}.{random.randrange(10**scale):0{scale}}"
    return Operand(text, len(text) - 1, scale, Decimal(text))


@pytest.mark.parametrize("seed", range(_ROUNDS))
def test_an_expression_is_exact_or_refused(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    refused = computed = 0
    for operator, (compute, needed) in OPERATORS.items():
        left, right = operand("a", random), random.choice([operand("b", random), literal(random)])
        if random.random() < 0.3:
            left, right = (right, left) if right.literal is not None else (left, right)
        fields = ", ".join(f'{side.text}: "{side.declared}"' for side in (left, right) if side.literal is None)
        text = operator.format(left.text, right.text)
        if needed(left, right) > 38:
            with pytest.raises(DefinitionError, match="digits, more than 38"):
                definition(fields, {"k": f"value: {json.dumps(f'last({text})')}"})
            refused += 1
            continue
        rows = [(left.value(random), right.value(random)) for _ in range(_PAIRS)]
        rows.append((left.literal if left.literal is not None else left.most, right.literal if right.literal is not None else right.most))
        check(tmp_path / f"{seed}-{computed}", fields, text, left, right, rows, compute)
        computed += 1
    assert refused + computed == len(OPERATORS)


def check(
    directory: Path, fields: str, text: str, left: Operand, right: Operand, rows: list[tuple[Decimal, Decimal]], compute: Compute
) -> None:
    """All rows' values at once, each an event of its own minute."""
    directory.mkdir()
    with rehearsed(directory, definition(fields, {"k": f"value: {json.dumps(f'max({text})')}"})) as server:
        for minute, (one, other) in enumerate(rows):
            named = [f'"{side.text}": {value:f}' for side, value in ((left, one), (right, other)) if side.literal is None]
            send(server, f'{{"ts": "2026-03-01T11:{minute:02}:00Z", {", ".join(named)}}}'.encode())
        found = values(server, "k")
    wanted = {f"11:{minute:02}:00": compute(one, other) for minute, (one, other) in enumerate(rows)}
    assert {time: Decimal(str(value)) for time, value in found.items()} == {
        time: value for time, value in wanted.items() if value is not None
    }, text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2000000000 * 3", 6_000_000_000),
        ("-2147483648 - 1", -2_147_483_649),
        ("case when n > 0 then 100000 else 0 end * 100000", 10**10),
        ("greatest(100000, 7) * coalesce(100000, 1)", 10**10),
        ("case when n > 0 then 1000000 else 0 end * 1.5", 1_500_000),
        ("n * 2 - 1", 2 * 9 - 1),
    ],
)
def test_integers_have_64_bits_whatever_they_are_made_of(tmp_path: Path, text: str, wanted: int) -> None:
    with rehearsed(tmp_path, definition("n: integer", {"k": f"value: {json.dumps(f'last({text})')}"})) as server:
        send(server, {"n": 9})
        assert list(values(server, "k").values()) == [wanted]
