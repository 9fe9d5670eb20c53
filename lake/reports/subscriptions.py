"""Who gets which report by mail, and when it is due, from a YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lake.errors import LakeError, nearest, problems
from lake.reports.definition import names

SHAPE = """a subscription looks like this:
    - report: business
      every: day              # or: week, month
      hour: 6                 # optional: UTC
      to: [owner@example.com]"""


def _address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", text):
        raise ValueError(f"expected an address such as owner@example.com, not {text!r}")
    return text


class Subscription(BaseModel):
    """A report that is sent.

    Attributes:
        every: how often; by week on Mondays, by month on the first day.
        hour: from which on it is sent, UTC.
        to: the addresses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    report: str
    every: Literal["day", "week", "month"]
    hour: int = Field(default=6, ge=0, le=23)
    to: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(min_length=1)

    def period(self, now: datetime) -> str:
        """The period whose report is due last at an instant (UTC): the day, week or month that is over by then."""
        last = (now - timedelta(hours=self.hour)).date() - timedelta(days=1)
        if self.every == "day":
            return last.isoformat()
        if self.every == "week":
            year, week, weekday = last.isocalendar()
            if weekday < 7:
                year, week, _ = (last - timedelta(days=7)).isocalendar()
            return f"{year}-W{week:02}"
        following = last + timedelta(days=1)
        over = last if following.day == 1 else date(last.year, last.month, 1) - timedelta(days=1)
        return f"{over:%Y-%m}"


@dataclass(frozen=True)
class Due:
    """A mail that is due.

    Attributes:
        period: of which it is: ``2026-11-24``, ``2026-W47``, ``2026-10``.
    """

    report: str
    every: str
    period: str
    address: str


def due(subscriptions: Sequence[Subscription], now: datetime) -> Iterator[Due]:
    """All mails that should have been sent by an instant (UTC), those of the last period alone."""
    for one in subscriptions:
        for address in one.to:
            yield Due(one.report, one.every, one.period(now), address)


def load(file: Path) -> list[Subscription]:
    """Read the subscriptions.

    Raises:
        LakeError: the file is missing or malformed, or names a report that there is not.
    """
    try:
        content: Any = yaml.safe_load(file.read_text())
    except OSError as error:
        raise LakeError(
            f"the subscriptions {file} cannot be read: {error.strerror}", "LAKE_REPORT_SUBSCRIPTIONS names them"
        ) from error
    except yaml.YAMLError as error:
        raise LakeError(f"{file} is not YAML: {error}", SHAPE) from error
    entries = content.get("subscriptions") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise LakeError(f"{file} has no list `subscriptions`", SHAPE)
    return [_subscription(entry, f"{file}, subscription {place}") for place, entry in enumerate(entries, 1)]


def _subscription(entry: Any, where: str) -> Subscription:
    try:
        one = Subscription.model_validate(entry)
    except ValidationError as error:
        raise LakeError(f"{where}:{problems(error, 'the subscription')}", SHAPE) from error
    if one.report not in names():
        raise LakeError(f"{where}: there is no report {one.report!r}", nearest(one.report, names()))
    return one
