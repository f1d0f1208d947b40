"""An alert rule's condition: comparisons and arithmetic over KPIs, and questions about their past."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from livekpi.definition.durations import parse_duration
from livekpi.definition.expressions import KnownKpi
from livekpi.definition.parsing import fail, parse
from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.scalars import Scalars, Typed
from livekpi.definition.types import BOOLEAN, NUMBER, Type

# name → (the arguments after the KPI, the result)
_FUNCTIONS: dict[str, tuple[tuple[str, ...], Type]] = {
    "ago": (("duration",), NUMBER),
    "absent": (("duration",), BOOLEAN),
    "anomalous": ((), BOOLEAN),
    "pace": ((), NUMBER),
    "rising": (("percent", "duration"), BOOLEAN),
    "falling": (("percent", "duration"), BOOLEAN),
}
_DURATION_OR_TEXT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?<![\w.])((?:\d+(?:ms|[smhdwy]))+)\b")


@dataclass(frozen=True)
class Question:
    """One thing a condition asks of a KPI: its value, or a function of its past."""

    kpi: str
    function: str = "value"
    duration: timedelta = timedelta(0)
    percent: float = 0.0


@dataclass(frozen=True)
class Condition:
    """`tree` has a column ``q0``, ``q1``, … for each question in its place; it is true or false."""

    tree: exp.Expr
    questions: tuple[Question, ...]

    @property
    def kpis(self) -> frozenset[str]:
        return frozenset(question.kpi for question in self.questions)


def parse_condition(text: str, kpis: Mapping[str, KnownKpi]) -> Condition:
    """Parses a rule's condition; raises ExpressionError at its place in `text`."""
    try:
        return _parse_quoted(_DURATION_OR_TEXT.sub(lambda match: f"'{match[1]}'" if match[1] else match[0], text), kpis)
    except ExpressionError as error:
        raise ExpressionError(error.message, _unquoted_offset(text, error.offset)) from error


def _unquoted_offset(text: str, offset: int) -> int:
    """Where in `text` something stands that is at `offset` once the durations before it have their quotes."""
    for match in _DURATION_OR_TEXT.finditer(text):
        if match[1]:
            offset -= (offset > match.start()) + (offset > match.end() + 1)
    return offset


def _parse_quoted(text: str, kpis: Mapping[str, KnownKpi]) -> Condition:
    questions: list[Question] = []

    def leaf(node: exp.Expr) -> Typed | None:
        if isinstance(node, exp.Column):
            return place(Question(_kpi(node, kpis)), kpis[node.name].value.type)
        if isinstance(node, exp.Anonymous) and str(node.this).lower() in _FUNCTIONS:
            return place(_question(node, kpis), _FUNCTIONS[str(node.this).lower()][1])
        return None

    def place(question: Question, type_: Type) -> Typed:
        if question not in questions:
            questions.append(question)
        return Typed(exp.column(f"q{questions.index(question)}"), type_)

    parsed = parse(text)
    tree = Scalars(leaf, exact=False, also=tuple(_FUNCTIONS)).condition(parsed)
    if not questions:
        raise fail("expected a condition on a KPI, such as error_rate > 0.05", parsed)
    return Condition(tree, tuple(questions))


def _kpi(node: exp.Expr, kpis: Mapping[str, KnownKpi]) -> str:
    if not isinstance(node, exp.Column) or node.args.get("table") or node.name not in kpis:
        raise fail(f"there is no KPI {node.sql()!r}{nearest(node.sql(), list(kpis))}", node)
    return node.name


def _question(node: exp.Anonymous, kpis: Mapping[str, KnownKpi]) -> Question:
    name = str(node.this).lower()
    expected, _ = _FUNCTIONS[name]
    usage = f"{name}({', '.join(('kpi', *expected))})"
    if len(node.expressions) != len(expected) + 1:
        raise fail(f"expected {usage}", node)
    duration, percent = timedelta(0), 0.0
    for kind, argument in zip(expected, node.expressions[1:], strict=True):
        if not isinstance(argument, exp.Literal) or argument.is_string != (kind == "duration"):
            raise fail(f"expected {usage}, with a {'duration such as 10m' if kind == 'duration' else 'number'}", node)
        if kind == "duration":
            try:
                duration = parse_duration(argument.this)
            except ValueError as error:
                raise fail(f"{usage}: {error}, got {argument.this!r}", node) from error
        else:
            percent = float(argument.this)
    return Question(_kpi(node.expressions[0], kpis), name, duration, percent)
