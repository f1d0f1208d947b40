"""Dashboards as the page draws them: every KPI known, nothing left to default."""

from dataclasses import dataclass

from livekpi.definition.shape.dashboarding import Size


@dataclass(frozen=True, slots=True)
class KpiTile:
    """Shows a KPI."""

    kpi: str
    title: str | None
    """In place of the KPI's own."""
    size: Size
    by: str | None
    """The dimension it is split by."""
    top: int
    """How many slices of a split are shown beside the rest."""
    span_us: int | None
    """How far back it shows; None: as the viewer chooses."""


@dataclass(frozen=True, slots=True)
class TextTile:
    """Shows a text, as it stands."""

    text: str
    size: Size


@dataclass(frozen=True, slots=True)
class Row:
    """Tiles beside each other."""

    title: str | None
    tiles: tuple[KpiTile | TextTile, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Rows below each other."""

    name: str
    title: str
    rows: tuple[Row, ...]
