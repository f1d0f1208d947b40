"""How large an expression is once an engine reads it: what stands in some functions is written there twice."""

from sqlglot import exp

MAX_PARTS = 5_000
"""More than the longest text has, where nothing in it is repeated."""
TWICE = (exp.Greatest, exp.Least, exp.Sqrt, exp.Ln, exp.Exp, exp.Pow)
"""What is written twice: it is looked at first, for a null, or for a number that there is not."""
_TWICE_LATER = (exp.Greatest, exp.Least)
"""Of these it is the engine's SQL that does so; in our tree it stands once."""


def parts(tree: exp.Expr) -> int:
    """How many parts one of our own trees has as SQL."""
    sizes: dict[int, int] = {}
    for node in reversed(list(tree.walk())):  # the inner parts first
        size = 1 + sum(sizes[id(child)] for child in node.iter_expressions())
        sizes[id(node)] = 2 * size if isinstance(node, _TWICE_LATER) else size
    return sizes[id(tree)]
