"""An alert rule's condition: comparisons and arithmetic over KPIs, and questions about their past.

It is judged once a bucket and series. Each question has an answer there, or none: a KPI without a value, one that had none so long
ago, an expectation that is not learned yet. Logic is SQL's, of three values: what is compared or calculated with a missing answer is
unknown, `false and unknown` is false, `true or unknown` is true, and an unknown condition neither begins nor ends an alert. Only
`absent` has an answer in every bucket since the KPI began.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from sqlglot import exp

from livekpi.definition.durations import parse_duration
from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.rules.directions import asks_more
from livekpi.definition.rules.thresholds import Sign, relation
from livekpi.definition.rules.units import mixed_units
from livekpi.definition.rules.vain import vain
from livekpi.definition.shape.model import KpiSpec
from livekpi.definition.sql.additive import adding_problem
from livekpi.definition.sql.expressions import KnownKpi
from livekpi.definition.sql.parsing import fail, offset_of, parse
from livekpi.definition.sql.scalars import Scalars
from livekpi.definition.sql.typed import Typed
from livekpi.definition.types import BOOLEAN, NUMBER, Type

# name → (the arguments after the KPI, the result; None: that of the KPI)
_FUNCTIONS: dict[str, tuple[tuple[str, ...], Type | None]] = {
    "ago": (("duration",), None),
    "absent": (("duration",), BOOLEAN),
    "anomalous": ((), BOOLEAN),
    "pace": ((), NUMBER),
    "rising": (("percent", "duration"), BOOLEAN),
    "falling": (("percent", "duration"), BOOLEAN),
}
FUNCTIONS = tuple(_FUNCTIONS)
_OF_NUMBERS = {"anomalous", "pace", "rising", "falling"}
_DURATION_OR_TEXT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?<![\w.])((?:\d+(?:ms|[smhdwy]))+)\b")


@dataclass(frozen=True)
class Question:
    """One thing a condition asks of a KPI: its value, or a function of its past."""

    kpi: str
    function: str = "value"
    duration: timedelta = timedelta(0)
    percent: float = 0.0


@dataclass(frozen=True)
class Threshold:
    """A condition that only compares one number with a constant: `question` `sign` `number`."""

    question: Question
    sign: Sign
    number: float

    def meets(self, other: "Threshold") -> bool:
        """Whether some number fulfils both; never for two that ask different things."""
        if self.question != other.question:
            return False
        if self.sign[0] == other.sign[0]:
            return True
        above, below = (self, other) if self.sign[0] == ">" else (other, self)
        return above.number < below.number or (above.number == below.number and above.sign + below.sign == ">=<=")


@dataclass(frozen=True)
class Condition:
    """`tree` has a column ``q0``, ``q1``, … for each question in its place; it is true, false, or null where that can't be known."""

    tree: exp.Expr
    questions: tuple[Question, ...]
    types: tuple[Type, ...]
    """Of each question's answer."""
    level: bool
    """Whether all it asks for are levels (`last`): a value that stands until the next event, so an open bucket can be judged at once."""
    threshold: Threshold | None
    """What it is where it only compares one number with a constant."""
    places: tuple[int, ...] = field(compare=False)
    """Where each question stands first in the text."""
    oddities: tuple[ExpressionError, ...] = field(compare=False)
    """What is odd in it, and where, though it can be judged."""

    @property
    def kpis(self) -> frozenset[str]:
        return frozenset(question.kpi for question in self.questions)

    @property
    def asks_absence(self) -> bool:
        """Whether it can be true because nothing comes."""
        return any(question.function == "absent" for question in self.questions)

    @property
    def first(self) -> Question:
        """The question whose answer a notice shows: the first that is a plain value or `pace`, else the first that is not `ago`."""
        order = {"value": 0, "pace": 0, "ago": 2}
        return min(self.questions, key=lambda question: order.get(question.function, 1))

    @property
    def asks_more(self) -> bool | None:
        """Whether it is rather true the greater the number of the first question is; None where that can't be said."""
        name = f"q{self.questions.index(self.first)}"
        more = next((asks_more(column) for column in self.tree.find_all(exp.Column) if column.name == name), None)
        falls = self.first.function == "falling"
        return None if more is None or self.first.function in ("absent", "anomalous") else more != falls


class WatchedKpi(KnownKpi, Protocol):
    """What is needed of a KPI that a condition names."""

    @property
    def spec(self) -> KpiSpec: ...


def parse_condition(text: str, kpis: Mapping[str, WatchedKpi]) -> Condition:
    """Parses a rule's condition; raises ExpressionError at its place in `text`."""

    def placed(error: ExpressionError) -> ExpressionError:
        return ExpressionError(error.message, _unquoted_offset(text, error.offset))

    try:
        found = _Reader(kpis).read(_DURATION_OR_TEXT.sub(lambda match: f"'{match[1]}'" if match[1] else match[0], text))
    except ExpressionError as error:
        raise placed(error) from error
    places = tuple(_unquoted_offset(text, place) for place in found.places)
    return replace(found, places=places, oddities=tuple(map(placed, found.oddities)))


