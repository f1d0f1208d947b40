"""Turns the KPIs' expressions into values: finds their sources, and the KPIs they are made of."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlglot import exp

from livekpi.definition.definition import Kpi, SourceDefinition
from livekpi.definition.durations import format_duration, microseconds
from livekpi.definition.file.document import Loc
from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.report import Report
from livekpi.definition.resolve.kpi_order import kpis_named, parts_first
from livekpi.definition.resolve.targets import check_targets
from livekpi.definition.shape.model import DefinitionSpec, KpiSpec
from livekpi.definition.sql.expressions import (
    Frame,
    KpiValue,
    build_value,
    dimension_problem,
    fields_named,
    has_aggregates,
    sources_for,
)
from livekpi.definition.sql.parsing import fail, parse

POINT_KEYS = ("time", "value", "final", "corrected")
"""What a point has beside its dimensions; none of these may be called so."""
_OF_PARTS = {"every": "bucket", "over": "window", "source": "source"}
_MINUTE_US = 60_000_000
_MAX_DEPTH = 200
_FINER = (timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15))
"""Buckets that days begin with: in most zones, in the others, and in a few."""


def resolve_kpis(spec: DefinitionSpec, sources: Mapping[str, SourceDefinition], report: Report) -> dict[str, Kpi]:
    """The KPIs in the file's order, without those that have mistakes, which go to `report`."""
    trees: dict[str, exp.Expr] = {}
    for name, kpi in spec.kpis.items():
        if report.unknown(("kpis", name, "value")):
            continue
        try:
            trees[name] = parse(kpi.value)
        except ExpressionError as error:
            report.expression(("kpis", name, "value"), error)
    resolver = _Resolver(spec, sources, report)
    for name in parts_first(trees, report):
        resolver.resolve(name, trees[name])
    return {name: resolver.kpis[name] for name in spec.kpis if name in resolver.kpis}


