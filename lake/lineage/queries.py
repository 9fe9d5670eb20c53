"""The lineage of a query, by sqlglot: for each column what goes into it, and what decides which rows there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage, to_node
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, find_all_in_scope
from sqlglot.schema import MappingSchema

from lake.errors import LakeError
from lake.lineage.model import Column, Columns, Input, Kind, Made, Table, Use, lake_table

_UNKNOWN = "unknown"
"""A type that the parser takes; lineage does not go by types."""

_CLAUSES = {"where": Use.FILTER, "having": Use.FILTER, "qualify": Use.FILTER, "group": Use.GROUP_BY}
"""Parts of a SELECT that decide which rows there are, and how."""


def read(table: Table, by: str, query: str, known: Columns, dialect: str = "trino") -> Made:
    """How a table comes about that is made by one query.

    Args:
        by: the job that makes it.
        known: columns of the lake's tables that the query may read.

    Raises:
        LakeError: the query cannot be read, or names a column that its table does not have.
    """
    try:
        return _Query(query, known, dialect).made(table, by)
    except SqlglotError as error:
        raise LakeError(f"the lineage of {table} cannot be told: {error}", f"correct the query behind {by}") from error


class _Query:
    """A query, taken apart into scopes: each SELECT of it sees the columns of its own sources."""

    def __init__(self, query: str, known: Columns, dialect: str) -> None:
        self._dialect, self._schema = dialect, _schema(known, dialect)
        parsed = parse_one(query, dialect=dialect)
        for place in parsed.find_all(exp.Table):
            # A name without a layer is that of a part of the query.
            if place.db and _table(place) not in known:
                raise SqlglotError(f"there is no table {_table(place)}")
        whole = qualify(parsed, dialect=dialect, schema=self._schema, identify=False)
        scope = build_scope(whole)
        if scope is None:
            raise SqlglotError("it is not a SELECT")
        self._root: Scope = scope
        self._scopes = {id(one.expression): one for one in scope.traverse()}

    def made(self, table: Table, by: str) -> Made:
        """The lineage of its columns, as a table that a job makes."""
        asked: dict[str, Any] = {"dialect": self._dialect, "scope": self._root, "trim_selects": False}
        nodes = lineage(None, self._root.expression, self._schema, **asked)
        columns = {name: frozenset(self._inputs(node)) for name, node in nodes.items()}
        return Made(table, by, columns, frozenset(self._rows(self._root)))

    def _inputs(self, node: Node) -> Iterator[Input]:
        """What goes into the column of a node. Its leaves are columns of tables; a count of rows has none, and goes by
        what decides which rows there are."""
        if isinstance(node.expression, exp.Table):
            yield Input(Column(_table(node.expression), exp.to_column(node.name).name), Use.IDENTITY)
        for count in find_all_in_scope(node.expression, exp.Count):
            if count.find(exp.Column) is None:
                outer = _use(count, node.expression)
                yield from (_through(outer, one) for one in self._rows(self._scopes[id(node.source)]))
        for below in node.downstream:
            for outer in _uses(node, below):
                yield from (_through(outer, one) for one in self._inputs(below))

    def _rows(self, scope: Scope) -> Iterator[Input]:
        """What decides which rows a scope has: its own clauses, and those of what it reads."""
        for column, use in _deciding(scope):
            source = scope.sources.get(column.table)
            if isinstance(source, Scope):
                yield from self._of(source, column.name, use)
            elif isinstance(source, exp.Table):
                yield Input(Column(_table(source), column.name), use)
        for condition in (one for one in scope.subquery_scopes if _is_condition(one)):
            assert isinstance(condition.expression, exp.Query)
            for name in condition.expression.named_selects:
                yield from self._of(condition, name, Use.FILTER)
            yield from self._rows(condition)
        read = [source for _, source in scope.selected_sources.values() if isinstance(source, Scope)]
        for below in (*read, *scope.set_operation_scopes):
            yield from self._rows(below)

    def _of(self, scope: Scope, column: str, use: Use) -> Iterator[Input]:
        """What goes into a column of a scope, which is used in some way."""
        node = to_node(column, scope, self._dialect, self._schema, trim_selects=False)
        yield from (_through(use, one) for one in self._inputs(node))


def _table(place: exp.Table) -> Table:
    return lake_table(place.db.lower(), place.name.lower())


def _schema(known: Columns, dialect: str) -> MappingSchema:
    schema = MappingSchema(dialect=dialect)
    for table, columns in known.items():
        if table.kind is Kind.LAKE:
            name = exp.table_(table.name, db=table.space, quoted=True)
            schema.add_table(name, dict.fromkeys(columns, _UNKNOWN))
    return schema


def _through(outer: Use, inner: Input) -> Input:
    return Input(inner.column, outer.after(inner.use))


def _uses(node: Node, below: Node) -> set[Use]:
    """How the expression of a node uses one of the columns under it, which is named as ``alias.column``."""
    found = {
        _use(column, node.expression)
        for column in find_all_in_scope(node.expression, exp.Column)
        if below.name in (column.sql(comments=False), f"{column.table}.{column.name}")
    }
    # The columns under a UNION are not named, and neither are those of a subquery among the columns.
    return found or {Use.IDENTITY if isinstance(node.source, exp.SetOperation) else Use.TRANSFORMATION}


def _use(part: exp.Expr, whole: exp.Expr) -> Use:
    """How an expression uses a part of it."""
    use = Use.IDENTITY
    while part is not whole and part.parent is not None:
        use, part = _within(part.parent, part).after(use), part.parent
    return use


def _within(parent: exp.Expr, part: exp.Expr) -> Use:
    """How an expression uses what stands in it directly."""
    if isinstance(parent, exp.Alias | exp.Paren):
        return Use.IDENTITY
    if isinstance(parent, exp.If | exp.Case) and part.arg_key == "this":
        return Use.CONDITIONAL
    if isinstance(parent, exp.Filter | exp.Window):
        aside = Use.FILTER if isinstance(parent, exp.Filter) else Use.WINDOW
        return Use.IDENTITY if part.arg_key == "this" else aside
    if isinstance(parent, exp.Ordered):
        return Use.SORT
    return Use.AGGREGATION if isinstance(parent, exp.AggFunc) else Use.TRANSFORMATION


def _is_condition(subquery: Scope) -> bool:
    """Whether a subquery stands in a condition on rows, and not among the columns."""
    within = subquery.expression.find_ancestor(exp.Where, exp.Having, exp.Qualify, exp.Join, exp.Select)
    return not isinstance(within, exp.Select)


def _deciding(scope: Scope) -> Iterator[tuple[exp.Column, Use]]:
    """Columns in the clauses of a scope that decide which rows it has."""
    select = scope.expression
    if not isinstance(select, exp.Select):
        return
    parts = [(select.args.get(clause), use) for clause, use in _CLAUSES.items()]
    parts += [(join.args.get("on"), Use.JOIN) for join in select.args.get("joins") or ()]
    if select.args.get("limit"):
        parts.append((select.args.get("order"), Use.SORT))
    for part, use in parts:
        if part is not None:
            yield from ((column, use) for column in find_all_in_scope(part, exp.Column))
