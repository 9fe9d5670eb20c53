"""What is recommended, for those who show it: typed, from the version that counts, and nothing of the web in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pyiceberg.expressions import And, EqualTo, In

from lake.recommend import tables, versions
from lake.recommend.popular import EVERYBODY
from lake.recommend.versions import Version

USUAL, NEW, START = "usual", "new", "start"
"""Slots: what the customer buys again, what they have never bought, and what is shown to who has bought nothing."""


@dataclass(frozen=True)
class Recommended:
    """A product shown to a customer.

    Attributes:
        baskets, of_baskets: it was in so many of the customer's so many baskets.
        last_bought: None where they have never bought it.
        like_you: how many of the customers who are most like this one have bought it.
    """

    product_id: int
    slot: str
    rank: int
    score: float
    baskets: int
    of_baskets: int
    last_bought: date | None
    like_you: int

    @property
    def why(self) -> str:
        """Why it is shown, for people."""
        if self.baskets:
            return f"in {self.baskets} of your {self.of_baskets} baskets, the last time on {self.last_bought}"
        if self.slot == START:
            return "what most customers of your segment buy"
        if self.slot == NEW:
            return f"new to you; {self.like_you} of the customers most like you buy it"
        return "what most customers buy"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        last = self.last_bought.isoformat() if self.last_bought else None
        return {**asdict(self), "last_bought": last, "why": self.why}


@dataclass(frozen=True)
class NextBasket:
    """What is shown to a customer, and the version that says so."""

    version: Version
    customer_id: int
    products: tuple[Recommended, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "customer_id": self.customer_id,
            "receipt": self.version.run_id,
            "lake_commit": self.version.lake_commit,
            "products": [one.to_json() for one in self.products],
        }


@dataclass(frozen=True)
class Companion:
    """A product that is bought together with another, or with a cart.

    Attributes:
        with_product_id: the one that it goes with best.
        baskets: that have both.
        support, confidence, lift: as in `lake.recommend.together.Pair`.
    """

    product_id: int
    with_product_id: int
    baskets: int
    support: float
    confidence: float
    lift: float

    @property
    def why(self) -> str:
        """Why it is shown, for people."""
        by_chance = f"{self.lift:.1f} times as often as by chance"
        return f"in {self.baskets} baskets with product {self.with_product_id}, {by_chance}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "why": self.why}


def next_basket(customer_id: int, segment: str | None = None, version: Version | None = None) -> NextBasket | None:
    """What is shown to a customer: usual products first, then new ones.

    Args:
        segment: of a customer who came after the version was made, if it is known; they get what its people buy.
        version: the one that counts, if not given.

    Returns:
        Nothing for a customer of whom nothing is known, where no segment is given.

    Raises:
        LakeError: no version was published yet.
    """
    version = version or versions.current()
    of_version = EqualTo("run_id", version.run_id)
    found = tables.rows(tables.NEXT_BASKET, And(of_version, EqualTo("customer_id", customer_id))).to_pylist()
    if found:
        shown = [_recommended(row) for row in found]
        order = (USUAL, START, NEW)
        return NextBasket(version, customer_id, tuple(sorted(shown, key=lambda one: (order.index(one.slot), one.rank))))
    if segment is None:
        return None
    return NextBasket(version, customer_id, tuple(_popular(version, segment)))


def _recommended(row: dict[str, Any]) -> Recommended:
    return Recommended(
        row["product_id"], row["slot"], row["rank"], row["score"], row["baskets"], row["of_baskets"],
        row["last_bought_date"], row["like_you"],
    )  # fmt: skip


def _popular(version: Version, segment: str) -> Iterable[Recommended]:
    of_version = EqualTo("run_id", version.run_id)
    rows = tables.rows(tables.POPULAR, And(of_version, In("segment", [segment, EVERYBODY]))).to_pylist()
    # A segment with too few people has no rows of its own.
    of_segment = [row for row in rows if row["segment"] == segment] or rows
    for row in sorted(of_segment, key=lambda row: row["rank"]):
        yield Recommended(row["product_id"], START, row["rank"], 1 / row["rank"], 0, 0, None, 0)


def bought_together(product_id: int, most: int = 10) -> tuple[Companion, ...]:
    """What is bought together with a product, the best first; nothing for one that has no companions.

    Raises:
        LakeError: no version was published yet.
    """
    return for_cart([product_id], most)


def for_cart(product_ids: Sequence[int], most: int = 10, version: Version | None = None) -> tuple[Companion, ...]:
    """What goes with the products of a cart, and is not in it; what goes with several of them comes first.

    Args:
        version: the one that counts, if not given.

    Raises:
        LakeError: no version was published yet.
    """
    cart = set(product_ids)
    version = version or versions.current()
    if not cart:
        return ()
    where = And(EqualTo("run_id", version.run_id), In("product_id", sorted(cart)))
    by_other = defaultdict(list)
    for row in (
        tables.rows(tables.TOGETHER, where).sort_by([("product_id", "ascending"), ("rank", "ascending")]).to_pylist()
    ):
        if row["other_product_id"] not in cart:
            by_other[row["other_product_id"]].append(row)
    # Ranks, for lifts of products that sell differently cannot be added.
    order = sorted(by_other, key=lambda other: (-sum(1 / row["rank"] for row in by_other[other]), other))
    return tuple(_companion(by_other[other]) for other in order[:most])


def _companion(rows: list[dict[str, Any]]) -> Companion:
    best = min(rows, key=lambda row: row["rank"])
    return Companion(
        best["other_product_id"], best["product_id"], best["baskets"], best["support"], best["confidence"],
        best["lift"],
    )  # fmt: skip
