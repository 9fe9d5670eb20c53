"""Whether the lake is staler than it may be, table by table.

How old a table may get says its contract (``stale_after_minutes``), else the setting of that name, else the schedule of
the pipeline: three scheduled runs in a row may not pass without bringing it forward. By hand only, there is no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from croniter import croniter  # type: ignore[import-untyped]

from lake.alerts.alert import Alert
from lake.alerts.look import Look
from lake.contracts.load import files, load
from lake.ledger import freshness
from lake.settings import settings
from lake.source import sources

TABLE, SOURCE = "TableStale", "SourceStale"
MISSED = 3
"""Scheduled runs. One may fail, and the next may still be at work."""


@dataclass(frozen=True)
class Age:
    """How old the lake's copy of a table is.

    Attributes:
        since: the instant as of which the lake shows it; else when its contract was written.
        minutes: after which it is stale; unset where the schedule says it.
    """

    table: str
    source: str
    since: datetime
    is_shown: bool = True
    minutes: int | None = None

    def limit(self, now: datetime) -> timedelta | None:
        """How old it may be now; None where nothing says it. By the schedule that grows until a run is due again."""
        if self.minutes:
            return timedelta(minutes=self.minutes)
        due = _due(settings().pipeline_schedule, now)
        return None if due is None else now - due

    def is_stale(self, now: datetime) -> bool:
        """Whether it is older than it may be."""
        limit = self.limit(now)
        return limit is not None and now - self.since > limit

    def told(self, now: datetime) -> str:
        """How old it is and may be, for people."""
        rule = f"it may get {_span(timedelta(minutes=self.minutes))} old" if self.minutes else _BY_SCHEDULE
        what = "as of" if self.is_shown else "not there; its contract is of"
        return f"{what} {self.since:%Y-%m-%d %H:%M} UTC, {_span(now - self.since)} ago; {rule}"


_BY_SCHEDULE = f"{MISSED} scheduled runs have not brought it forward"


def look(now: datetime) -> Look:
    """Tables that are too old; a source all of whose tables are, as one.

    Raises:
        ContractError: a contract is malformed.
        ServiceError: the object store is away.
    """
    return Look(stale(ages(), now), lambda labels: labels["alertname"] in (TABLE, SOURCE))


def ages() -> list[Age]:
    """How old the lake's copy of each table is that a run reads; none before the first publish.

    Raises:
        ContractError: a contract with a rule of its own is malformed.
    """
    config = settings()
    known = {file.stem: (source, file) for source in sources.known() for file in files(source)}
    shown = freshness.shown(known.keys())
    # Of the demo shop only what is in the lake counts: its database may be there and empty.
    has_shop = any(known[table][0] == config.source_name for table in shown.keys() & known.keys())
    return [
        Age(
            table=table,
            source=source,
            since=shown.get(table) or datetime.fromtimestamp(file.stat().st_mtime, UTC),
            is_shown=table in shown,
            minutes=_own_rule(file) or config.stale_after_minutes,
        )
        for table, (source, file) in known.items()
        if shown and (source != config.source_name or has_shop)
    ]


def _own_rule(file: Path) -> int | None:
    """What the contract says. Few say anything, and reading all of many hundreds would take long."""
    return load(file).stale_after_minutes if "stale_after_minutes" in file.read_text() else None


def stale(found: list[Age], now: datetime) -> list[Alert]:
    """The alerts that the ages amount to."""
    alerts = []
    for source in dict.fromkeys(age.source for age in found):
        of_source = [age for age in found if age.source == source]
        late = [age for age in of_source if age.is_stale(now)]
        if len(late) == len(of_source):
            oldest = min(late, key=lambda age: age.since)
            tables = f"all {len(late)} tables of {source} are" if len(late) > 1 else f"{oldest.table} of {source} is"
            what = f"{tables} too old; {oldest.table} is {oldest.told(now)}"
            alerts.append(_alert(SOURCE, {"source": source}, what))
        else:
            alerts += [
                _alert(TABLE, {"source": source, "table": age.table}, f"{age.table} of {source} is {age.told(now)}")
                for age in late
            ]
    return alerts


def _alert(name: str, labels: dict[str, str], what: str) -> Alert:
    page = f"{settings().airflow_url}/dags/shop_lake"
    way_out = f"look at the last runs, {page}, and at `lake status`; is the DAG paused? `lake run` reads it now"
    return Alert(name, "critical" if name == SOURCE else "warning", what, labels, way_out, page=page)


@lru_cache(maxsize=1)
def _due(cron: str, now: datetime) -> datetime | None:
    """The scheduled instant before which nothing may be left as it was; worked out once for all tables of a look."""
    if not cron:
        return None
    runs = croniter(cron, now.astimezone(UTC))
    passed: list[datetime] = [runs.get_prev(datetime) for _ in range(MISSED)]
    return passed[-1]


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
