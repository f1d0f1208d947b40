"""The plan's pieces as DuckDB's SQL.

A statement has ``{source}`` where the events stand, which it calls by an alias so that no field's name can be taken for one of
ours, and ``{keys}`` where it selects their bucket and dimensions.
"""

from sqlglot import exp

from livekpi.engine.plan import Grouping, Partial, bin_tree
from livekpi.store.layout import column, dimensions, quote

EVENT = "e"
"""The alias of the events."""
_SAFE = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Case, exp.If, exp.Coalesce, exp.Nullif),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.In, exp.Between, exp.Is, exp.Like, exp.ILike),
    *(exp.TryCast, exp.DataType, exp.DataTypeParam, exp.RegexpExtract, exp.Lower, exp.Upper, exp.Trim, exp.Contains, exp.StartsWith),
)
"""What can't fail, whatever the event."""


def cells_sql(grouping: Grouping) -> str:
    """A row of cells a bucket and series."""
    merged = (f"{_cell(partial)} AS {quote(column(partial).name)}" for partial in grouping.cells)
    return f"SELECT {', '.join(['{keys}', 'count(*) AS n', *merged])} FROM {{source}} GROUP BY ALL"


def bins_sql(grouping: Grouping, partial: Partial) -> str:
    """A row a bucket, series and bin."""
    values = f"SELECT {keys(grouping)}, {_sql(bin_tree(exp.column('v')))} AS key FROM ({values_sql(partial)})"
    return f"SELECT {keys(grouping)}, key, count(*) AS n FROM ({values}) WHERE key IS NOT NULL GROUP BY ALL"


def values_sql(partial: Partial) -> str:
    """The bucket, the dimensions and the argument `v` of each event that counts."""
    assert partial.argument is not None
    where = "" if partial.where is None else f" WHERE {_tried(partial.where)}"
    return f"SELECT {{keys}}, {_tried(partial.argument)} AS v FROM {{source}}{where}"


def keys(grouping: Grouping) -> str:
    """The names of the bucket and the dimension columns."""
    return ", ".join(["bucket", *dimensions(grouping)])


def _cell(partial: Partial) -> str:
    where = "" if partial.where is None else f" FILTER (WHERE {_tried(partial.where)})"
    if partial.argument is None:
        return f"count(*){where}"
    value = _tried(partial.argument)
    if partial.kind in ("last", "first"):
        merge = "max" if partial.kind == "last" else "min"
        given = f"({_tried(partial.where)}) AND " if partial.where is not None else ""
        return f"{merge}({{{{'t': {EVENT}._time, 'p': {EVENT}._position, 'v': {value}}}}}) FILTER (WHERE {given}{value} IS NOT NULL)"
    return f"{partial.kind}({value}){where}"


def _tried(tree: exp.Expr) -> str:
    """An expression over an event; each part of it that can't be computed is null, so that one event never fails a batch."""
    root = exp.Paren(this=tree.copy())
    for node in reversed(list(root.walk())):  # the inner parts first
        if isinstance(node, exp.Column):
            node.replace(exp.column(node.name, EVENT, quoted=True))
        elif isinstance(node, (exp.Func, exp.Binary, exp.Unary)) and not isinstance(node, _SAFE):
            # as text at once: no part is so deep then that writing it takes more of Python's stack than there is
            node.replace(exp.Var(this=f"TRY({_text(node)})"))
    return _sql(root.this)


def _sql(tree: exp.Expr) -> str:
    # braces are doubled because the statement is formatted once more, with its source
    return _text(tree).replace("{", "{{").replace("}", "}}")


def _text(tree: exp.Expr) -> str:
    return tree.sql(dialect="duckdb")
