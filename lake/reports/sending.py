"""Sending the reports that are due: each to each address once a period, whatever fails in between."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime
from email.message import EmailMessage

from lake.errors import LakeError, ServiceError
from lake.ledger.receipts import Receipt
from lake.platform import storage
from lake.reports import deliver, index, mail
from lake.reports.definition import load
from lake.reports.places import address
from lake.reports.subscriptions import Due, Subscription, due

log = logging.getLogger(__name__)

SENT = f"{storage.REPORTS}/sent"


def send_due(subscriptions: list[Subscription], receipt: Receipt, now: datetime) -> list[Due]:
    """Send what is due by an instant (UTC) and was not sent yet; what was sent.

    A mail that cannot be made or sent does not hold up the others. That one was sent is kept once the mail server has
    taken it: where that cannot be kept, it is sent again, with the same id.

    Args:
        receipt: the newest one; of a report that it has not been made of yet, it is made now.

    Raises:
        ServiceError: some could not be sent; the first reason is told, and how many there are.
    """
    sent: list[Due] = []
    failed: list[LakeError] = []
    for one in due(subscriptions, now):
        place = _place(one)
        if storage.exists(place):
            continue
        try:
            mail.send(_message(one, receipt))
        except LakeError as error:
            log.warning("%s", error.what)
            failed.append(error)
            continue
        storage.put(
            place,
            json.dumps({"report": one.report, "period": one.period, "run_id": receipt.run_id}).encode(),
            "application/json",
        )
        log.info("%s of %s: sent to %s", one.report, one.period, one.address)
        sent.append(one)
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise ServiceError(f"{failed[0].what}{more}", failed[0].fix)
    return sent


def _message(one: Due, receipt: Receipt) -> EmailMessage:
    places = {kind: address(one.report, receipt.run_id, kind) for kind in mail.FORMS}
    if not all(storage.exists(place) for place in places.values()):
        deliver.deliver(one.report, receipt.run_id, receipt.lake_commit, receipt.source_instant)
        index.rebuild()
    files = {kind: storage.get(place) for kind, place in places.items()}
    return mail.message(one, load(one.report), deliver.proof(receipt), files)


def _place(one: Due) -> str:
    """Where it is kept that a mail was sent. The address itself is personal, so it is not part of the name."""
    whom = hashlib.sha256(one.address.lower().encode()).hexdigest()[:16]
    return f"{SENT}/{one.report}/{one.every}-{one.period}/{whom}.json"
