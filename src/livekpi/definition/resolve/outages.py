"""Rules that look for small sums, and see nothing of an outage in which no event comes at all.

What nothing came for counts 0, but has no sum, so beside such a rule there has to be one that asks `absent`, or for few events.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from livekpi.definition.definition import Definition
from livekpi.definition.durations import format_duration
from livekpi.definition.rules.counts import is_count
from livekpi.definition.rules.directions import asks_more
from livekpi.definition.rules.rules import Rule
from livekpi.definition.sql.additive import adding_problem

_LEAST_US = 600_000_000
"""What is named as a time after which to be told of an outage, in whole buckets."""


@dataclass(frozen=True, slots=True)
class Blind:
    """A rule whose condition looks for little of a KPI, with no rule that says when its source falls silent."""

    rule: str
    offset: int
    """Where the KPI stands in the rule's `when`."""
    message: str


def blind_rules(definition: Definition) -> Iterator[Blind]:
    """Each rule that would be silent in an outage of its source, once."""
    watched = {source for rule in definition.rules.values() for kpi in _missed(definition, rule) for source in definition.kpis[kpi].sources}
    for rule in definition.rules.values():
        found = next((each for each in _looks_for_little(rule) if _unwatched(definition, each[0], watched)), None)
        if found is not None:
            name, offset = found
            every_us = definition.kpis[name].every_us
            after = format_duration(timedelta(microseconds=-(-_LEAST_US // every_us) * every_us))
            message = (
                "where no event comes there is no sum to judge, so this rule tells of no outage of its source; "
                f"have one with absent({name}, {after}) beside it"
            )
            yield Blind(rule.name, offset, message)


def _missed(definition: Definition, rule: Rule) -> Iterator[str]:
    """The KPIs whose events a rule misses where none come."""
    yield from (question.kpi for question in rule.when.questions if question.function == "absent")
    yield from (name for name, _ in _looks_for_little(rule) if is_count(definition.kpis[name].value))


def _looks_for_little(rule: Rule) -> Iterator[tuple[str, int]]:
    """The KPIs of which a condition is rather true the smaller they are, and where they stand in it."""
    for column in rule.when.tree.find_all(exp.Column):
        number = int(column.name[1:])
        question, more = rule.when.questions[number], asks_more(column)
        if any(_is_ratio(division) for division in _around(column)):  # it says how large each is, not how many there are
            continue
        if (question.function in ("value", "pace") and more is False) or (question.function == "falling" and more):
            yield question.kpi, rule.when.places[number]


def _around(column: exp.Expr) -> Iterator[exp.Div]:
    """The divisions that a column stands in."""
    node = column.find_ancestor(exp.Div)
    while node is not None:
        yield node
        node = node.find_ancestor(exp.Div)


def _is_ratio(division: exp.Div) -> bool:
    return all(side.find(exp.Column) is not None for side in (division.this, division.expression))


def _unwatched(definition: Definition, name: str, watched: set[str]) -> bool:
    kpi = definition.kpis[name]
    return adding_problem(kpi.value) is None and not kpi.sources <= watched
