"""The model card of a version: of what data it was made, how good it is, for whom, and what it is not for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lake.ledger.receipts import Receipt
from lake.recommend import explore, guard, ours, together
from lake.recommend.baskets import Split
from lake.recommend.evaluate import DIFFERENCE, K_NEW, NEW, NEW_POPULAR, OURS, Evaluation, K
from lake.recommend.source import SEGMENT, Shop

FEW, MANY = 10, 50
"""Baskets of a customer: fewer than the one, and as many as the other or more."""

LIMITS = (
    "It repeats what customers do, and does not know why. What is new to a customer is a guess, and shown as one.",
    "Prices, stock and the season are not known to it.",
    "Segments by age are given where customers have told theirs; most have not.",
)


def of(receipt: Receipt, shop: Shop, split: Split, evaluation: Evaluation, made_at: datetime) -> dict[str, Any]:
    """The card, as plain values.

    Args:
        split: on which it was measured; customers are those of ``shop.baskets``.
        made_at: with a time zone.
    """
    history = shop.baskets
    return {
        "receipt": receipt.run_id,
        "lake_commit": receipt.lake_commit,
        "source_instant": receipt.source_instant,
        "code_version": receipt.code_version,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "data": {
            "customers": len(shop.segments),
            "customers_who_bought": len(history.customers),
            "baskets": int(history.counts.sum()),
            "lines": len(history.customer),
            "products": len(history.products),
            "first_day": str(np.datetime64(int(history.day.min()), "D")),
            "last_day": str(np.datetime64(int(history.day.max()), "D")),
        },
        "models": {
            "usual": asdict(ours.Setting()),
            "new": {
                "factors": explore.FACTORS,
                "rounds": explore.ROUNDS,
                "confidence": explore.CONFIDENCE,
                "fewest_buyers": explore.FEWEST_BUYERS,
            },
            "bought_together": {"fewest_baskets": together.FEWEST},
        },
        "measured_by": "the last basket of each customer is held out; all that came before is known",
        "metrics": evaluation.to_json(),
        "slices": list(_slices(shop, split, evaluation)),
        "guard": guard.POLICY,
        "limits": list(LIMITS),
    }


def _slices(shop: Shop, split: Split, evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    ours_, tested = evaluation.measured[OURS], split.tested
    segments = shop.segment_of_buyers[tested]
    baskets = split.history.counts[tested]
    masks = [(SEGMENT, str(one) or "not told", segments == one) for one in sorted(set(segments), key=str)]
    masks += [
        ("baskets", f"fewer than {FEW}", baskets < FEW),
        ("baskets", f"{FEW} to {MANY - 1}", (baskets >= FEW) & (baskets < MANY)),
        ("baskets", f"{MANY} or more", baskets >= MANY),
    ]
    for by, name, mask in masks:
        if mask.any():
            yield {
                "by": by,
                "segment": name,
                "customers": int(mask.sum()),
                f"recall@{K}": float(ours_.recall[mask].mean()),
                f"ndcg@{K}": float(ours_.ndcg[mask].mean()),
            }


def text(card: dict[str, Any]) -> str:
    """The card for people, some lines of plain text."""
    data, metrics = card["data"], card["metrics"]
    lines = [
        f"Recommendations of receipt {card['receipt']}",
        f"made {card['made_at'][:16]} UTC of the lake at {card['lake_commit'][:12]}, the shop as of "
        f"{card['source_instant'][:16]} UTC, code {card['code_version'][:12]}",
        "",
        f"data: {data['baskets']:,} baskets of {data['customers_who_bought']:,} of {data['customers']:,} customers, "
        f"{data['lines']:,} lines, {data['products']:,} products, {data['first_day']} to {data['last_day']}",
        f"measured: {card['measured_by']}; {metrics['measured_on']['customers']:,} customers",
        "",
        *table(metrics),
        "",
        *difference(metrics),
        "",
        f"{'for whom':<28}{'customers':>10}{f'recall@{K}':>11}{f'ndcg@{K}':>10}",
    ]
    lines += [
        f"{one['by'] + ': ' + one['segment']:<28}{one['customers']:>10,}{one[f'recall@{K}']:>11.4f}"
        f"{one[f'ndcg@{K}']:>10.4f}"
        for one in card["slices"]
    ]
    return "\n".join([*lines, "", f"guard: {card['guard']}", *(f"limit: {one}" for one in card["limits"])])


_COLUMNS = (
    (f"recall@{K}", f"recall@{K}"), (f"ndcg@{K}", f"ndcg@{K}"), (f"hit_rate@{K}", "hits"),
    (f"recall_repeat@{K}", "repeat"), (f"recall_explore@{K}", "explore"), ("coverage", "coverage"),
    ("novelty_bits", "novelty"),
)  # fmt: skip


def table(metrics: dict[str, Any]) -> Sequence[str]:
    """The figures of all models, a line each."""
    models = [name for name, told in metrics.items() if isinstance(told, dict) and f"hit_rate@{K}" in told]
    head = f"{'':<12}" + "".join(f"{title:>11}" for _, title in _COLUMNS)
    return [head, *(f"{name:<12}" + "".join(f"{metrics[name][key]:>11.4f}" for key, _ in _COLUMNS) for name in models)]


def difference(metrics: dict[str, Any]) -> Iterator[str]:
    """By how much ours is above GP-TopFreq, a line a figure, and what the slot of new products finds."""
    for name, told in metrics.get(DIFFERENCE, {}).items():
        yield (
            f"ours - gp_topfreq, {name}: {told['mean']:+.4f} (95 % between {told['low']:+.4f} and {told['high']:+.4f})"
        )
    for name in (NEW, NEW_POPULAR):
        told = metrics[name]
        yield (
            f"{name}, of who bought something new: recall@{K_NEW} {told[f'recall_explore@{K_NEW}']:.4f}, "
            f"hits {told[f'hit_rate@{K_NEW}']:.4f}, coverage {told['coverage']:.4f}"
        )
