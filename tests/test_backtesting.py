"""The command, and the same over HTTP."""

import io
import json
from pathlib import Path

import pytest

from livekpi.backtesting import read_incidents, show
from livekpi.clock import ManualClock
from livekpi.definition.load import parse_definition
from livekpi.query.steps import QueryError
from tests.rehearsed import HOUR_US, MINUTE_US, NOON_US, rehearsed, send

TEXT = """
sources:
  s: { http: {}, time: ts, fields: { ts: timestamp, page: string } }
kpis:
  visits: { value: count(*), every: 1m, by: [page] }
alerts:
  busy: { when: visits > 2, by: [page], notify: [am] }
notify:
  am: { webhook: { url: "https://example.com" } }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A definition and beside it its data: page a is busy at 12:00 and at 12:05."""
    path = tmp_path / "shop.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with rehearsed(tmp_path / "run", parse_definition(TEXT.encode(), path, {})) as server:
        for minute in range(10):
            server.clock.set_us(NOON_US + minute * MINUTE_US)
            send(server, *[{"page": "a"}] * (3 if minute in (0, 5) else 1))
        server.advance(NOON_US + HOUR_US)
    (tmp_path / "run" / "0").rename(tmp_path / ".livekpi")
    return path


def shown(file: Path, form: str, against: Path | None = None, incidents: Path | None = None, rules: tuple[str, ...] = ()) -> str:
    out = io.StringIO()
    show(file, None, against, incidents, {}, rules, form, ManualClock(NOON_US + HOUR_US), out)
    return out.getvalue()


def test_it_prints_what_would_have_been_told(file: Path) -> None:
    text = shown(file, "text")
    assert "2026-03-01T12:01:00Z to 2026-03-01T12:02:00Z, known 2026-03-01T12:01:" in text
    assert "am would have got 4 messages (busy)" in text
    (rule,) = json.loads(shown(file, "json"))["rules"]
    assert (rule["pages"], len(rule["alerts"]), rule["longest_seconds"]) == (4, 2, 60)
    assert rule["worst"] == {"series": {"page": "a"}, "alerts": 2, "seconds": 120}


def test_incidents_and_a_change(file: Path, tmp_path: Path) -> None:
    incidents, old = tmp_path / "known.csv", tmp_path / "old.yaml"
    incidents.write_text("start,end,name,rule\n2026-03-01T12:00:00Z,2026-03-01T12:03:00Z,first,\n", encoding="utf-8")
    old.write_text(TEXT.replace("> 2", "> 3"), encoding="utf-8")
    text = shown(file, "text", old, incidents)
    assert "busy: 1 of 2 alerts right (precision 50 %), 1 of 1 incidents found (recall 100 %), after 1m" in text
    assert "busy: 2 added, 0 removed, 0 moved, 0 as before" in text


def test_a_rule_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(QueryError, match="there is no rule 'bus'; did you mean 'busy'"):
        shown(file, "json", rules=("bus",))


@pytest.mark.parametrize("text", ["start,name\n1,a\n", "start,end,other\n1,2,3\n"])
def test_incidents_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(QueryError, match=r"known\.csv: incident 1: .* expected start, end"):
        read_incidents(path)


def test_incidents_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("- { start: 2026-03-01T12:00:00Z, end: '2026-03-01T13:00:00Z', rule: busy }\n", encoding="utf-8")
    (found,) = read_incidents(path)
    assert found.start.startswith("2026-03-01T12:00:00")
    assert found.rule == "busy"
