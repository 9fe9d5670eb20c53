"""What the rules came to, publish by publish: kept in the object store, and read as the times in which one fired."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lake.alerts.finding import Finding
from lake.platform import storage

PLACE = f"{storage.REPORTS}/alerts"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Episode:
    """A time in which a rule fired.

    Attributes:
        segment: of which it fired, if it judges segments.
        since, until: source instants of the first publish in which it fired, and of the first in which it held again;
            None while it fires.
        summary, why: of the first one.
        run_id: receipt of the first one.
    """

    rule: str
    segment: str
    since: datetime
    until: datetime | None
    summary: str
    why: str
    run_id: str


def keep(findings: Sequence[Finding], run_id: str, source_instant: datetime) -> None:
    """Keep what the rules came to at a receipt. Keeping it again writes the same to the same place."""
    uri = f"{PLACE}/{source_instant.astimezone(UTC):{_STAMP}}-{run_id}.json"
    told: dict[str, Any] = {"run_id": run_id, "source_instant": source_instant.astimezone(UTC).isoformat()}
    told["findings"] = [finding.to_json() for finding in findings]
    storage.put(uri, json.dumps(told, indent=1).encode(), "application/json")


def kept(since: datetime) -> list[dict[str, Any]]:
    """What was kept of source instants from a moment on, the oldest first."""
    from_name = f"{PLACE}/{since.astimezone(UTC):{_STAMP}}"
    return [json.loads(storage.get(uri)) for uri in sorted(storage.list_keys(PLACE)) if uri >= from_name]


def episodes(told: Iterable[Mapping[str, Any]]) -> list[Episode]:
    """The times in which rules fired, the last one first.

    Args:
        told: what was kept, the oldest first. Where a rule could not be evaluated, it goes on as it was. A segment that
            its rule no longer judges is over, as its alert is.
    """
    over: list[Episode] = []
    under_way: dict[tuple[str, str], Episode] = {}
    for each in told:
        at = datetime.fromisoformat(each["source_instant"])
        for found in each["findings"]:
            subject = found["rule"], found.get("segment", "")
            if found["state"] == "firing" and subject not in under_way:
                under_way[subject] = Episode(*subject, at, None, found["summary"], found.get("why", ""), each["run_id"])
            elif found["state"] == "holds" and subject in under_way:
                over.append(replace(under_way.pop(subject), until=at))
        judged = {(found["rule"], found.get("segment", "")) for found in each["findings"]}
        by_segment = {rule for rule, segment in judged if segment}
        for subject in [one for one in under_way if one[0] in by_segment and one not in judged]:
            over.append(replace(under_way.pop(subject), until=at))
    return sorted([*over, *under_way.values()], key=lambda one: (one.since, one.rule, one.segment), reverse=True)
