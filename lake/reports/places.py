"""Where reports are kept in the object store."""

from __future__ import annotations

from lake.ledger import receipts
from lake.platform import storage

FILES = {"html": ("report.html", "text/html; charset=utf-8"), "pdf": ("report.pdf", "application/pdf")}
"""File name and content type of each form of a report."""


def address(report: str, run_id: str, kind: str) -> str:
    """Where a report of a run is kept; ``kind`` is ``html`` or ``pdf``."""
    return f"{storage.REPORTS}/{report}/{run_id}/{FILES[kind][0]}"


def delivered() -> list[tuple[str, str]]:
    """Report and run of everything that was delivered, the newest receipt first."""
    order = {receipt.run_id: place for place, receipt in enumerate(receipts.receipts())}
    uris = [uri for uri in storage.list_keys(storage.REPORTS) if uri.endswith(f"/{FILES['html'][0]}")]
    found = [(uri.split("/")[-3], uri.split("/")[-2]) for uri in uris]
    return sorted(found, key=lambda item: (order.get(item[1], len(order)), item[0]))
