"""Which labels the result of an expression has, and what in it is not there.

By the rules of https://prometheus.io/docs/prometheus/latest/querying/operators/.
"""

from __future__ import annotations

from collections.abc import Sequence

import promql_parser as promql
from promql_parser import AggModifierType, LabelModifierType, MatchOp, VectorMatchCardinality

from lake.errors import nearest
from lake.observe.lint.known import Known

NAME = "__name__"
KEEPS_ITS_SERIES = ("topk", "bottomk", "limitk", "limit_ratio")
NO_SERIES = ("time", "vector", "scalar", "pi")

Labels = frozenset[str]
NONE: Labels = frozenset()


def check(expression: str, known: Known) -> tuple[Labels, list[str]]:
    """Labels of what an expression comes to, and what is wrong with it.

    Returns:
        no labels where it cannot be parsed.
    """
    try:
        parsed = promql.parse(expression)
    except ValueError as error:
        return NONE, [f"not PromQL: {str(error).strip().splitlines()[0]}"]
    reader = _Reader(known)
    return reader.labels(parsed), list(dict.fromkeys(reader.mistakes))


class _Reader:
    """Goes through an expression from the inside out, and collects what is wrong."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.mistakes: list[str] = []

    def labels(self, node: object) -> Labels:
        match node:
            case promql.VectorSelector():
                return self._selector(node)
            case promql.MatrixSelector():
                return self._selector(node.vector_selector)
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self.labels(node.expr)
            case promql.AggregateExpr():
                return self._aggregate(node)
            case promql.BinaryExpr():
                return self._binary(node)
            case promql.Call():
                return self._call(node)
        return NONE

    def _selector(self, node: promql.VectorSelector) -> Labels:
        matchers = [*node.matchers.matchers, *(each for some in node.matchers.or_matchers for each in some)]
        name = node.name or next((each.value for each in matchers if each.name == NAME), "")
        if name not in self.known.metrics:
            self.mistakes.append(f"no metric {name}: {nearest(name, self.known.metrics)}")
            return NONE
        labels = self.known.metrics[name]
        self._have(name, labels, [each.name for each in matchers if each.name != NAME])
        for each in matchers:
            if each.name == "job" and each.op == MatchOp.Equal and each.value not in self.known.jobs:
                self.mistakes.append(f"no job {each.value}: {nearest(each.value, self.known.jobs)}")
        return labels

    def _have(self, what: str, labels: Labels, asked: Sequence[str]) -> None:
        for label in asked:
            if label not in labels:
                self.mistakes.append(f"no label {label} in {what}: {nearest(label, labels)}")

    def _aggregate(self, node: promql.AggregateExpr) -> Labels:
        inner = self.labels(node.expr)
        if str(node.op) in KEEPS_ITS_SERIES:
            return inner
        if node.modifier is None:
            return NONE
        self._have(_short(node.expr), inner, node.modifier.labels)
        named = frozenset(node.modifier.labels)
        return named if node.modifier.type == AggModifierType.By else inner - named

    def _binary(self, node: promql.BinaryExpr) -> Labels:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        operator, how = str(node.op), node.modifier
        matching = how.matching if how else None
        if matching and matching.type == LabelModifierType.Include:
            self._have(_short(node.lhs), left, matching.labels)
            self._have(_short(node.rhs), right, matching.labels)
        elif matching:
            self._have("both sides", left | right, matching.labels)
        if operator == "or":
            return left | right
        if operator in ("and", "unless") or _is_scalar(node.rhs):
            return left
        if _is_scalar(node.lhs):
            return right
        if how and how.card in (VectorMatchCardinality.ManyToOne, VectorMatchCardinality.OneToMany):
            many, one = (left, right) if how.card == VectorMatchCardinality.ManyToOne else (right, left)
            self._have("the side of one", one, how.group_labels or [])
            return many | frozenset(how.group_labels or [])
        if matching is None:
            return left & right
        named = frozenset(matching.labels)
        return named if matching.type == LabelModifierType.Include else left - named

    def _call(self, node: promql.Call) -> Labels:
        name = node.func.name
        if name in NO_SERIES:
            for argument in node.args:
                self.labels(argument)
            return NONE
        inner = NONE.union(*(self.labels(argument) for argument in node.args))
        texts = [each.val for each in node.args if isinstance(each, promql.StringLiteral)]
        if name == "label_replace":
            new, _, source, _ = texts
            self._have(_short(node.args[0]), inner, [source])
            return inner | {new}
        if name == "label_join":
            self._have(_short(node.args[0]), inner, texts[2:])
            return inner | {texts[0]}
        if name in ("absent", "absent_over_time"):
            return _equal(node.args[0])
        return inner - {"le"} if name == "histogram_quantile" else inner


def _equal(node: object) -> Labels:
    """Labels that a selector asks to be equal to something: those of what `absent` makes up."""
    selector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
    if not isinstance(selector, promql.VectorSelector):
        return NONE
    return frozenset(each.name for each in selector.matchers.matchers if each.op == MatchOp.Equal)


def _is_scalar(node: object) -> bool:
    if isinstance(node, promql.ParenExpr | promql.UnaryExpr):
        return _is_scalar(node.expr)
    if isinstance(node, promql.BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    return isinstance(node, promql.NumberLiteral) or (
        isinstance(node, promql.Call) and node.func.name in ("time", "scalar", "pi")
    )


def _short(node: object) -> str:
    text = " ".join(str(getattr(node, "prettify", node.__repr__)()).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
