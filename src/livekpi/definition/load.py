"""From a definition file to a Definition, or to all that is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from livekpi.definition.definition import Definition
from livekpi.definition.file.variables import telling
from livekpi.definition.file.yaml_source import MAX_BYTES, read_yaml
from livekpi.definition.problems import DefinitionError, Problem
from livekpi.definition.report import Report
from livekpi.definition.resolve.alerts import resolve_alerts
from livekpi.definition.resolve.dashboards import resolve_dashboards
from livekpi.definition.resolve.engine import check_engine
from livekpi.definition.resolve.keep import resolve_keep
from livekpi.definition.resolve.kpis import resolve_kpis
from livekpi.definition.resolve.sources import resolve_sources
from livekpi.definition.shape.validate import validate


def load(path: Path, environ: Mapping[str, str]) -> Definition:
    """Reads a definition file, with variables filled in from `environ`.

    Raises DefinitionError with every mistake in it.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DefinitionError([Problem(f"can't be read: {error.strerror}", str(path))]) from error
    return parse_definition(raw, path, environ)


def check(path: Path, environ: Mapping[str, str], compare: Callable[[Definition], Sequence[Problem]] | None = None) -> list[Problem]:
    """Every mistake and warning of a definition file, in the file's order.

    `compare` adds what a definition without mistakes would change in a store.
    """
    try:
        definition = load(path, environ)
    except DefinitionError as error:
        return list(error.problems)
    return [*definition.warnings, *(compare(definition) if compare else ())]


def parse_definition(raw: bytes, path: Path, environ: Mapping[str, str]) -> Definition:
    """As `load`, from a file's bytes; `path` is where they stand."""
    document, problems = read_yaml(raw, str(path), environ)
    validated = validate(document)
    problems += [problem for problem in validated.problems if (problem.line, problem.column) not in document.unfilled]
    if validated.spec is None:
        raise DefinitionError(_in_order(problems))
    spec, report = validated.spec, Report(document, validated.left_out)
    sources = resolve_sources(spec, report)
    kpis = resolve_kpis(spec, sources, report)
    keep_us = resolve_keep(spec, report)
    rules = resolve_alerts(spec, sources, kpis, keep_us, report)
    dashboards = resolve_dashboards(spec, kpis, report)
    check_engine(spec, path, report)
    problems = _in_order([*problems, *report.problems])
    if any(not problem.warning for problem in problems):
        raise DefinitionError(problems)
    variables = telling(document.root, environ)
    return Definition(path, document.text, variables, spec, sources, kpis, keep_us, rules, dashboards, tuple(problems))


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column))
