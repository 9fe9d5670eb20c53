"""What the receipts say: when was published, how many rows there are, which wait in quarantine, what is held back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lake.errors import LakeError
from lake.ledger import receipts
from lake.ledger.freshness import LOOK_BACK
from lake.ledger.receipts import HELD_BACK, Receipt
from lake.observe import bounds
from lake.observe.metrics import HELD, HELD_SINCE, PUBLISHED, QUARANTINE, ROWS, Sample
from lake.observe.news import News, Remembered, State

NAME = "receipts"
UNTOLD = "unknown"
"""Reason of rows in quarantine of which no receipt that is looked at tells more."""

HOUR = 3600.0


class Published:
    """Reads the newest receipt when there is another one."""

    def __init__(self) -> None:
        self._news = News()
        self._remembered: Remembered[list[Sample]] = Remembered(HOUR)

    def collect(self) -> list[Sample]:
        """What the newest receipt says; nothing before the first publish.

        Raises:
            ServiceError: the catalog or the object store is away.
        """
        state = self._news.state()
        return [] if state is None else self._remembered.get(state, lambda: _read(state))


def _read(state: State) -> list[Sample]:
    receipt = receipts.of_run(state.run_id) if state.has_receipt else next(receipts.newest(1), None)
    return [] if receipt is None else list(samples(receipt, reasons(receipt)))


def reasons(newest: Receipt) -> dict[str, dict[str, int]]:
    """By table that has rows in quarantine, how many each reason has refused of them.

    A receipt tells it of the tables whose quarantine its run has written; of another table, an earlier one does.
    """
    found: dict[str, dict[str, int]] = {}
    waiting = {table: told["quarantine_rows"] for table, told in newest.tables.items() if told.get("quarantine_rows")}
    left = set(waiting)
    for receipt in _backwards(newest):
        for table in sorted(left & receipt.tables.keys()):
            told = receipt.tables[table]
            if told.get("judged") or told.get("deleted"):
                found[table] = told.get("reasons") or {UNTOLD: waiting[table]}
                left.discard(table)
        if not left:
            break
    return found | {table: {UNTOLD: waiting[table]} for table in left}


def _backwards(newest: Receipt) -> Iterator[Receipt]:
    """The newest receipt, and only if more is wanted those before it."""
    yield newest
    for receipt in receipts.newest(LOOK_BACK):
        if receipt.run_id != newest.run_id:
            yield receipt


def samples(receipt: Receipt, reasons: Mapping[str, Mapping[str, int]]) -> Iterator[Sample]:
    """What a receipt says.

    Args:
        reasons: of rows in quarantine, by table.
    """
    yield PUBLISHED(_instant(receipt.published_at))
    wrong = {table for table, told in receipt.tables.items() if told["mode"] == HELD_BACK} | reasons.keys()
    shown = bounds.shown({table: told.get("source_rows", 0) for table, told in receipt.tables.items()}, wrong)
    yield shown.sample(NAME)
    for table, told in receipt.tables.items():
        if table in shown.tables:
            yield from _of_table(table, told, reasons.get(table, {}))


def _of_table(table: str, told: Mapping[str, Any], reasons: Mapping[str, int]) -> Iterator[Sample]:
    source = told.get("source", "")
    for layer in ("cleaned", "quarantine"):
        if (rows := told.get(f"{layer}_rows")) is not None:
            yield ROWS(rows, layer, table)
    for reason, rows in bounds.commonest(reasons, bounds.MOST_REASONS).items():
        yield QUARANTINE(rows, source, table, reason)
    is_held = told["mode"] == HELD_BACK
    yield HELD(is_held, source, table)
    if is_held and told.get("held_since"):
        yield HELD_SINCE(_instant(told["held_since"]), source, table)


def _instant(text: str) -> float:
    """ISO 8601 as Unix time; UTC where it says no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise LakeError(f"a receipt says {text!r} where an instant is expected") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
