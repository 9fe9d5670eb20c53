"""Whether a new version is worse than the one that counts, by more than a stated margin."""

from __future__ import annotations

from typing import Any

from lake.recommend.evaluate import OURS, K

MARGIN = 0.05
"""Of the former figure, by which the new one may be lower."""

NOISE = 2
"""Standard errors of the new figure that are no proof of anything: in a small shop more than the margin."""

JUDGED = (f"recall@{K}", f"ndcg@{K}")

POLICY = (
    f"refused where {' or '.join(JUDGED)} is lower than that of the version that counts by more than {MARGIN:.0%} and "
    f"by more than {NOISE} standard errors"
)


def worse(card: dict[str, Any], former: dict[str, Any] | None) -> str:
    """In what a version is too much worse than the former one; empty where it is not, or is the first.

    Args:
        card, former: model cards.
    """
    if former is None:
        return ""
    said = []
    for name in JUDGED:
        new, old = card["metrics"][OURS][name], former["metrics"][OURS][name]
        allowed = max(MARGIN * old, NOISE * card["metrics"][OURS][f"{name} standard error"])
        if old - new > allowed:
            said.append(
                f"{name} is {new:.4f}, was {old:.4f} with {former['receipt']}, and may be lower by {allowed:.4f}"
            )
    return "; ".join(said)
