"""Delivering a report: computed at the commit of a receipt, kept in the object store."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from lake.layers import marts
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import sql, storage
from lake.platform.catalog import MAIN
from lake.reports import pages
from lake.reports.definition import load, names
from lake.reports.figures import Proof, compute
from lake.reports.places import FILES, address
from lake.settings import settings

log = logging.getLogger(__name__)


def due(lake_commit: str) -> list[str]:
    """Names of the reports that can be made at a commit: those on the marts need a lake that has them."""
    found = []
    for name in names():
        if marts.readable([figure.query for figure in load(name).figures], f"{MAIN}@{lake_commit}"):
            found.append(name)
        else:
            log.warning("the report %s is left out: the lake has no marts, which are made of the shop's tables", name)
    return found


def deliver(name: str, run_id: str, lake_commit: str, source_instant: str) -> dict[str, str]:
    """Compute a report at one commit of the lake and keep it as HTML and PDF.

    Doing it again for the same receipt writes the same bytes to the same place.

    Args:
        name: of the report.
        run_id: of the receipt.
        lake_commit: of the receipt; the figures are computed there.
        source_instant: of the receipt, ISO 8601; UTC where it has no offset.

    Returns:
        Addresses of the ``html`` and the ``pdf``.

    Raises:
        LakeError: the definition is malformed, or one of its queries failed; the figure is named.
    """
    report = load(name)
    proof = Proof(run_id, lake_commit, instant(source_instant), _notes(receipts.find(run_id)))
    with sql.catalog_at(f"report_{name}_{run_id}", f"{MAIN}@{lake_commit}") as catalog:
        figures = compute(report, proof.as_of, lambda query: sql.rows(query, catalog))
    written = {"html": pages.html(report, figures, proof), "pdf": pages.pdf(report, figures, proof)}
    places = {kind: address(name, run_id, kind) for kind in written}
    for kind, data in written.items():
        storage.put(places[kind], data, FILES[kind][1])
        log.info("%s: %d bytes", places[kind], len(data))
    return places


def proof(receipt: Receipt) -> Proof:
    """What a report of a receipt carries."""
    return Proof(receipt.run_id, receipt.lake_commit, instant(receipt.source_instant), _notes(receipt))


def _notes(receipt: Receipt | None) -> tuple[str, ...]:
    """What a receipt says of the shop's tables beside when they were read."""
    if receipt is None:
        return ()
    through = receipt.verified_through(settings().source_name)
    proven = (
        f"Every table was proven equal to the shop's database, row by row, up to {through:%Y-%m-%d %H:%M} UTC."
        if through
        else "Counts were compared with the shop's database; no sweep has compared all rows yet."
    )
    held = [
        f"{name} was not read: {told['reason']}; shown as of {told['held_since'][:16].replace('T', ' ')} UTC."
        for name, told in receipt.tables.items()
        if told["mode"] in receipts.NOT_READ and told["held_since"]
    ]
    return (proven, *held)


def instant(text: str) -> datetime:
    """An ISO 8601 instant in UTC.

    >>> instant("2026-11-24T01:30:00+02:00")
    datetime.datetime(2026, 11, 23, 23, 30, tzinfo=datetime.timezone.utc)
    """
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
