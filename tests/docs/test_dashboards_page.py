"""The page on dashboards: its example is one, and it leaves no key out."""

import re
from pathlib import Path

from livekpi.definition.load import parse_definition
from livekpi.definition.shape.dashboarding import KpiTileSpec, TextTileSpec
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "shop" / "shop.yaml"


def test_its_example_is_a_dashboard() -> None:
    (example,) = re.findall(r"^```yaml\n(dashboards:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    shop = EXAMPLE.read_text(encoding="utf-8")
    before, after = shop.partition("dashboards:")[0], shop[shop.index("\nnotify:\n") :]
    definition = parse_definition(f"{before}{example}{after}".encode(), Path("page.yaml"), {"PAGERDUTY_KEY": "key"})
    assert definition.warnings == ()
    assert [len(row.tiles) for row in definition.dashboards["shop"].rows] == [3, 2, 2]


def test_every_key_of_a_tile_is_on_the_page() -> None:
    keys = KpiTileSpec.model_fields.keys() | TextTileSpec.model_fields.keys()
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == keys
