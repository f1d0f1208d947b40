"""Where people look at what an alert is about."""

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from livekpi.alerts.ledger import Alert
from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule
from livekpi.moments import time_text

BESIDE_US = 1_800_000_000
"""So much is shown before and after an alert that is over."""


def links(definition: Definition, rule: Rule, alert: Alert, series: Mapping[str, str | None]) -> dict[str, str]:
    """The page of the KPI that the rule looks at first, cut to the alert's series; while it fires as it is now, then around its time.

    Nothing where the file does not say where the page is (`page`).
    """
    if definition.spec.page is None:
        return {}
    kpi = definition.kpis[rule.when.first.kpi]
    asked: dict[str, str] = {}
    if alert.ends_us is not None:
        asked |= {"from": time_text(alert.started_us - BESIDE_US), "to": time_text(alert.ends_us + BESIDE_US)}
    only = {name: value for name, value in series.items() if name in kpi.by}
    if only:
        asked["only"] = json.dumps(only, ensure_ascii=False, separators=(",", ":"))
    address = f"{definition.spec.page.rstrip('/')}/kpi/{quote(kpi.name, safe='')}"
    return {"KPI": f"{address}?{urlencode(asked)}" if asked else address}
