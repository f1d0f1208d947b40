"""Turns dashboards into what the page draws, and checks them: their KPIs, and the dimensions these are split by."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from livekpi.definition.dashboards import Dashboard, KpiTile, Row, TextTile
from livekpi.definition.definition import Kpi
from livekpi.definition.durations import duration_text, microseconds
from livekpi.definition.file.document import Loc
from livekpi.definition.problems import meant, nearest
from livekpi.definition.report import Report
from livekpi.definition.shape.dashboarding import DashboardSpec, KpiTileSpec, RowSpec, TextTileSpec, tiles_of
from livekpi.definition.shape.model import DefinitionSpec


def resolve_dashboards(spec: DefinitionSpec, kpis: Mapping[str, Kpi], report: Report) -> dict[str, Dashboard]:
    """The dashboards in the file's order; mistakes go to `report`."""
    lost = (spec.kpis.keys() | report.names(("kpis",))) - kpis.keys()
    resolver = _Resolver(kpis, lost, report)
    return {name: resolver.dashboard(name, dashboard) for name, dashboard in spec.dashboards.items()}


class _Resolver:
    """Resolves one dashboard after the other."""

    def __init__(self, kpis: Mapping[str, Kpi], lost: AbstractSet[str], report: Report) -> None:
        """`lost` are the KPIs whose mistakes are reported already."""
        self._kpis, self._lost, self._report = kpis, lost, report

    def dashboard(self, name: str, spec: DashboardSpec) -> Dashboard:
        loc: Loc = ("dashboards", name, "rows")
        return Dashboard(name, spec.title or name, tuple(self._row((*loc, index), row) for index, row in enumerate(spec.rows)))

    def _row(self, loc: Loc, row: Sequence[str | KpiTileSpec | TextTileSpec] | RowSpec) -> Row:
        title, below = (row.title, (*loc, "tiles")) if isinstance(row, RowSpec) else (None, loc)
        return Row(title, tuple(self._tile((*below, index), tile) for index, tile in enumerate(tiles_of(row))))

    def _tile(self, loc: Loc, tile: str | KpiTileSpec | TextTileSpec) -> KpiTile | TextTile:
        if isinstance(tile, TextTileSpec):
            return TextTile(tile.text, tile.size)
        if isinstance(tile, str):
            spec, at = KpiTileSpec(kpi=tile), loc
        else:
            spec, at = tile, (*loc, "kpi")
        if spec.kpi in self._kpis:
            self._check_split(loc, spec, self._kpis[spec.kpi])
            self._check_span(loc, spec, self._kpis[spec.kpi])
        elif spec.kpi not in self._lost:
            self._report.value(at, f"there is no KPI {spec.kpi!r}{meant(spec.kpi, self._kpis)}")
        span_us = None if spec.span is None else microseconds(spec.span)
        return KpiTile(spec.kpi, spec.title, spec.size, spec.by, spec.top, span_us)

    def _check_split(self, loc: Loc, tile: KpiTileSpec, kpi: Kpi) -> None:
        if tile.by is None:
            if "top" in tile.model_fields_set:
                self._report.key((*loc, "top"), "expected `by` beside it: `top` is about the slices of a split")
        elif tile.by not in kpi.by and kpi.name not in self._report.doubted:
            has = f"; it has {', '.join(kpi.by)}" if kpi.by else "; it has none"
            self._report.value((*loc, "by"), f"the KPI {kpi.name!r} is not kept by {tile.by!r}{nearest(tile.by, kpi.by) or has}")

    def _check_span(self, loc: Loc, tile: KpiTileSpec, kpi: Kpi) -> None:
        if tile.span is not None and microseconds(tile.span) < kpi.every_us:
            every = duration_text(kpi.every_us)
            self._report.value((*loc, "span"), f"expected at least {every}, which is the bucket of {kpi.name!r}")
