"""What a run found to be new, and which tables it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lake.contracts import Contract
from lake.extract.manifest import Manifest, Part
from lake.ledger.receipts import Receipt
from lake.run import Run
from lake.source.snapshot import Snapshot
from lake.steps import marts, news

SNAPSHOT = Snapshot("shop", datetime(2026, 1, 1, tzinfo=UTC), "", server="")
RUN = Run("second", "base", sources=("shop",), has_marts=False, contracts_sha256="c", code_sha256="k")
QUIET = Manifest("orders", "second", "increment", SNAPSHOT, source_rows=5, watermark=None)
LAST = Receipt(
    "first", "hash", "", "", "", "", "", contracts_sha256="c", code_sha256="k", tables={"orders": {"source_rows": 5}}
)


def _contract(table: str, *parents: str) -> Contract:
    columns: dict[str, Any] = {"k": {"type": "bigint", "nullable": False}}
    columns |= {f"p{i}": {"type": "bigint", "references": f"{parent}.k"} for i, parent in enumerate(parents)}
    common = {"description": "x", "owner": "x", "grain": "x", "key": ["k"], "deletes": "keys"}
    return Contract.model_validate({**common, "table": table, "columns": columns})


def test_nothing_is_new_where_no_row_changed_and_the_counts_are_those_of_the_receipt() -> None:
    assert news.is_none(RUN, LAST, [QUIET])


@pytest.mark.parametrize(
    "landed",
    [
        replace(QUIET, parts=[Part("s3://x", 1, 1)]),
        replace(QUIET, deletes=[Part("s3://x", 1, 1)]),
        replace(QUIET, mode="full"),
        replace(QUIET, source_rows=6),
        replace(QUIET, table="others"),
    ],
    ids=["a row", "a delete", "read whole", "another count", "another table"],
)
def test_something_is_new(landed: Manifest) -> None:
    assert not news.is_none(RUN, LAST, [landed])


def test_a_table_that_is_held_back_is_no_news_and_one_that_is_held_no_longer_is() -> None:
    assert news.is_none(RUN, LAST, [replace(QUIET, mode="held back")])
    assert not news.is_none(RUN, LAST, [replace(QUIET, was_held=True)])


@pytest.mark.parametrize("run", [replace(RUN, contracts_sha256="d"), replace(RUN, has_marts=True)])
def test_other_contracts_or_marts_are_news(run: Run) -> None:
    assert not news.is_none(run, LAST, [QUIET])


@pytest.mark.parametrize(
    ("run", "is_relied_on"),
    [
        (RUN, True),
        (replace(RUN, code_sha256="other"), False),
        (replace(RUN, asked="full"), False),
        (replace(RUN, code_sha256=""), False),
    ],
)
def test_a_receipt_is_relied_on_under_the_same_code_alone(
    run: Run, is_relied_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "last_published", lambda base: "first")
    monkeypatch.setattr(news.receipts, "find", lambda run_id: LAST)
    assert (news.before(run) is LAST) == is_relied_on


def test_a_change_concerns_all_that_point_at_it_however_indirectly() -> None:
    contracts = {
        "customers": _contract("customers"),
        "orders": _contract("orders", "customers"),
        "items": _contract("items", "orders", "products"),
        "products": _contract("products"),
    }
    assert news.concerned(contracts, iter(["customers"])) == {"customers", "orders", "items"}
    assert news.concerned(contracts, ["items"]) == {"items"}
    assert news.concerned(contracts, []) == set()


def test_marts_of_a_table_that_was_held_back_are_built_though_the_table_has_not_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They were left out while it was held, and may have missed what their other inputs did."""
    others = [QUIET, replace(QUIET, table="coupons", was_held=True)]
    monkeypatch.setattr(marts.manifest, "read_run", lambda sources, run_id: others)
    monkeypatch.setattr(marts.news, "changed_since", lambda run, last, layers: {"curated.fct_orders"})
    assert marts._changed(RUN, LAST) == {"cleaned.coupons", "curated.fct_orders"}