class _Resolver:
    """Resolves one KPI after the other, parts first."""

    def __init__(self, spec: DefinitionSpec, sources: Mapping[str, SourceDefinition], report: Report) -> None:
        self.kpis: dict[str, Kpi] = {}
        self._names = spec.kpis.keys() | report.names(("kpis",))
        self._spec = spec
        self._sources = sources
        self._report = report

    def resolve(self, name: str, tree: exp.Expr) -> None:
        """Adds the KPI, or reports what is wrong with it."""
        spec, loc = self._spec.kpis[name], ("kpis", name)
        frame = self._frame(loc, spec, tree)
        if self._follows(tree, frame):
            self._check_names(loc, spec, tree, frame)
            return
        try:
            value = build_value(tree, frame, self.kpis)
            _check_depth(value.tree)
        except ExpressionError as error:
            self._report.expression((*loc, "value"), error)
            self._check_names(loc, spec, exp.Null(), frame)
            return
        if frame is None:
            self._check_composed(loc, spec)
        every_us = max(aggregate.every_us for aggregate in value.aggregates)
        over_us = max(every_us, *(aggregate.over_us for aggregate in value.aggregates))
        if any(every_us % aggregate.every_us for aggregate in value.aggregates):
            self._report.value((*loc, "value"), "the buckets of its parts don't fit: expected the largest to be a multiple of each other")
        if any(part.name in self._report.doubted for part in kpis_named(tree)) or self._report.left_out((*loc, "by")):
            self._report.doubted.add(name)
        by = self._dimensions(loc, spec, value, frame)
        self.kpis[name] = Kpi(name, spec, value, every_us, over_us, by, _timezone(spec), spec.holidays)
        _check_days((*loc, "every"), spec, self._report)
        check_targets((*loc, "target"), spec.target, _timezone(spec), every_us, self._report)

    def _follows(self, tree: exp.Expr, frame: Frame | None) -> bool:
        """Whether a mistake here could only follow from one that is reported already."""
        if any(part.name in self._names and part.name not in self.kpis for part in kpis_named(tree)):
            return True
        if frame is None and has_aggregates(tree):
            return True
        lost = {name for source in self._spec.sources for name in self._report.names(("sources", source, "fields"))}
        return any(column.name in lost for column in tree.find_all(exp.Column))

    def _check_names(self, loc: Loc, spec: KpiSpec, tree: exp.Expr, frame: Frame | None) -> None:
        """Reports the names that mean nothing anywhere, where the KPI's value can't be built for another mistake."""
        if self._report.names(("sources",)):
            return  # whose fields nobody knows
        declared = {name for source in self._sources.values() for name in source.fields} if frame is None else frame.fields.keys()
        lost = {name for source in self._spec.sources for name in self._report.names(("sources", source, "fields"))}
        for part in kpis_named(tree):
            if part.name not in self._names | declared | lost:
                error = fail(f"there is no KPI {part.name!r}{nearest(part.name, self._names - {loc[-1]})}", part)
                self._report.expression((*loc, "value"), error)
        for index, name in enumerate(spec.by):
            if name not in declared | lost | self._report.names((*loc, "by")):
                self._report.value((*loc, "by", index), f"there is no field {name!r}{nearest(name, declared)}")

    def _frame(self, loc: Loc, spec: KpiSpec, tree: exp.Expr) -> Frame | None:
        """What the aggregates of a KPI share; None for a KPI of KPIs, and where the source can't be told."""
        fields = {name: source.fields for name, source in self._sources.items()}
        outside = {part.name for part in kpis_named(tree)} - self._names
        if not has_aggregates(tree) and not (outside and sources_for(frozenset(outside), fields)):
            return None
        source = self._source(loc, spec, fields_named(tree) | outside)
        if spec.every is None and not self._report.left_out((*loc, "every")):
            self._report.key(loc, "'every' is missing: the bucket, such as every: 1m")
        every_us = microseconds(spec.every) if spec.every else _MINUTE_US
        over_us = microseconds(spec.over) if spec.over is not None else every_us
        if spec.every and (over_us < every_us or over_us % every_us):
            self._report.value((*loc, "over"), f"expected a multiple of the bucket, {format_duration(spec.every)}")
        return None if source is None else Frame(source, fields[source], every_us, over_us, tuple(spec.by))

    def _source(self, loc: Loc, spec: KpiSpec, named: frozenset[str]) -> str | None:
        """The source whose events a KPI aggregates."""
        lost = self._report.names(("sources",))
        if spec.source is not None:
            if spec.source not in self._sources.keys() | lost:
                self._report.value(
                    (*loc, "source"), f"there is no source {spec.source!r}{nearest(spec.source, self._spec.sources.keys() | lost)}"
                )
            return spec.source if spec.source in self._sources else None
        fields = {name: source.fields for name, source in self._sources.items()}
        fitting = sources_for(named | frozenset(spec.by), fields)
        if len(fitting) > 1:
            self._report.key(loc, f"its fields stand in more than one source; add `source:` with one of {', '.join(fitting)}")
            return None
        if fitting or lost:
            return fitting[0] if fitting else None
        # The source that has most of them is the one meant; what it lacks is reported when the value is built.
        return max(fields, key=lambda name: len(named & fields[name].keys()))

    def _check_composed(self, loc: Loc, spec: KpiSpec) -> None:
        given = {"every": spec.every, "over": spec.over, "source": spec.source}
        for key in (key for key, value in given.items() if value is not None):
            self._report.key((*loc, key), f"a KPI of KPIs takes its {_OF_PARTS[key]} from its parts; take `{key}` away")

    def _dimensions(self, loc: Loc, spec: KpiSpec, value: KpiValue, frame: Frame | None) -> tuple[str, ...]:
        """The dimensions that all parts have; those given are checked one by one."""
        first, *others = [aggregate.by for aggregate in value.aggregates]
        common = tuple(name for name in first if all(name in by for by in others))
        doubted = loc[-1] in self._report.doubted
        for index, name in enumerate(spec.by):
            if doubted and name not in common:
                continue  # the part that lacks it may be the one with the mistake
            problem = self._dimension_problem(name, spec.by[:index], value, common, frame)
            if problem and name not in self._report.names((*loc, "by")):
                self._report.value((*loc, "by", index), problem)
                self._report.doubted.add(str(loc[-1]))
        return tuple(name for name in spec.by if name in common) or common

    def _dimension_problem(self, name: str, before: list[str], value: KpiValue, common: tuple[str, ...], frame: Frame | None) -> str | None:
        if name in before:
            return f"{name!r} stands twice; keep one"
        if name in POINT_KEYS:
            return f"a dimension can't be called {name!r}, for a point has a {name} of its own; rename the field where the events are made"
        if frame is not None and (problem := dimension_problem(name, frame.fields)) is not None:
            return problem
        if name not in common:
            return f"not all parts have the dimension {name!r}{nearest(name, common) or _among(common)}"
        types = {self._sources[aggregate.source].fields[name].type.kind for aggregate in value.aggregates}
        return f"{name!r} is {' in one source and '.join(sorted(types))} in another; expected one type" if len(types) > 1 else None


def _timezone(spec: KpiSpec) -> str:
    """Where a KPI's days begin: as it says itself, else as its target does."""
    targets = spec.target if isinstance(spec.target, list) else [spec.target] if spec.target is not None else []
    return spec.timezone or next((target.timezone for target in targets if target.timezone), "UTC")


def _check_days(loc: Loc, spec: KpiSpec, report: Report) -> None:
    """Warns of buckets that the KPI's own days would cut in two, as buckets are counted in UTC."""
    if spec.every is None:
        return
    zone = ZoneInfo(_timezone(spec))
    # summer and winter; whoever set the clock otherwise long ago is of no matter
    offsets = [datetime(2026, month, 1, tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0) for month in (1, 7)]
    if any(offset % spec.every for offset in offsets):
        fits = next((size for size in _FINER if not any(offset % size for offset in offsets)), _FINER[-1])
        begin = f"buckets of {format_duration(spec.every)} are counted in UTC, and the days of {zone.key} begin within one"
        report.value(loc, f"{begin}; to ask for these days, take `every: {format_duration(fits)}`", warning=True)


def _among(common: tuple[str, ...]) -> str:
    return f"; expected one of {', '.join(common)}" if common else "; they have none in common"


def _check_depth(tree: exp.Expr) -> None:
    """Raises ExpressionError where a value's parts are nested too deeply to work with."""
    level = [tree]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in node.iter_expressions()]
    if level:
        raise ExpressionError(f"with its parts written out, it is nested more than {_MAX_DEPTH} deep")
