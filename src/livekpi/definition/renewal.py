"""What of a changed file can take effect while it runs: what people look at and read, and nothing that numbers or alerts come from."""

from livekpi.definition.shape.model import DefinitionSpec, KpiSpec


def needs_restart(running: DefinitionSpec, changed: DefinitionSpec) -> list[str]:
    """The keys at the file's top under which more than dashboards and words has changed."""
    before, after = _without_words(running), _without_words(changed)
    return [key for key in DefinitionSpec.model_fields if getattr(before, key) != getattr(after, key)]


def _without_words(spec: DefinitionSpec) -> DefinitionSpec:
    return spec.model_copy(update={"dashboards": {}, "kpis": {name: _silent(kpi) for name, kpi in spec.kpis.items()}})


def _silent(kpi: KpiSpec) -> KpiSpec:
    """A KPI without what is only said of it; `good` is not only that: it decides how an alert is worded."""
    return kpi.model_copy(update={"title": None, "description": None, "owner": None})
