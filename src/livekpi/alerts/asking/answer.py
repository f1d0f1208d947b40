"""A KPI's points, and beside them what alerts know: the bands that were expected, and what is expected still to come."""

from dataclasses import replace

import duckdb

from livekpi.alerts.asking.bands import with_bands
from livekpi.alerts.asking.predictions import with_predictions
from livekpi.definition.definition import Definition
from livekpi.definition.problems import nearest
from livekpi.query.output import EXTRA_KEYS
from livekpi.query.points import Points, Request
from livekpi.query.query import Query
from livekpi.query.steps import QueryError


def points_with(cursor: duckdb.DuckDBPyConnection, definition: Definition, query: Query, request: Request, also: tuple[str, ...]) -> Points:
    """The points asked for, with what is `also` asked for: `band`, `prediction`. Raises QueryError.

    The cursor's transaction says of which moment all of it is.
    """
    also = tuple(dict.fromkeys(also))
    for name in also:
        if name not in EXTRA_KEYS:
            raise QueryError(f"with {name!r}: expected {' or '.join(EXTRA_KEYS)}{nearest(name, list(EXTRA_KEYS))}")
    asked = query.asked(request)
    for name in also:
        taken = [key for key in EXTRA_KEYS[name] if key in asked.by]
        if taken:
            raise QueryError(f"with {name!r}: it gives each point a {taken[0]!r} of its own, and a dimension is called so; ask without one")
    found = query.answer(asked)
    points = found.points
    if "band" in also:
        points = with_bands(cursor, definition, asked, points)
    if "prediction" in also:
        points = with_predictions(cursor, query, asked, points)
    return replace(found, points=points, also=also, commit=query.known.last_commit)
