"""What a receipt says of the data behind a report: how old they are, what was checked, what waits or is held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.reports.shown import Cell, Line, Tile

MISSING = "The receipt is no longer kept, so nothing is known of checks, quarantine and held tables."


def content(receipt: Receipt | None) -> dict[str, Any]:
    """Tiles for the whole, rows for the tables that are not as they should be, and remarks."""
    if receipt is None:
        return {"remarks": (MISSING,)}
    rows = tuple(_tables(receipt))
    warnings = tuple(f"Warning of the audit: {said}." for said in receipt.checks.get("warnings", ()) if _is_own(said))
    remarks = () if rows else ("No table is held back, and no row waits in quarantine.",)
    return {
        "tiles": tuple(_tiles(receipt)),
        "head": (Cell("Table"), Cell("Rows in quarantine", True), Cell("What is to be known")) if rows else (),
        "rows": rows,
        "remarks": (*remarks, *warnings),
    }


def _tiles(receipt: Receipt) -> Iterator[Tile]:
    read, published = instant(receipt.source_instant), receipt.published_at
    yield Tile("Shop read", f"{read:%H:%M} UTC", note=f"on {read:%Y-%m-%d}; {_published(read, published)}")
    checks, failed = int(receipt.checks.get("checks", 0)), int(receipt.checks.get("failed", 0))
    warned = len(receipt.checks.get("warnings", ()))
    yield Tile("Checks passed", f"{checks - failed - warned:,} of {checks:,}", note=_warned(warned, failed))
    if tests := receipt.checks.get("dbt_tests", {}):
        passed = sum(status == "pass" for status in tests.values())
        yield Tile("Tests of the marts passed", f"{passed:,} of {len(tests):,}")
    waiting = [(_waiting(told), name) for name, told in receipt.tables.items() if _waiting(told)]
    rows = sum(count for count, _ in waiting)
    yield Tile("Rows in quarantine", f"{rows:,}", note=f"in {len(waiting)} of {len(receipt.tables)} tables")
    held = [name for name, told in receipt.tables.items() if told["mode"] == receipts.HELD_BACK]
    yield Tile("Tables held back", f"{len(held)} of {len(receipt.tables)}", note=", ".join(held))


def _published(read: datetime, published: str) -> str:
    if not published:
        return "not published yet"
    minutes = (instant(published) - read).total_seconds() / 60
    return f"published {minutes:,.0f} minutes later" if minutes >= 1 else "published within a minute"


def _warned(warned: int, failed: int) -> str:
    said = [f"{count} {word}" for count, word in ((failed, "failed"), (warned, "warned")) if count]
    return ", ".join(said)


def _tables(receipt: Receipt) -> Iterator[Line]:
    """The tables of which something is to be known."""
    for name in sorted(receipt.tables):
        told = receipt.tables[name]
        said = _said(told)
        if said or _waiting(told):
            yield Cell(name), Cell(f"{_waiting(told):,}", True), Cell(said)


def _said(told: dict[str, Any]) -> str:
    if told["mode"] not in receipts.NOT_READ:
        reasons = sorted((told.get("reasons") or {}).items(), key=lambda each: (-each[1], each[0]))
        return ", ".join(f"{reason} ({count:,})" for reason, count in reasons)
    since = f"shown as of {told['held_since'][:16].replace('T', ' ')} UTC" if told.get("held_since") else "never read"
    return f"{told['mode']}, {since}: {told.get('reason', '')}"


def _waiting(told: dict[str, Any]) -> int:
    return int(told.get("quarantine_rows") or 0)


def _is_own(warning: str) -> bool:
    """Whether a warning says more than that rows wait in quarantine, which the table says."""
    return not warning.startswith("quarantine.")


def instant(text: str) -> datetime:
    """An ISO 8601 instant in UTC.

    >>> instant("2026-11-24T01:30:00+02:00")
    datetime.datetime(2026, 11, 23, 23, 30, tzinfo=datetime.timezone.utc)
    """
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
