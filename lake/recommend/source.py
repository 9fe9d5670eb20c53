"""What the models read of the published lake: the star schema as it was at the commit of a receipt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import Table

from lake.layers import raw
from lake.ledger.receipts import Receipt
from lake.recommend import baskets
from lake.recommend.baskets import Baskets, NothingToLearnError
from lake.recommend.popular import EVERYBODY

SEGMENT = "age_band"
"""Column of ``curated.dim_customer`` by which those who have bought nothing yet are told apart."""

_LINES = ("customer_id", "order_id", "product_id", "ordered_at", "is_cancelled")


@dataclass(frozen=True)
class Shop:
    """Who is a customer, and what was bought.

    Attributes:
        segments: of every customer by id, `EVERYBODY` where none is known; also of those who have bought nothing.
        baskets: of customers alone. What was bought by somebody who is no longer one is left out, and so are orders
            that were cancelled.
    """

    segments: dict[int, str]
    baskets: Baskets

    @property
    def segment_of_buyers(self) -> np.ndarray:
        """The segment of each customer of `baskets`."""
        return np.array([self.segments[int(customer)] for customer in self.baskets.customers], object)


def read(receipt: Receipt) -> Shop:
    """The shop as a receipt has published it.

    Raises:
        NothingToLearnError: that lake has no star schema, or nobody has bought anything.
    """
    segments = customers(receipt)
    lines = _rows(receipt, "fct_order_items", _LINES)
    bought = pc.and_(
        pc.invert(lines["is_cancelled"]), pc.is_in(lines["customer_id"], pa.array(list(segments), pa.int64()))
    )
    lines = lines.filter(bought)
    if not lines.num_rows:
        raise NothingToLearnError(
            f"the lake of {receipt.run_id} has no orders of customers", "there is nothing to learn from"
        )
    column = {name: lines[name].combine_chunks().to_numpy(zero_copy_only=False) for name in _LINES[:4]}
    return Shop(
        segments,
        baskets.from_lines(
            column["customer_id"], column["order_id"], column["product_id"],
            column["ordered_at"].astype("datetime64[us]"),
        ),
    )  # fmt: skip


def customers(receipt: Receipt) -> dict[int, str]:
    """Everybody who is a customer at a receipt, by id, with their segment.

    Raises:
        NothingToLearnError: that lake has no star schema.
    """
    table = _table(receipt, "dim_customer")
    has_segments = SEGMENT in table.schema().column_names
    rows = table.scan(selected_fields=("customer_id", SEGMENT) if has_segments else ("customer_id",)).to_arrow()
    ids = rows["customer_id"].to_pylist()
    named = rows[SEGMENT].to_pylist() if has_segments else [None] * len(ids)
    return {customer: segment or EVERYBODY for customer, segment in zip(ids, named, strict=True)}


def product_names(receipt: Receipt) -> dict[int, str]:
    """What the products are called, by id.

    Raises:
        NothingToLearnError: that lake has no star schema.
    """
    rows = _rows(receipt, "dim_product", ("product_id", "product_name"))
    return dict(zip(rows["product_id"].to_pylist(), rows["product_name"].to_pylist(), strict=True))


def _rows(receipt: Receipt, name: str, columns: tuple[str, ...]) -> pa.Table:
    return _table(receipt, name).scan(selected_fields=columns).to_arrow()


def _table(receipt: Receipt, name: str) -> Table:
    found = raw.find(f"main@{receipt.lake_commit}", "curated", name)
    if found is None:
        raise NothingToLearnError(
            f"the lake of {receipt.run_id} has no curated.{name}",
            "recommendations are made of the shop's star schema; `lake tables` lists what there is",
        )
    return found
