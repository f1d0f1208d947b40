"""Where an alert's links lead: to the page of its KPI, at its series."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from livekpi.alerts.ledger import Alert
from livekpi.alerts.series import series_text
from livekpi.alerts.telling import notice_of
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError

MINUTE_US = 60_000_000
NOON_US = 1_772_366_400_000_000
FILE = """\
sources: {{ shop: {{ http: {{}}, time: ts, fields: {{ ts: timestamp, service: optional string, status: integer }} }} }}
kpis:
  errors: {{ value: count(*) filter (where status >= 500), every: 1m, by: [service] }}
  events: {{ value: count(*), every: 1m }}
alerts:
  high: {{ when: errors > 5, by: [service], notify: [am] }}
  silent: {{ when: events < 5, notify: [am] }}
notify: {{ am: {{ alertmanager: {{ urls: ["http://localhost:9093"] }} }} }}
{page}
"""


def links(
    rule: str, service: str | None = None, *, ends_us: int | None = None, page: str = "page: https://kpi.example.com/"
) -> dict[str, str]:
    definition = parse_definition(FILE.format(page=page).encode(), Path("shop.yaml"), {})
    series = series_text([service] if rule == "high" else [])
    alert = Alert("key", rule, definition.rules[rule].digest, series, NOON_US, ends_us, None, "", 7.0, NOON_US, None)
    return dict(notice_of(definition, alert, "firing" if ends_us is None else "resolved").links)


def test_without_a_page_there_is_no_link() -> None:
    assert links("silent", page="") == {}


def test_an_alert_of_the_whole_kpi_leads_to_the_kpi() -> None:
    assert links("silent") == {"KPI": "https://kpi.example.com/kpi/events"}


@pytest.mark.parametrize("service", ["cart", 'a "b" & ü=?#', None])
def test_an_alert_of_a_series_leads_to_the_series(service: str | None) -> None:
    address = urlsplit(links("high", service)["KPI"])
    assert (address.netloc, address.path) == ("kpi.example.com", "/kpi/errors")
    said = "null" if service is None else '"' + service.replace('"', '\\"') + '"'
    assert parse_qs(address.query) == {"only": [f'{{"service":{said}}}']}


def test_what_is_over_is_shown_around_its_time() -> None:
    asked = parse_qs(urlsplit(links("silent", ends_us=NOON_US + 10 * MINUTE_US)["KPI"]).query)
    assert asked == {"from": ["2026-03-01T11:30:00Z"], "to": ["2026-03-01T12:40:00Z"]}


def test_an_address_that_is_none_is_a_mistake_with_its_line() -> None:
    with pytest.raises(DefinitionError, match=r"shop\.yaml:9:7"):
        parse_definition(FILE.format(page="page: kpi.example.com").encode(), Path("shop.yaml"), {})
