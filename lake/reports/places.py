"""Where reports are kept in the object store."""

from __future__ import annotations

from lake.ledger import receipts
from lake.platform import storage

FILES = {"html": ("report.html", "text/html; charset=utf-8"), "pdf": ("report.pdf", "application/pdf")}
"""File name and content type of each form of a report."""

INDEX = f"{storage.REPORTS}/index.html"
KNOWN = f"{storage.REPORTS}/index.json"
"""The index of all, and what it holds."""


def address(report: str, run_id: str, kind: str) -> str:
    """Where a report of a run is kept; ``kind`` is ``html`` or ``pdf``."""
    return f"{storage.REPORTS}/{report}/{run_id}/{FILES[kind][0]}"


def keys() -> list[tuple[str, str]]:
    """Report and run of everything that was delivered."""
    uris = [uri for uri in storage.list_keys(storage.REPORTS) if uri.endswith(f"/{FILES['html'][0]}")]
    return [(uri.split("/")[-3], uri.split("/")[-2]) for uri in uris]


def delivered() -> list[tuple[str, str]]:
    """The same, the newest receipt first."""
    order = {receipt.run_id: place for place, receipt in enumerate(receipts.receipts())}
    return sorted(keys(), key=lambda item: (order.get(item[1], len(order)), item[0]))
