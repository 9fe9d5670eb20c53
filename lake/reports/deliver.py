"""Delivering reports: computed at the commit of a receipt, kept in the object store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from lake.errors import LakeError
from lake.layers import marts
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import sql, storage
from lake.platform.catalog import MAIN
from lake.platform.catalog import tables as catalog_tables
from lake.reports import currency, index, measured, pages
from lake.reports.definition import load, names
from lake.reports.figures import Lake, compute
from lake.reports.periods import Period
from lake.reports.places import FILES, address, keys
from lake.reports.quality import instant
from lake.reports.shown import Proof
from lake.settings import settings

log = logging.getLogger(__name__)

OF_METRICS = "marts."
"""What metrics are asked of."""


def due(lake_commit: str) -> list[str]:
    """Names of the reports that can be made at a commit: those on the marts need a lake that has them.

    One whose file is malformed is among them, so that it is told when it is made, and holds up no other.
    """
    found = []
    for name in names():
        try:
            report = load(name)
        except LakeError:
            found.append(name)
            continue
        asked = [*report.queries, *([OF_METRICS] if report.figures_of_metrics else [])]
        if marts.readable(asked, f"{MAIN}@{lake_commit}"):
            found.append(name)
        else:
            log.warning("the report %s is left out: the lake has no marts, which are made of the shop's tables", name)
    return found


def without_made(found: list[str], as_of: date) -> list[str]:
    """Those of some reports that a publish is to make: of a day, week or month one is enough.

    It says what was known when the first publish after its end had come. `deliver` makes it of any receipt.

    Args:
        found: their names.
        as_of: the first day that is not over.
    """
    instants = {receipt.run_id: instant(receipt.source_instant).date() for receipt in receipts.receipts()}
    kept = [(name, instants[run_id]) for name, run_id in keys() if run_id in instants]

    def is_made(name: str) -> bool:
        try:
            grain = load(name).period
        except LakeError:
            return False
        if grain is None:
            return False
        period = Period.over(grain, as_of)
        return any(each == name and Period.over(grain, day) == period for each, day in kept)

    return [name for name in found if not is_made(name)]


def deliver_due(run_id: str, lake_commit: str, source_instant: str) -> dict[str, dict[str, str]]:
    """Make all reports that are due and can be made of a receipt, and the index of all that are kept.

    One that cannot be made does not hold up the others. In one process, because what compiles metrics takes longer to
    load than a report to make.

    Returns:
        Addresses of each report's ``html`` and ``pdf``, by its name.

    Raises:
        LakeError: some could not be made; the first reason is told, and how many there are.
    """
    made: dict[str, dict[str, str]] = {}
    failed: list[LakeError] = []
    with _of(run_id, lake_commit) as lake:
        about = Proof(run_id, lake_commit, instant(source_instant))
        for name in without_made(due(lake_commit), about.as_of):
            try:
                made[name] = _deliver(name, about, lake)
            except LakeError as error:
                log.warning("the report %s could not be made: %s", name, error)
                failed.append(error)
    index.rebuild()
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise type(failed[0])(f"{failed[0].what}{more}", failed[0].fix)
    return made


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
    with _of(run_id, lake_commit) as lake:
        return _deliver(name, Proof(run_id, lake_commit, instant(source_instant)), lake)


@contextmanager
def _of(run_id: str, lake_commit: str) -> Iterator[_Once]:
    reference = f"{MAIN}@{lake_commit}"
    with sql.catalog_at(f"reports_{run_id}", reference) as catalog:
        yield _Once(catalog, receipts.find(run_id), currency.ORDERS in catalog_tables(reference))


class _Once:
    """One state of the lake, of which nothing is asked twice, and nothing that no report needs."""

    def __init__(self, catalog: str, receipt: Receipt | None, has_orders: bool) -> None:
        self.lake = Lake(lambda query: sql.rows(query, catalog), receipt=receipt)
        self.has_orders = has_orders
        self._catalog = catalog
        self._currencies: list[str] | None = None

    def with_metrics(self) -> Lake:
        """The same with the metrics, which take seconds to load."""
        if self.lake.metrics is None:
            metrics = measured.layer()
            self.lake = replace(self.lake, metrics=metrics, ask=measured.asking(metrics, self._catalog))
        return self.lake

    def currencies(self) -> list[str]:
        """What the orders are in."""
        if self._currencies is None:
            self._currencies = currency.found(self.lake.run) if self.has_orders else []
        return self._currencies


def _deliver(name: str, about: Proof, once: _Once) -> dict[str, str]:
    report = load(name)
    lake = once.lake
    if report.figures_of_metrics:
        lake = once.with_metrics()
        assert lake.metrics is not None
        measured.check(report, lake.metrics)
    report, remarks = currency.settled(report, once.currencies())
    told = replace(about, notes=(*_notes(lake.receipt), *remarks))
    figures = compute(report, told, lake)
    written = {"html": pages.html(report, figures, told), "pdf": pages.pdf(report, figures, told)}
    places = {kind: address(name, about.run_id, kind) for kind in written}
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
