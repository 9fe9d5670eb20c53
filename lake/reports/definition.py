"""What a report is: a YAML file with a title and figures; a figure is a query and the way to show its rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lake.errors import LakeError, problems

DEFINITIONS = Path(__file__).parent / "definitions"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tiles": ("label", "unit", "value", "previous"),
    "line": ("date", "value"),
    "bar": ("label", "value"),
    "heatmap": ("row", "column", "value"),
    "table": (),
}
"""Columns that the query of a figure must return, by kind of figure. A table shows whatever comes."""


def _known_parameters(query: str) -> str:
    unknown = sorted(set(Template(query).get_identifiers()) - {"as_of"})
    if unknown or not Template(query).is_valid():
        raise ValueError(f"the only parameter is $as_of, not {', '.join(unknown) or 'a lone $'}")
    return query


Query = Annotated[str, AfterValidator(_known_parameters)]
"""SQL for Trino. ``$as_of`` becomes a date literal: the day of the source instant, which is not over yet."""


def bind(query: str, as_of: date) -> str:
    """The query with its parameter filled in.

    >>> bind("SELECT $as_of", date(2026, 11, 23))
    "SELECT DATE '2026-11-23'"
    """
    return Template(query).substitute(as_of=f"DATE '{as_of.isoformat()}'")


class Figure(BaseModel):
    """One figure of a report.

    Attributes:
        kind: how the rows are shown; `COLUMNS` says which columns the query must return for it.
        unit: of the values: money, count, share (0 to 1), or hours.
        mean_days: for a line: also draw the mean of so many days.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    note: str = ""
    kind: Literal["tiles", "line", "bar", "heatmap", "table"]
    unit: Literal["money", "count", "share", "hours"] = "count"
    mean_days: int = Field(default=0, ge=0)
    query: Query


class Report(BaseModel):
    """A report, as its YAML file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    figures: tuple[Figure, ...] = Field(min_length=1)


def names(folder: Path = DEFINITIONS) -> list[str]:
    """Names of all reports, from their files."""
    return sorted(file.stem for file in folder.glob("*.yml"))


def load(name: str, folder: Path = DEFINITIONS) -> Report:
    """Read one report.

    Raises:
        LakeError: there is no such report, or its file is malformed; file, field and expected shape are named.
    """
    file = folder / f"{name}.yml"
    if not file.exists():
        raise LakeError(f"there is no report {name!r}", f"reports are: {', '.join(names(folder)) or 'none yet'}")
    try:
        content: Any = yaml.safe_load(file.read_text())
        report = Report.model_validate(content)
    except yaml.YAMLError as error:
        raise LakeError(f"{file} is not YAML: {error}", "correct the file") from error
    except ValidationError as error:
        raise LakeError(
            f"{file} is not a report:{problems(error, 'the file')}",
            "a report has name, title, description, currency and figures; a figure has name, title, kind "
            f"({', '.join(COLUMNS)}) and query",
        ) from error
    if report.name != name:
        raise LakeError(f"{file} holds the report {report.name!r}", f"name it {name!r}, like its file")
    return report