def _unquoted_offset(text: str, offset: int) -> int:
    """Where in `text` something stands that is at `offset` once the durations before it have their quotes."""
    for match in _DURATION_OR_TEXT.finditer(text):
        if match[1]:
            offset -= (offset > match.start()) + (offset > match.end() + 1)
    return offset


class _Reader:
    """Reads one condition, whose durations stand in quotes."""

    def __init__(self, kpis: Mapping[str, WatchedKpi]) -> None:
        self._kpis = kpis
        self._asked: dict[Question, tuple[Type, int]] = {}
        """Each question's type and place, in the order of their columns."""

    def read(self, text: str) -> Condition:
        parsed = parse(text)
        tree = Scalars(self._leaf, exact=False, also=FUNCTIONS).condition(parsed)
        if not self._asked:
            raise fail("expected a condition on a KPI, such as error_rate > 0.05", parsed)
        types, places = zip(*self._asked.values(), strict=True)
        units = {name: kpi.spec.unit for name, kpi in self._kpis.items() if kpi.spec.unit}
        oddities = (*mixed_units(parsed, units), *vain(parsed, self._kpis))
        return Condition(tree, tuple(self._asked), types, self._is_level(), self._threshold(parsed), places, oddities)

    def _leaf(self, node: exp.Expr) -> Typed | None:
        if not _asks(node):
            return None
        question = self._question(node)
        value = self._kpis[question.kpi].value.type
        type_ = value if question.function == "value" else _FUNCTIONS[question.function][1] or value
        self._asked.setdefault(question, (type_, offset_of(node)))
        return Typed(exp.column(f"q{list(self._asked).index(question)}"), type_)

    def _question(self, node: exp.Expr) -> Question:
        if isinstance(node, exp.Column):
            return Question(self._kpi(node))
        name = str(node.this).lower()
        duration, percent = _arguments(name, node)
        question = Question(self._kpi(node.expressions[0]), name, duration, percent)
        kpi = self._kpis[question.kpi]
        if name in _OF_NUMBERS and not kpi.value.type.numeric:
            raise fail(f"{name} needs a number, and {question.kpi!r} is {kpi.value.type}", node)
        if name == "pace":
            self._check_pace(question.kpi, node)
        return question

    def _check_pace(self, name: str, node: exp.Expr) -> None:
        kpi = self._kpis[name]
        if kpi.spec.target is None:
            raise fail(f"{name!r} has no target to be paced by; give it one, such as target: {{1d: 50000}}", node)
        problem = adding_problem(kpi.value)
        if problem is not None:
            raise fail(f"{name!r} can't be added up to where a period will end: {problem}", node)

    def _kpi(self, node: exp.Expr) -> str:
        if not isinstance(node, exp.Column) or node.args.get("table") or node.name not in self._kpis:
            raise fail(f"there is no KPI {node.sql()!r}{nearest(node.sql(), list(self._kpis))}", node)
        return node.name

    def _is_level(self) -> bool:
        if any(question.function in ("absent", "pace") for question in self._asked):
            return False
        return all(part.kind == "last" for question in self._asked for part in self._kpis[question.kpi].value.aggregates)

    def _threshold(self, node: exp.Expr) -> Threshold | None:
        """The one question of a simple comparison has been asked when the tree was built, so it can be asked again."""
        found = relation(node)
        if found is None or not _asks(found.asked):
            return None
        return Threshold(self._question(found.asked), found.sign, found.number)


def _asks(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) or (isinstance(node, exp.Anonymous) and str(node.this).lower() in _FUNCTIONS)


def _arguments(name: str, node: exp.Expr) -> tuple[timedelta, float]:
    """The duration and the percent that a function is given; zero where it takes none."""
    expected = _FUNCTIONS[name][0]
    usage = f"{name}({', '.join(('kpi', *expected))})"
    if len(node.expressions) != len(expected) + 1:
        raise fail(f"expected {usage}", node)
    duration, percent = timedelta(0), 0.0
    for kind, argument in zip(expected, node.expressions[1:], strict=True):
        if not isinstance(argument, exp.Literal) or argument.is_string != (kind == "duration"):
            raise fail(f"expected {usage}, with a {'duration such as 10m' if kind == 'duration' else 'number above 0'}", argument)
        if kind == "percent":
            percent = float(argument.this)
            if percent <= 0:
                raise fail(f"expected {usage}, with a number above 0", argument)
            continue
        try:
            duration = parse_duration(argument.this)
        except ValueError as error:
            raise fail(f"{usage}: {error}, got {argument.this!r}", argument) from error
        if not duration:
            raise fail(f"expected {usage}, with a duration longer than nothing", argument)
    return duration, percent
