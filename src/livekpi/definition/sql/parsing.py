"""SQL text into SQLGlot's tree, with every mistake at its place."""

import re
from math import isfinite

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from livekpi.definition.problems import ExpressionError
from livekpi.definition.sql.hints import for_token

MAX_LENGTH = 10_000
MAX_DEPTH = 90
_NUMBER = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def parse(text: str) -> exp.Expr:
    """Parses one SQL expression; raises ExpressionError where it is none."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expected an expression of at most {MAX_LENGTH} characters, got {len(text)}")
    try:
        tree = sqlglot.parse_one(text)
    except (ParseError, TokenError) as error:
        raise _syntax_error(text, error) from error
    except RecursionError as error:
        raise ExpressionError("the expression is nested too deeply") from error
    if not isinstance(tree, exp.Expr):
        raise ExpressionError("expected an expression")
    if _depth_exceeds(tree, MAX_DEPTH):
        raise ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep")
    for literal in tree.find_all(exp.Literal):
        if not literal.is_string and not (_NUMBER.fullmatch(literal.name) and isfinite(float(literal.name))):
            raise fail(f"{literal.name[:60]!r} is no number, or is out of range", literal)
    return tree


def _syntax_error(text: str, error: ParseError | TokenError) -> ExpressionError:
    if isinstance(error, ParseError) and error.errors:
        first = error.errors[0]
        line, end = int(first.get("line") or 1), int(first.get("col") or 0)
        starts = [0]
        for part in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(part))
        found = str(first.get("highlight") or "")
        offset = max(0, starts[min(line, len(starts)) - 1] + end - len(found))
        what = str(first.get("description") or "invalid syntax").rstrip(".")
        if what.startswith("Required keyword"):
            what = "something is missing"
        return ExpressionError(f"not an expression: {what}" + (f" at {found!r}{for_token(found)}" if found else ""), offset)
    unclosed = isinstance(error, TokenError)
    return ExpressionError(
        "not an expression: a quote or comment is not closed" if unclosed else "expected an expression, such as count(*)"
    )


def _depth_exceeds(tree: exp.Expr, limit: int) -> bool:
    level: list[exp.Expr] = [tree]
    for _ in range(limit):
        level = [child for node in level for child in node.iter_expressions()]
        if not level:
            return False
    return True


def offset_of(node: exp.Expr) -> int:
    """Where a node stands in the text it was parsed from: its own place, or its first part's."""
    starts = [int(found.meta["start"]) for found in node.walk() if "start" in found.meta]
    return min(starts, default=0)


def fail(message: str, node: exp.Expr) -> ExpressionError:
    """An error at a node's place."""
    return ExpressionError(message, offset_of(node))
