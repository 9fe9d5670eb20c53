"""Whether this machine's clock agrees with those of the databases and of the object store.

The instant of a snapshot is told by its source's clock, and its age by ours; an object store refuses requests that are
signed with another time than its own (S3: 15 minutes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pymysql.connections import Connection

from lake.errors import ServiceError
from lake.observe.doctor.finding import Finding, ok, problem, warning
from lake.observe.doctor.of_sources import each_source
from lake.settings import settings
from lake.source.client import fetch
from lake.source.sources import Source

NOTICED, GRAVE = timedelta(seconds=5), timedelta(seconds=60)
REPLY_SECONDS = 10
_WAY_OUT = "let both clocks be kept by NTP; `timedatectl` shows whether this one is"


def databases(now: datetime) -> Iterator[Finding]:
    """By each source's own clock."""
    yield from each_source(_of_source)


def _of_source(origin: Source, connection: Connection[Any]) -> Iterator[Finding]:
    def told() -> datetime:
        instant: datetime = fetch(connection, "SELECT UTC_TIMESTAMP(6) AS instant")[0]["instant"]
        return instant.replace(tzinfo=UTC)

    yield _judged(f"clock of {origin.name}", *_difference(told))


def object_store(now: datetime) -> Iterator[Finding]:
    """By the header ``Date`` of the object store, which tells whole seconds."""

    def told() -> datetime:
        url = settings().s3_url
        try:
            said = httpx.get(url, timeout=REPLY_SECONDS, trust_env=False).headers.get("Date", "")
            instant: datetime = parsedate_to_datetime(said) + timedelta(seconds=0.5)
            return instant
        except httpx.HTTPError as error:
            raise ServiceError(
                f"the object store at {url} does not answer: {error}", "look at `lake status`"
            ) from error
        except ValueError as error:
            raise ServiceError(f"the object store at {url} says no time: {error}") from error

    difference, doubt = _difference(told)
    yield _judged("clock of the object store", difference, doubt + timedelta(seconds=0.5))


def _difference(told: Callable[[], datetime]) -> tuple[timedelta, timedelta]:
    """How far another clock is ahead of ours, and how exactly that is known: by half of the time that asking took."""
    before = datetime.now(UTC)
    there = told()
    half = (datetime.now(UTC) - before) / 2
    return there - (before + half), half


def _judged(subject: str, difference: timedelta, doubt: timedelta) -> Finding:
    certain = abs(difference) - doubt
    seconds = abs(difference).total_seconds()
    seen = f"{seconds:.1f} s {'ahead of' if difference > timedelta() else 'behind'} this machine's"
    if certain > GRAVE:
        return problem(subject, seen, _WAY_OUT)
    if certain > NOTICED:
        return warning(subject, seen, _WAY_OUT)
    return ok(subject, seen)
