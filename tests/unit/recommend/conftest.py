"""A lake on a disk: Iceberg tables in a catalog of SQLite, a file for each reference, in place of Nessie and MinIO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError

from lake.layers import raw
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import catalog

FIRST = datetime(2026, 1, 1, 9)

_LINES = pa.schema(
    [
        ("order_item_id", pa.int64()),
        ("order_id", pa.int64()),
        ("product_id", pa.int64()),
        ("customer_id", pa.int64()),
        ("ordered_at", pa.timestamp("us")),
        ("is_cancelled", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Lake:
    """Publishes shops, each under a commit of its own."""

    kept: dict[str, Receipt]

    def publish(
        self,
        run_id: str,
        baskets: Mapping[int | None, Sequence[Sequence[int]]],
        customers: Mapping[int, str | None],
        cancelled: Sequence[int] = (),
    ) -> Receipt:
        """Publish baskets (by customer, the oldest first, a week apart), customers with their age, and the receipt.

        Args:
            cancelled: customers whose last order was cancelled.
        """
        rows = [
            {
                "order_item_id": number,
                "order_id": (customer or 0) * 1_000 + at,
                "product_id": product,
                "customer_id": customer,
                "ordered_at": FIRST + timedelta(days=7 * at),
                "is_cancelled": customer in cancelled and at == len(of_customer) - 1,
            }
            for customer, of_customer in baskets.items()
            for at, content in enumerate(of_customer)
            for number, product in enumerate(content)
        ]
        products = sorted({row["product_id"] for row in rows})
        star = {
            "fct_order_items": pa.Table.from_pylist(rows, _LINES),
            "dim_customer": pa.table(
                {"customer_id": pa.array(customers, pa.int64()), "age_band": pa.array(customers.values(), pa.string())}
            ),
            "dim_product": pa.table({"product_id": products, "product_name": [f"product {one}" for one in products]}),
        }
        lake = raw.open_catalog(f"main@{run_id}c")
        lake.create_namespace("curated")
        for name, content in star.items():
            lake.create_table(("curated", name), content.schema).append(content)
        receipt = Receipt(run_id, f"{run_id}c", FIRST.isoformat(), "", FIRST.isoformat(), "1", "")
        self.kept[run_id] = receipt
        return receipt


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty one."""
    kept: dict[str, Receipt] = {}

    @cache
    def opened(reference: str) -> SqlCatalog:
        folder = tmp_path / reference
        folder.mkdir()
        return SqlCatalog(reference, uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")

    def find(reference: str, layer: str, table: str) -> Any:
        try:
            return opened(reference).load_table((layer, table))
        except NoSuchTableError:
            return None

    monkeypatch.setattr(raw, "open_catalog", opened)
    monkeypatch.setattr(raw, "find", find)
    monkeypatch.setattr(catalog, "exists", lambda _: True)
    monkeypatch.setattr(receipts, "find", kept.get)
    monkeypatch.setattr(receipts, "receipts", lambda: list(reversed(kept.values())))
    return Lake(kept)
