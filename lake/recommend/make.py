"""Makes a version of the recommendations of a published lake: measured, judged, and written whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from lake.errors import AuditError
from lake.ledger.receipts import Receipt
from lake.recommend import baskets, card, explore, guard, popular, source, tables, together, versions
from lake.recommend.evaluate import evaluate
from lake.recommend.ours import Ours
from lake.recommend.ranking import NOTHING, best, blocks
from lake.recommend.serve import NEW, START, USUAL
from lake.recommend.source import Shop
from lake.recommend.versions import Event, Version

log = logging.getLogger(__name__)

USUALS, NEWS, COMPANIONS = 10, 5, 10
"""Products of each slot, and companions of a product."""


def make(receipt: Receipt, accept_worse: bool = False) -> Version:
    """Make the version of a receipt and let it count; made again, it takes the place of itself.

    Args:
        accept_worse: publish it whatever the guard finds, and write down what it found.

    Raises:
        AuditError: it is worse than the one that counts by more than the margin. That one goes on counting.
        NothingToLearnError: that lake has no star schema, or nobody has come back to buy again.
    """
    shop = source.read(receipt)
    split = baskets.hold_out(shop.baskets)
    of_version = card.of(receipt, shop, split, evaluate(split), datetime.now(UTC))
    now = versions.counting(versions.history())
    found = guard.worse(of_version, now.card if now else None)
    if found and not accept_worse:
        versions.note(receipt.run_id, receipt.lake_commit, Event.refused, found, of_version)
        raise AuditError(
            f"the recommendations of {receipt.run_id} are not published: {found}",
            f"those of {now.run_id if now else 'nobody'} go on. `lake recommend show {receipt.run_id}` tells what was "
            f"measured; `lake recommend run --receipt {receipt.run_id} --accept-worse` publishes them all the same",
        )
    write(receipt, shop)
    version = versions.note(receipt.run_id, receipt.lake_commit, Event.published, found, of_version)
    tables.drop_versions(set(versions.servable(versions.history())))
    forget(set(shop.segments))
    log.info("recommendations of %s are published", receipt.run_id)
    return version


def forget(customers: set[int]) -> int:
    """Remove everybody from all versions who is no longer a customer; how many were removed."""
    gone = tables.drop_customers(customers)
    if gone:
        log.info("%d customers are gone from the recommendations", gone)
    return gone


def write(receipt: Receipt, shop: Shop) -> None:
    """Write the rows of a version, which count once it is noted."""
    proof = {"run_id": receipt.run_id, "lake_commit": receipt.lake_commit}
    by_segment = popular.by_segment(shop.baskets, shop.segment_of_buyers, USUALS)
    rows: dict[str, Iterator[dict[str, Any]]] = {
        tables.NEXT_BASKET: _next_baskets(shop, by_segment),
        tables.TOGETHER: _together(shop),
        tables.POPULAR: _popular(shop, by_segment),
    }
    for name, of_table in rows.items():
        tables.replace(
            name, receipt.run_id, pa.Table.from_pylist([{**proof, **row} for row in of_table], tables.SCHEMAS[name])
        )


def _next_baskets(shop: Shop, by_segment: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    history = shop.baskets
    model, everybody = Ours(history), np.arange(len(history.customers))
    new, new_scores = explore.new_products(history, everybody, NEWS)
    bought, last = history.bought, history.table(-history.cells.least(-history.day))
    has = bought > 0
    for some in blocks(everybody, len(history.products)):
        scores = model.scores(some)
        usual, neighbours = best(scores, USUALS), model.neighbours(some)
        for number, customer in enumerate(some):
            near = np.asarray(has[neighbours[number]].sum(axis=0)).ravel()
            own, days = bought[[customer]].toarray().ravel(), last[[customer]].toarray().ravel()
            slots = ((USUAL, usual[number], scores[number][usual[number]]), (NEW, new[customer], new_scores[customer]))
            for slot, products, values in slots:
                for rank, (product, score) in enumerate(zip(products, values, strict=True), start=1):
                    if product != NOTHING:
                        yield {
                            "customer_id": int(history.customers[customer]),
                            "slot": slot,
                            "rank": rank,
                            "product_id": int(history.products[product]),
                            "score": float(score),
                            "baskets": int(own[product]),
                            "of_baskets": int(history.counts[customer]),
                            "last_bought_date": np.datetime64(int(days[product]), "D").item() if own[product] else None,
                            "like_you": int(near[product]),
                        }
    buyers = set(history.customers.tolist())
    for customer_id, segment in shop.segments.items():
        if customer_id not in buyers:
            products = by_segment.get(segment, by_segment[popular.EVERYBODY])
            for rank, product in enumerate(products, start=1):
                yield {
                    "customer_id": customer_id,
                    "slot": START,
                    "rank": rank,
                    "product_id": int(history.products[product]),
                    "score": 1 / rank,
                    "baskets": 0,
                    "of_baskets": 0,
                    "last_bought_date": None,
                    "like_you": 0,
                }


def _together(shop: Shop) -> Iterator[dict[str, Any]]:
    ids = shop.baskets.products
    for pair in together.pairs(shop.baskets, COMPANIONS):
        yield {
            "product_id": int(ids[pair.product]),
            "rank": pair.rank,
            "other_product_id": int(ids[pair.other]),
            "baskets": pair.baskets,
            "support": pair.support,
            "confidence": pair.confidence,
            "lift": pair.lift,
        }


def _popular(shop: Shop, by_segment: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    for segment, products in by_segment.items():
        for rank, product in enumerate(products, start=1):
            yield {"segment": segment, "rank": rank, "product_id": int(shop.baskets.products[product])}
