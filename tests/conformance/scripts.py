"""The golden scripts as one definition whose sources are Kafka's, so that one job of a cluster runs them all.

Each script's sources and KPIs get the script's name before their own; its events go to topics of its own, as they came.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from livekpi.definition.definition import Kpi
from livekpi.definition.load import parse_definition
from livekpi.query.points import Request
from livekpi.scripts.parser import parse_script
from livekpi.scripts.script import Arrive, Define, ExpectPoints

GOLDEN = Path(__file__).parent.parent / "golden"
LEFT_OUT: Mapping[str, str] = {
    "added_later": "its definition changes on the way; what a job makes of a change is shown by the engines' own tests",
    "redefined": "its definition changes on the way",
    "retention": "what is rolled up, and when, hangs on the commits between which its events come",
    "series_limit": "which series are too many hangs on the order in which a job's rows come",
    "text_formats": "Kafka's records are JSON; CSV and access logs are files' formats",
}
"""Scripts that can't run from Kafka to the end in one go, and why."""
REFUSED: Mapping[str, Mapping[str, str]] = {
    "flink": {"text_times": "a cast of string to timestamp"},
    "spark": {"repeats": "source repeats_shop: `id: event_id`: Spark drops no repeats"},
}
"""By engine: scripts that `livekpi check` refuses there, and what it says."""
_EVER = "3650d"
_CHANGES = ("keep", "limits", "alerts", "notify", "engine")
"""Sections of a file that hold for all of its sources: a script with one can't share a definition."""

Record = bytes | None


@dataclass(frozen=True)
class Golden:
    """A script that can run from Kafka."""

    name: str
    sources: Mapping[str, Any]
    kpis: Mapping[str, Any]
    requests: tuple[Request, ...]
    """What the script asks, of the KPIs by their new names."""
    records: Mapping[str, tuple[tuple[int, tuple[Record, ...]], ...]]
    """By source: what arrives together, with the partition."""


@dataclass
class Together:
    """Scripts as one definition."""

    sources: dict[str, Any] = field(default_factory=dict)
    kpis: dict[str, Any] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    records: dict[str, list[tuple[int, tuple[Record, ...]]]] = field(default_factory=dict)

    def add(self, golden: Golden) -> None:
        self.sources.update(golden.sources)
        self.kpis.update(golden.kpis)
        self.requests += golden.requests
        self.records.update({name: list(arrivals) for name, arrivals in golden.records.items()})

    def text(self, brokers: str, engine: Mapping[str, Any] | None = None) -> str:
        """The definition's file; the topic of a source has its name."""
        sources = {name: {**spec, "kafka": {"brokers": brokers, "topic": name}} for name, spec in self.sources.items()}
        return json.dumps({"sources": sources, "kpis": self.kpis, **({} if engine is None else {"engine": engine})}, ensure_ascii=False)


def golden_scripts() -> list[Golden]:
    """All scripts but those in LEFT_OUT."""
    return [_golden(path) for path in sorted(GOLDEN.glob("*.test")) if path.stem not in LEFT_OUT]


def together(scripts: Iterable[Golden]) -> Together:
    found = Together()
    for script in scripts:
        found.add(script)
    return found


def _golden(path: Path) -> Golden:
    script = parse_script(path, path.read_text(encoding="utf-8"))
    name = path.stem
    [define] = [step for step in script.steps if isinstance(step, Define)]
    file: dict[str, Any] = YAML(typ="safe").load(define.text)
    assert not file.keys() & set(_CHANGES), f"{name} has a section that other scripts would have to share"
    own = parse_definition(define.text, path, {})
    kpis = {f"{name}_{kpi}": _renamed(name, spec, own.kpis[kpi], file["kpis"]) for kpi, spec in file["kpis"].items()}
    asked = [step.request for step in script.steps if isinstance(step, ExpectPoints)]
    arrivals: dict[str, list[tuple[int, tuple[Record, ...]]]] = {f"{name}_{source}": [] for source in file["sources"]}
    for step in script.steps:
        if isinstance(step, Arrive):
            arrivals[f"{name}_{step.source}"].append((step.partition, step.records))
    return Golden(
        name,
        {f"{name}_{source}": _kafka(spec) for source, spec in file["sources"].items()},
        kpis,
        tuple(replace(request, kpi=f"{name}_{request.kpi}") for request in asked),
        {source: tuple(found) for source, found in arrivals.items()},
    )


def _kafka(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The source without its kind. A script has its own clock, a cluster the real one: no time is ahead unless the script says when."""
    assert not spec.keys() & {"file", "stdin"}, "a file's formats are not Kafka's"
    return {"ahead": _EVER, **{key: value for key, value in spec.items() if key not in ("http", "kafka")}}


def _renamed(script: str, spec: Mapping[str, Any], kpi: Kpi, kpis: Mapping[str, Any]) -> dict[str, Any]:
    """A KPI; one of KPIs names them, and has no bucket of its own. With so many sources, one of a source must say which."""
    if "every" in spec:
        return {**spec, "source": f"{script}_{kpi.value.aggregates[0].source}"}
    return {**spec, "value": re.sub(r"[a-z_]+", lambda found: f"{script}_{found[0]}" if found[0] in kpis else found[0], spec["value"])}
