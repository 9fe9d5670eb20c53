"""``/v1/metrics``: which business metrics there are, and what one is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lake.api.answers import FromLake
from lake.api.asked import EXAMPLE_COMMIT, EXAMPLE_RECEIPT, At, Given, Parts, Strict, responses
from lake.api.gate import needs
from lake.api.problems import Problem, Wrong, shown, wrong
from lake.api.published import Lake
from lake.errors import nearest
from lake.metrics.ask import Question
from lake.metrics.compiler import TIME
from lake.metrics.definitions import GRAINS, Metric

MOST_ROWS = 10_000

router = APIRouter(prefix="/v1/metrics", tags=["metrics"], dependencies=needs("metrics"))

Grain = Literal["day", "week", "month", "quarter", "year"]
Name = Annotated[str, Path(description="of a metric, as `/v1/metrics` lists it", examples=["revenue"], max_length=200)]


class MetricDefinition(BaseModel):
    """What is known of a metric."""

    name: str = Field(examples=["revenue"])
    label: str = Field(description="what people call it", examples=["Revenue"])
    description: str = Field(description="what it counts")
    unit: str = Field(examples=["money"])
    owner: str = Field(description="the department that answers for it", examples=["sales"])
    good: str = Field(description="which way is good: up, down or neither", examples=["up"])
    grain: str = Field(description="the shortest period that it is known for", examples=["day"])
    dimensions: list[str] = Field(description="what it can be split by", examples=[["category", "channel"]])
    expression: str = Field(description="how it is computed")


class MetricList(FromLake):
    """All metrics, by name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": EXAMPLE_RECEIPT,
                    "lake_commit": EXAMPLE_COMMIT,
                    "metrics": [
                        {
                            "name": "revenue", "label": "Revenue", "description": "Sales value after discounts.",
                            "unit": "money", "owner": "sales", "good": "up", "grain": "day",
                            "dimensions": ["category", "channel", "department"],
                            "expression": "sum of revenue in marts.sales_by_day",
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip
    metrics: list[MetricDefinition]


class MetricRow(BaseModel):
    """A metric's value of a period and a combination of dimensions."""

    period: date | None = Field(description="first day of the period (UTC); null where none was asked for")
    by: dict[str, str | int | bool | None] = Field(description="the value of each dimension that was asked for")
    value: Decimal | int | None = Field(
        description="decimals are text, so that none is rounded; null where there is nothing to divide by"
    )


class MetricAnswer(FromLake):
    """What a metric is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": EXAMPLE_RECEIPT,
                    "lake_commit": EXAMPLE_COMMIT,
                    "metric": "revenue",
                    "unit": "money",
                    "grain": "month",
                    "from": "2026-01-01",
                    "to": "2026-02-28",
                    "rows": [{"period": "2026-01-01", "by": {"channel": "web"}, "value": "18250.40"}],
                }
            ]
        }
    )
    metric: str
    unit: str
    grain: str | None = Field(description="the length of the periods", examples=["month"])
    first: date | None = Field(None, serialization_alias="from", description="first day, as it was asked for")
    last: date | None = Field(None, serialization_alias="to", description="last day, which counts too")
    rows: list[MetricRow] = Field(description="a period without rows has none, and no zero")


class OfList(Strict):
    """Parameters of the list."""

    at: At = None


class OfMetric(Strict):
    """Parameters of a question about a metric."""

    by: list[Annotated[str, Field(max_length=200)]] = Field(
        [], max_length=10, description="split it by a dimension; may be repeated", examples=[["category"]]
    )
    grain: Grain | None = Field(None, description="split it by periods of this length", examples=["month"])
    first: date | None = Field(None, alias="from", description="first day (UTC)", examples=["2026-01-01"])
    last: date | None = Field(None, alias="to", description="last day, which counts too", examples=["2026-01-31"])
    at: At = None


@router.get("", response_model=MetricList, responses=responses("unknown-receipt"), summary="List the metrics")
async def list_metrics(request: Request, parts: Given, asked: Annotated[OfList, Query()]) -> Response:
    """Every business metric with its definition, its unit, who answers for it, and what it can be split by.

    The definitions are those of today, also with `at`.
    """
    lake = await parts.published.at(asked.at)

    def work_out() -> MetricList:
        return MetricList(
            receipt=lake.receipt,
            lake_commit=lake.commit,
            metrics=[MetricDefinition.model_validate(one, from_attributes=True) for one in parts.defined.metrics],
        )

    return await parts.answers.answer(request, lake, ("metrics",), work_out)


@router.get(
    "/{name}",
    response_model=MetricAnswer,
    responses=responses("unknown-metric", "unknown-receipt", "not-in-this-lake", "too-many-rows"),
    summary="Ask for a metric",
)
async def ask_metric(request: Request, parts: Given, name: Name, asked: Annotated[OfMetric, Query()]) -> Response:
    """What a metric is, over all days or by period, as a whole or split by dimensions. It is the figure of
    `lake metric` and of the reports: the definition is the same.
    """
    question = _question(parts, name, asked)
    lake = await parts.published.at(asked.at)
    about = ("metric", name, *asked.model_dump(mode="json", exclude={"at"}).values())
    return await parts.answers.answer(request, lake, about, lambda: _worked_out(parts, lake, question))


def _question(parts: Parts, name: str, asked: OfMetric) -> Question:
    """What is asked, if it can be.

    Raises:
        Problem: there is no such metric, or it cannot be asked for so.
    """
    known = {metric.name: metric for metric in parts.defined.metrics}
    metric = known.get(name)
    if metric is None:
        said = f"there is no metric {shown(name)!r}: {nearest(name, known)}; /v1/metrics lists all"
        raise Problem("unknown-metric", said, [wrong("path.name", name, "there is no such metric")])
    if errors := [*_wrong(metric, asked)]:
        raise Problem("invalid-request", f"{errors[0].field}: {errors[0].message}", errors)
    return Question(metric, tuple(asked.by), asked.grain or "", asked.first, asked.last)


def _wrong(metric: Metric, asked: OfMetric) -> list[Wrong]:
    found = []
    for place, name in enumerate(asked.by):
        if name not in metric.dimensions:
            said = f"metric {metric.name} has no such dimension; {nearest(name, metric.dimensions)}"
            found.append(wrong("query.by", name, said, metric.dimensions))
        elif name in asked.by[:place]:
            found.append(wrong("query.by", name, "it is named twice"))
    if asked.grain and GRAINS.index(asked.grain) < GRAINS.index(metric.grain):
        said = f"metric {metric.name} is known by {metric.grain} only, or by a longer period"
        found.append(wrong("query.grain", asked.grain, said, GRAINS[GRAINS.index(metric.grain) :]))
    if asked.first and asked.last and asked.first > asked.last:
        found.append(wrong("query.from", asked.first, f"it lies after `to`, {asked.last}"))
    return found


def _worked_out(parts: Parts, lake: Lake, question: Question) -> MetricAnswer:
    statement = f"{parts.defined.compile(question)}\nLIMIT {MOST_ROWS + 1}"
    columns, rows = parts.trino.ask(lake, statement)
    if len(rows) > MOST_ROWS:
        said = f"it has more than {MOST_ROWS:,} rows; ask for fewer days, fewer dimensions or longer periods"
        raise Problem("too-many-rows", said)
    dimensions = [column.rsplit("__", 1)[-1] for column in columns[:-1] if not column.startswith(f"{TIME}__")]
    return MetricAnswer(
        receipt=lake.receipt,
        lake_commit=lake.commit,
        metric=question.metric.name,
        unit=question.metric.unit,
        grain=question.grain or None,
        first=question.first,
        last=question.last,
        rows=[_row(row, dimensions, bool(question.grain)) for row in rows],
    )


def _row(row: list[Any], dimensions: list[str], has_period: bool) -> MetricRow:
    period, *rest = row if has_period else [None, *row]
    *by, value = rest
    return MetricRow(
        period=date.fromisoformat(str(period)[:10]) if period is not None else None,
        by={name: _plain(each) for name, each in zip(dimensions, by, strict=True)},
        # A double is an average of Trino's; its shortest text is what people know it by.
        value=Decimal(str(value)) if isinstance(value, float) else value,
    )


def _plain(value: Any) -> str | int | bool | None:
    return value if isinstance(value, str | int | bool) or value is None else str(value)
