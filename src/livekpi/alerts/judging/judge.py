"""Rules' verdicts over a range of buckets: their conditions evaluated over the answers to their questions, for all series at once.

A count or sum whose bucket is not complete is judged by what it will be: divided by the share of its events that usually has arrived by
then, and only where the verdict is the same at both ends of what that leaves open. SPREAD standard deviations are allowed for, of a
Poisson number of missing events; what a missing event adds to a sum is not known, so there all that is missing is open.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from livekpi.alerts.judging.answers import MOVES, Answers, Part, moved_sql
from livekpi.alerts.judging.machine import Run
from livekpi.alerts.judging.values import Codes, Reader
from livekpi.alerts.series import Series, steps_of
from livekpi.definition.definition import Definition
from livekpi.definition.rules.conditions import Condition, Question
from livekpi.definition.rules.rules import Rule
from livekpi.definition.sql.additive import lone
from livekpi.query.query import Query
from livekpi.query.steps import Steps
from livekpi.store.arrow import registered

SPREAD = 2.0
_BOUNDS = ("", "_low", "_high")
_NO_ROW = 0
_THREE = (None, False, True)
_FALSE, _TRUE = _THREE.index(False), _THREE.index(True)
_NOT = np.array([0, _TRUE, _FALSE], dtype=np.uint8)


@dataclass(frozen=True)
class Ask:
    """A rule to be judged over the buckets in [from, to)."""

    rule: Rule
    from_us: int
    to_us: int
    shares: Mapping[int, float] = field(default_factory=dict)
    """Of buckets that are not complete, by their start, which share of their events is thought to be there."""


@dataclass(frozen=True)
class Verdicts:
    """What a rule says of each series and bucket of a range, an array of both."""

    codes: Codes
    from_us: int
    every_us: int
    said: NDArray[np.uint8]
    """`_NO_ROW`, or 1 + 3 * when + clear, each as its place in `_THREE`."""
    values: NDArray[np.float64]
    """The number that is shown, as it is, not as it will be; NaN where there is none."""
    open: NDArray[np.bool_]
    """In which buckets the rule's calendars let it fire."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where it is known whether the condition holds; nowhere outside the rule's calendars."""
        found: NDArray[np.bool_] = (self.said > len(_THREE) * _FALSE) & self.open
        return found

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Where the condition holds."""
        found: NDArray[np.bool_] = self.said > len(_THREE) * _TRUE
        return found

    def runs(self, also: Collection[Series] = ()) -> dict[Series, list[Run]]:
        """The verdicts, those alike as one run, in the order of time: of the series at which the condition holds at all, and of `also`.

        Buckets of which nothing is known are left out.
        """
        holds: list[bool] = np.any(self.holds, axis=1).tolist()
        chosen = [number for number, met in enumerate(holds) if met or self.codes.texts[number] in also]
        return {self.codes.texts[number]: own for number in chosen if (own := list(self._runs(number)))}

    def _runs(self, number: int) -> Iterator[Run]:
        said, values = self.said[number], self.values[number]
        bounds = [0, *(np.flatnonzero(said[1:] != said[:-1]) + 1).tolist(), len(said)]
        for begin, end in pairwise(bounds):
            verdict = int(said[begin]) - 1
            if verdict > 0:
                when, clear = (_THREE[each] for each in divmod(verdict, len(_THREE)))
                known = values[begin:end][~np.isnan(values[begin:end])]
                value = float(known[-1]) if len(known) else None
                yield Run(self.from_us + begin * self.every_us, self.from_us + end * self.every_us, when, clear, value)


@dataclass(frozen=True)
class _Written:
    """A rule in SQL, over the columns of its questions' answers: what they compare to, or will be, and over that its conditions."""

    compared: tuple[str, ...]
    conditions: tuple[str, ...]


