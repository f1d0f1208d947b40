"""Which KPIs count."""

import pytest

from livekpi.definition.rules.counts import is_count
from tests.rehearsed import definition

KPIS = {
    "hits": "value: count(*)",
    "shops": "value: count(distinct shop)",
    "bad": "value: count(*) filter (where n > 3)",
    "total": "value: sum(n)",
    "most": "value: max(n)",
    "stock": "value: last(n)",
}
COMPOSED = {"good": "hits - bad", "share": "bad / hits", "mean": "total / hits", "both": "hits + total"}


@pytest.mark.parametrize(("kpi", "counts"), [(name, name in ("hits", "shops", "bad", "good")) for name in (*KPIS, *COMPOSED)])
def test_counts_are_known_where_nothing_came(kpi: str, *, counts: bool) -> None:
    made = definition("shop: string, n: optional integer", KPIS, composed=COMPOSED)
    assert is_count(made.kpis[kpi].value) is counts
