"""Which way a condition looks: whether it is rather true the greater one of its numbers is, or the smaller."""

from sqlglot import exp

_AS_IT_IS = (exp.Paren, exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Coalesce, exp.Cast, exp.Nullif)
_ABOVE, _BELOW = (exp.GT, exp.GTE), (exp.LT, exp.LTE)


def asks_more(column: exp.Expr) -> bool | None:
    """Whether the condition that a column stands in is rather true the greater the column is; None where neither way is.

    Factors and divisors are taken to be above 0.
    """
    more, node = True, column
    while (parent := node.parent) is not None:
        if not isinstance(parent, (*_AS_IT_IS, *_ABOVE, *_BELOW, exp.Neg, exp.Not)):
            return None
        right = parent.args.get("expression") is node
        falls = isinstance(parent, (*_ABOVE, exp.Sub, exp.Div)) if right else isinstance(parent, (*_BELOW, exp.Neg, exp.Not))
        more, node = more != falls, parent
    return more