class Judge:
    """Judges a definition's rules."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        questions = dict.fromkeys(question for rule in definition.rules.values() for question in rule.questions)
        self._questions = {question: place for place, question in enumerate(questions)}
        self._rules = {name: place for place, name in enumerate(definition.rules)}
        self._written: dict[tuple[str, bool], _Written] = {}

    def verdicts(self, cursor: duckdb.DuckDBPyConnection, query: Query, reader: Reader, asks: Sequence[Ask]) -> list[Verdicts]:
        """Of rules with the same dimensions and bucket, at the buckets from the first that is asked for to the last.

        Raises QueryError where a question of one of them can't be answered.
        """
        rule = asks[0].rule
        steps = steps_of(min(ask.from_us for ask in asks), max(ask.to_us for ask in asks), rule.every_us)
        questions = list(dict.fromkeys(question for ask in asks for question in ask.rule.questions))
        codes, answers = Answers(cursor, query, self._definition, reader).ask(questions, steps, rule.by)
        columns = {f"{part}{self._questions[question]}": array for (question, part), array in answers.items()}
        for ask in asks:
            if ask.shares:
                shares = np.tile([ask.shares.get(start, 1.0) for start in steps.starts], len(codes))
                columns[f"share{self._rules[ask.rule.name]}"] = pa.array(shares)
        written = [self._of(ask.rule, predicting=bool(ask.shares)) for ask in asks]
        compared = ", ".join(dict.fromkeys(["*", *(text for each in written for text in each.compared)]))
        conditions = ", ".join(text for each in written for text in each.conditions)
        with registered(cursor, {"columns": pa.table(columns)}):
            # as a relation a statement is planned twice
            found = cursor.execute(f"SELECT {conditions} FROM (SELECT {compared} FROM columns)").fetchnumpy()
        truths = {name: _truths(each).reshape(len(codes), len(steps)) for name, each in found.items()}
        return [self._verdicts(ask, steps, codes, answers, truths) for ask in asks]

    def _verdicts(
        self, ask: Ask, steps: Steps, codes: Codes, answers: Mapping[Part, pa.Array], truths: Mapping[str, NDArray[np.uint8]]
    ) -> Verdicts:
        """A rule's, of the buckets that it asked for."""
        rule, own, shape = ask.rule, self._rules[ask.rule.name], (len(codes), len(steps))
        open_ = np.array([rule.open(end - 1) for end in steps.ends] if rule.only or rule.except_ else [True] * len(steps))
        met = np.where(open_, truths[f"when{own}"], _FALSE)
        clears = _NOT[met] if rule.clear is None else np.where(open_, truths[f"clear{own}"], _TRUE)
        known = np.logical_or.reduce([_known(question, answers) for question in rule.questions]).reshape(shape)
        said = np.where(known, 1 + len(_THREE) * met + clears, _NO_ROW)
        asked = slice(steps.starts.index(ask.from_us), steps.ends.index(ask.to_us) + 1)
        values = _shown(rule, answers).reshape(shape)
        return Verdicts(codes, ask.from_us, rule.every_us, said[:, asked], values[:, asked], open_[asked])

    def _of(self, rule: Rule, *, predicting: bool) -> _Written:
        if (rule.name, predicting) not in self._written:
            self._written[rule.name, predicting] = self._write(rule, predicting=predicting)
        return self._written[rule.name, predicting]

    def _write(self, rule: Rule, *, predicting: bool) -> _Written:
        own, bounds, names, compared = self._rules[rule.name], _BOUNDS if predicting else ("",), dict[Question, str](), list[str]()
        for question in rule.questions:
            place = self._questions[question]
            text = names[question] = f"now{place}"
            if question.function in MOVES:
                text, names[question] = moved_sql(question, text, f"before{place}"), f"moved{place}"
                compared += [f"{text} AS moved{place}{bound}" for bound in bounds]
            elif predicting:
                names[question] = f"foreseen{own}_{place}_"
                values = self._foreseen(question, text, f"share{own}")
                compared += [f"{value} AS {names[question]}{bound}" for value, bound in zip(values, bounds, strict=True)]
        conditions = {"when": rule.when, "clear": rule.clear}
        written = [f"{agreed(each, names, bounds)} AS {name}{own}" for name, each in conditions.items() if each is not None]
        return _Written(tuple(compared), tuple(written))

    def _foreseen(self, question: Question, text: str, share: str) -> list[str]:
        """An answer as it will be, and what is open: the least and the most."""
        kind = lone(self._definition.kpis[question.kpi].value) if question.function == "value" else None
        value, missing = f"{text} / {share}", f"abs({text}) * (1 - {share})"
        if kind == "count":  # what has been counted stays counted
            spread = f"{SPREAD!r} * sqrt({missing}) / {share}"
            return [value, f"greatest({text}, {value} - {spread})", f"{value} + {spread}"]
        if kind == "sum":
            return [value, f"{value} - {missing} / {share}", f"{value} + {missing} / {share}"]
        return [text] * 3


def agreed(condition: Condition, names: Mapping[Question, str], bounds: Sequence[str]) -> str:
    """The condition as SQL over columns of answers; unknown where it is not the same at all bounds."""
    columns = {f"q{number}": names[question] for number, question in enumerate(condition.questions)}

    def at(bound: str) -> str:
        def place(node: exp.Expr) -> exp.Expr:
            return exp.column(f"{columns[node.name]}{bound}") if isinstance(node, exp.Column) else node

        return f"TRY({condition.tree.transform(place).sql(dialect='duckdb')})"

    verdicts = [at(bound) for bound in bounds]
    if len(verdicts) == 1:
        return verdicts[0]
    return f"(CASE WHEN {' AND '.join(f'{verdicts[0]} = {other}' for other in verdicts[1:])} THEN {verdicts[0]} END)"


def _truths(found: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Each as its place in `_THREE`; what is null is masked."""
    truths: NDArray[np.uint8] = np.where(np.ma.getmaskarray(found), 0, np.ma.getdata(found) + np.uint8(_FALSE))
    return truths


def _known(question: Question, answers: Mapping[Part, pa.Array]) -> NDArray[np.bool_]:
    """Where a question has an answer."""
    parts = [array.is_valid().to_numpy(zero_copy_only=False) for (asked, _), array in answers.items() if asked == question]
    found: NDArray[np.bool_] = np.logical_and.reduce(parts)
    return found


def _shown(rule: Rule, answers: Mapping[Part, pa.Array]) -> NDArray[np.float64]:
    """The number that a notice shows; NaN where there is none."""
    first = rule.when.first
    array = answers[first, "shown" if first.function == "anomalous" else "now"]
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    if first.function not in ("value", "pace", "anomalous", *MOVES) or not any(kind(array.type) for kind in kinds):
        return np.full(len(array), np.nan)
    shown: NDArray[np.float64] = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return shown
