"""The points that a commit changed or time made final, at the steps, in the time zones and of the slices that somebody watches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from livekpi.commit import Commit
from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.durations import duration_text
from livekpi.query.affected import Affected, as_steps
from livekpi.query.conditions import condition, dimensions
from livekpi.query.grid import Grid
from livekpi.query.points import Point, Points
from livekpi.query.query import Query
from livekpi.query.steps import QueryError, Steps, zone

CHANGED_STEPS = 500
"""A KPI's changed steps told at once, the newest; a batch of history changes more than anyone watches live."""

RECENT_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Want:
    """What somebody watches: a KPI, how it is cut into steps and slices, and which part of it."""

    kpi: str
    by: tuple[str, ...] = ()
    step_us: int | None = None
    """None: the KPI's bucket."""
    timezone: str = "UTC"
    where: str | None = None


@dataclass(frozen=True)
class Told:
    """What is said of a want."""

    points: Points
    untold: str | None = None
    """Why there is more that changed, and is not said; whoever wants to know asks for the range."""


@dataclass(frozen=True)
class Changes:
    """What there is to say to wants."""

    commit: int
    """The number of the last commit that the points have seen."""
    told: Mapping[Want, Told]
    final_us: Mapping[Want, int]
    """Of all wants that were asked: steps that end then or earlier are final."""


@dataclass(frozen=True)
class _Question:
    """What wants may share: one statement answers it for several KPIs."""

    steps: Steps
    by: tuple[str, ...]
    where: str | None
    source: str | None
    """Whose fields `where` is about."""


def check(definition: Definition, want: Want, at_us: int) -> None:
    """Raises QueryError for a want that can't be told; steps that would cut buckets in two are looked for at a time."""
    kpi = definition.kpis[want.kpi]
    dimensions(kpi, want.by)
    grid = _grid(kpi, want)
    if grid.size_us % kpi.every_us:
        raise QueryError(f"step {duration_text(grid.size_us)} is no multiple of {kpi.name}'s bucket, {duration_text(kpi.every_us)}")
    start, _ = grid.holding(at_us)
    if any(start % aggregate.every_us for aggregate in kpi.value.aggregates):
        raise QueryError(
            f"{kpi.name} is kept in buckets of {duration_text(kpi.every_us)}, counted in UTC, and steps in {want.timezone} would cut one "
            f"in two: ask in UTC, or in a time zone whose hours and days begin with a bucket"
        )
    if want.where is not None:
        condition(definition, kpi, want.where)


def changed(
    query: Query, definition: Definition, wants: Sequence[Want], commit: Commit, final_us: Mapping[Want, int] | None = None
) -> Changes:
    """What a commit changed of each want, and its steps that are final and were not up to `final_us`; without it none of these.

    Of a want that is not in `final_us` the steps of the last minute are told: a range may have been asked for shortly before.

    One of which nothing is to be said is not told, nor is one that the definition has no more. Of what is so old that it is kept too
    coarsely for a want's step nothing is said.
    """
    known = [want for want in wants if want.kpi in definition.kpis and set(want.by) <= set(definition.kpis[want.kpi].by)]
    query.known.look(dict.fromkeys(grouping for want in known for grouping in query.kept.groupings(definition.kpis[want.kpi])))
    now_final_us = {want: query.final_us(definition.kpis[want.kpi]) for want in known}
    found: dict[Want, Told] = {}
    before_us = (
        now_final_us if final_us is None else {want: final_us.get(want, now_us - RECENT_US) for want, now_us in now_final_us.items()}
    )
    for question, asked in _questions(query, definition, known, commit, before_us, now_final_us).items():
        kpis = {want.kpi: definition.kpis[want.kpi] for want, _ in asked}
        for kpi, points, problem in _answers(query, definition, list(kpis.values()), question):
            for want, more in asked:
                untold = problem or (f"more than {CHANGED_STEPS} steps changed" if more else None)
                if want.kpi == kpi.name and (points or untold):
                    found[want] = Told(Points(kpi.name, kpi.spec.unit, want.by, points), untold)
    return Changes(query.known.last_commit, found, now_final_us)


def _questions(
    query: Query,
    definition: Definition,
    wants: Sequence[Want],
    commit: Commit,
    before_us: Mapping[Want, int],
    final_us: Mapping[Want, int],
) -> dict[_Question, list[tuple[Want, bool]]]:
    """The questions that tell all wants: of each those that it tells, and whether more of their steps changed."""
    affected, grids = Affected(query, commit), dict[tuple[int, str], Grid]()
    found: dict[_Question, list[tuple[Want, bool]]] = {}
    for want in wants:
        kpi = definition.kpis[want.kpi]
        grid = grids.setdefault((want.step_us or kpi.every_us, want.timezone), _grid(kpi, want))
        spans = list(affected.newest(kpi, grid, None if want.where else want.by, CHANGED_STEPS + 1)) if commit.touched else []
        spans += affected.closed(kpi, grid, before_us[want], final_us[want])
        newest = sorted(set(spans), reverse=True)
        if newest:
            steps = as_steps(newest[:CHANGED_STEPS], grid.size_us)
            question = _Question(steps, want.by, want.where, kpi.value.aggregates[0].source if want.where else None)
            found.setdefault(question, []).append((want, len(newest) > CHANGED_STEPS))
    return found


def _grid(kpi: Kpi, want: Want) -> Grid:
    return Grid(want.step_us or kpi.every_us, zone(want.timezone))


def _answers(
    query: Query, definition: Definition, kpis: Sequence[Kpi], question: _Question
) -> Iterator[tuple[Kpi, list[Point], str | None]]:
    """Of each KPI its points, or why they are not told."""
    try:
        where = None if question.where is None else condition(definition, kpis[0], question.where)
        answers = query.side_by_side(kpis, question.steps, question.by, where)
    except QueryError as error:
        if len(kpis) == 1:
            yield kpis[0], [], str(error)
            return
        for kpi in kpis:  # one that holds too much costs no other its points
            yield from _answers(query, definition, [kpi], question)
    else:
        yield from zip(kpis, answers, [None] * len(kpis), strict=True)
