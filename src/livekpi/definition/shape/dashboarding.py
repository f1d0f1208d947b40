"""The dashboards of the definition file: which KPIs people look at together, and how large."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from livekpi.definition.shape.parts import Model
from livekpi.definition.shape.values import Duration, Text

Size = Literal["small", "medium", "large", "wide"]


def _some_time(span: timedelta) -> timedelta:
    if not span:
        raise ValueError("expected a time longer than nothing, such as 1h or 1d")
    return span


class KpiTileSpec(Model):
    """A tile that shows a KPI."""

    kpi: str
    """Which KPI."""
    title: Text | None = None
    """What stands above it; else the KPI's own title."""
    size: Size = "medium"
    """How much room it gets: small, medium, large, or wide as the row."""
    by: str | None = None
    """A dimension to split it by."""
    top: Annotated[int, Field(ge=1, le=50)] = 5
    """How many of a split's slices are shown; the rest are shown as one."""
    span: Annotated[Duration, AfterValidator(_some_time)] | None = None
    """How far back it shows, such as 1h or 1d; else what the viewer chooses."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_the_other(cls, given: object) -> object:
        if isinstance(given, dict) and "text" in given:
            raise ValueError("expected `kpi` or `text`, not both")
        return given


class TextTileSpec(Model):
    """A tile of plain text."""

    text: Annotated[str, Field(min_length=1, max_length=2_000)]
    """What it says, as it stands here; a blank line begins a paragraph."""
    size: Size = "medium"
    """How much room it gets."""


def _tile_kind(given: object) -> str:
    if isinstance(given, dict):
        return "a text" if "text" in given and "kpi" not in given else "a KPI"
    return "a KPI" if isinstance(given, list) else "a name"


TileSpec = Annotated[
    Annotated[str, Tag("a name")] | Annotated[KpiTileSpec, Tag("a KPI")] | Annotated[TextTileSpec, Tag("a text")],
    Discriminator(_tile_kind),
]
Tiles = Annotated[list[TileSpec], Field(min_length=1)]


class RowSpec(Model):
    """A row of tiles with a title above it."""

    title: Text | None = None
    """What stands above the row."""
    tiles: Tiles
    """What stands in it, from left to right: KPIs by their names, or with more said of them, and texts."""


def _row_kind(given: object) -> str:
    return "a row" if isinstance(given, dict) else "its tiles"


AnyRow = Annotated[Annotated[Tiles, Tag("its tiles")] | Annotated[RowSpec, Tag("a row")], Discriminator(_row_kind)]


class DashboardSpec(Model):
    """KPIs that people look at together."""

    title: Text | None = None
    """What people call it; else its name."""
    rows: Annotated[list[AnyRow], Field(min_length=1)]
    """What it shows, from top to bottom: lists of tiles, or such with a title."""


def tiles_of(row: "Sequence[str | KpiTileSpec | TextTileSpec] | RowSpec") -> Sequence[str | KpiTileSpec | TextTileSpec]:
    """A row's tiles, however it is written."""
    return row.tiles if isinstance(row, RowSpec) else row
