"""Asking for a metric: the question, and what the lake answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from lake.errors import LakeError
from lake.layers.dbt_manifest import PARSED_FOR
from lake.metrics.compiler import TIME, Compiler
from lake.metrics.definitions import Metric
from lake.platform import sql
from lake.platform.catalog import CATALOG

Span = tuple[date, date]
"""First and last day (UTC), both of which count."""


@dataclass(frozen=True)
class Question:
    """A metric, and how it is to be split.

    Attributes:
        by: its dimensions.
        grain: a period of `GRAINS`; "" asks for all days together.
        first, last: the days (UTC) from which and up to which, both included; None is as far as the lake goes.
        spans: first and last days of what alone counts, where there are any.
        beside: metrics that are asked for in the same statement; of the same marts, they cost next to nothing.
    """

    metric: Metric
    by: tuple[str, ...] = ()
    grain: str = ""
    first: date | None = None
    last: date | None = None
    spans: tuple[Span, ...] = ()
    beside: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        if self.first and self.last and self.first > self.last:
            raise LakeError(f"{self.first} lies after {self.last}", "let --from name the earlier day")


@dataclass(frozen=True)
class Answer:
    """What the lake answers: a row for each period and combination of dimensions that there is.

    Attributes:
        columns: the grain, the dimensions, the metric and those beside it, by their names.
        statement: the SQL that was asked.
    """

    columns: list[str]
    rows: list[list[Any]]
    statement: str

    def told(self) -> list[dict[str, Any]]:
        """The rows as objects, for JSON: days as ISO 8601 says, decimals as text, so that none is rounded."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]


def ask(compiler: Compiler, question: Question, catalog: str = CATALOG) -> Answer:
    """What a metric is.

    Args:
        catalog: of Trino; it shows one state of the lake.

    Raises:
        LakeError: the question cannot be asked of the metric.
        ServiceError: Trino does not answer.
    """
    statement = compiler.compile(question)
    names, rows = sql.query(statement.replace(f'"{PARSED_FOR}".', f'"{catalog}".'), catalog)
    columns = [_column(name, question) for name in names]
    return Answer(columns, [_dated(columns, row, question.grain) for row in rows], statement)


def _column(name: str, question: Question) -> str:
    if name.startswith(f"{TIME}__"):
        return question.grain
    return name.rsplit("__", 1)[-1]


def _dated(columns: list[str], row: list[Any], grain: str) -> list[Any]:
    return [
        date.fromisoformat(str(value)[:10]) if name == grain and value is not None else value
        for name, value in zip(columns, row, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | str) or value is None:
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
