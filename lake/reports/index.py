"""The index of all reports that are kept: a page beside them, of each report the newest first.

What it says of each is kept as JSON beside the page, so that only what is new is looked up in its receipt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from lake.errors import LakeError
from lake.ledger import receipts
from lake.platform import storage
from lake.reports import pages
from lake.reports.definition import load
from lake.reports.places import INDEX, KNOWN, keys
from lake.reports.quality import instant


@dataclass(frozen=True)
class Entry:
    """A report that is kept.

    Attributes:
        as_of: UTC instant as of which the shop was read, ISO 8601; empty where its receipt is gone.
        period: that it is about, for people; empty of a report without one.
    """

    report: str
    run_id: str
    title: str
    as_of: str
    period: str


def rebuild() -> list[Entry]:
    """Write the index anew from what is kept; what it holds, of each report the newest first."""
    entries = _entries(_known())
    told = {f"{entry.report}/{entry.run_id}": asdict(entry) for entry in entries}
    storage.put(KNOWN, json.dumps(told, indent=1).encode(), "application/json")
    storage.put(INDEX, page(entries, lambda entry: True), "text/html; charset=utf-8")
    return entries


def entries() -> list[Entry]:
    """What is kept, of each report the newest first."""
    return _entries(_known())


def page(entries: Sequence[Entry], has_file: Callable[[Entry], bool]) -> bytes:
    """The index as a page. Where a report is not beside it, the command that fetches it stands for the link."""
    reports = [(name, [*of]) for name, of in groupby(entries, key=lambda entry: entry.report)]
    return pages.index([(of[0].title, [(entry, has_file(entry)) for entry in of]) for _, of in reports])


def _known() -> dict[str, dict[str, str]]:
    try:
        found: dict[str, dict[str, str]] = json.loads(storage.get(KNOWN))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def _entries(known: dict[str, dict[str, str]]) -> list[Entry]:
    found = []
    for report, run_id in keys():
        told = known.get(f"{report}/{run_id}")
        found.append(Entry(**told) if told and told["as_of"] else _looked_up(report, run_id))
    found.sort(key=lambda entry: (entry.as_of, entry.run_id), reverse=True)
    return sorted(found, key=lambda entry: entry.report)


def _looked_up(report: str, run_id: str) -> Entry:
    receipt = receipts.find(run_id)
    as_of = instant(receipt.source_instant) if receipt else None
    try:
        definition = load(report)
    except LakeError:  # its file is gone, or malformed; what was made of it before is still kept
        return Entry(report, run_id, report, as_of.isoformat() if as_of else "", "")
    period = definition.period_over(as_of.date()) if as_of else None
    said = f"{period.told[:1].upper()}{period.told[1:]}" if period else ""
    return Entry(report, run_id, definition.title, as_of.isoformat() if as_of else "", said)
