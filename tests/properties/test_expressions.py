"""Whatever typed expression a KPI is, the embedded engine computes what plain Python does, or `check` refuses it."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, note, seed, settings

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store import dead_letters
from tests.oracle.oracle import EPOCH, HOUR_US, MICROSECOND, Event, Kpi, Oracle, steps
from tests.oracle.sql_language import UnpromisedError
from tests.oracle.sql_tree import Written
from tests.properties.expression_events import BY, events, sent
from tests.properties.expressions import definition_text, kpis
from tests.rehearsed import MINUTE_US, points, rehearsed, send

_ROUNDS = int(os.environ.get("LIVEKPI_EXPRESSIONS", "6"))
"""Few where all tests run; the variable says how many where one looks for what is rare."""
_CLOSE = 1e-12
"""How far a floating number may be off, relatively."""
_ASKED: Sequence[tuple[str, int, tuple[str, ...]]] = (("1m", MINUTE_US, ()), ("1h", HOUR_US, (BY,)))


@pytest.mark.parametrize("number", range(_ROUNDS))
def test_every_expression_is_what_plain_python_says(number: int) -> None:
    # ten examples a round: of what comes after them Hypothesis makes most by varying what it has, and the most alike
    @seed(number)
    @settings(max_examples=10)
    @given(kpis(), events())
    def check(written: tuple[Written, ...], sent_events: tuple[Event, ...]) -> None:
        note(definition_text(written))
        note("\n".join(map(sent, sent_events)))
        check_all(written, sent_events)

    check()


def check_all(written: Sequence[Written], sent_events: Sequence[Event]) -> None:
    kept = [kpi for kpi in written if not kpi.refused]
    for kpi in written:
        if kpi.refused:
            check_is_refused([*kept, kpi])
    if not kept:
        return
    with TemporaryDirectory() as directory, rehearsed(Path(directory), parsed(kept)) as server:
        send(server, *(sent(event).encode() for event in sent_events))
        with server.cursor() as cursor:
            assert dead_letters.find(cursor) == []
        for kpi in kept:
            check_is_right(server, kpi, sent_events)


def parsed(written: Sequence[Written]) -> Definition:
    return parse_definition(definition_text(written).encode(), Path("made.yaml"), {})


def check_is_refused(written: Sequence[Written]) -> None:
    with pytest.raises(DefinitionError, match=r"digits, more than 38|leaves it no room to grow"):
        parsed(written)


def check_is_right(server: Rehearsal, kpi: Written, sent_events: Sequence[Event]) -> None:
    times = [event.time_us for event in sent_events]
    for step, size_us, by in _ASKED:
        try:
            expected = Oracle(sent_events).points(kpi.kpi, steps(min(times), max(times), size_us, "UTC"), by)
        except UnpromisedError:
            continue
        found = {(point.time_us, point.dimensions): _plain(point.value) for point in points(server, kpi.name, step=step, by=by)}
        expected = {key: value for key, value in expected.items() if value is not None}
        assert found.keys() == expected.keys(), (kpi.name, kpi.tree.sql, found, expected)
        for key, value in expected.items():
            assert same(found[key], value, kpi.kpi), (kpi.name, kpi.tree.sql, key, found[key], value)


def same(found: Any, expected: Any, kpi: Kpi) -> bool:
    """Whether a value is right; what is exact must be equal."""
    if not isinstance(expected, float) and not kpi.tolerance:
        return bool(found == expected)
    return abs(float(found) - float(expected)) <= max(_CLOSE, kpi.tolerance) * abs(float(expected))


def _plain(value: Any) -> Any:
    return (value.replace(tzinfo=UTC) - EPOCH) // MICROSECOND if isinstance(value, datetime) else value
