"""Versions of recommendations in the lake's own catalog, on a branch of this test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pyiceberg.expressions import AlwaysTrue

from lake.ledger.receipts import Receipt
from lake.platform import catalog
from lake.recommend import make, serve, tables, versions
from lake.recommend.source import Shop
from lake.recommend.versions import Event
from tests.unit.recommend.shops import shop

BASKETS = {customer: [[1, 2, 10 + customer % 3], [1, 10 + customer % 3], [1, 2]] for customer in range(1, 13)}
SHOP = Shop({customer: "" for customer in range(1, 15)}, shop(BASKETS))


@pytest.fixture
def branch(iceberg: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A branch for this test's versions alone; its namespace has the same name."""
    name = f"recommend_{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(tables, "BRANCH", name)
    yield name
    catalog.delete_branch(name)


def test_versions_come_and_go_whole_and_main_stays(branch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "KEPT", 1)
    main = catalog.head()
    for run_id in ("r1", "r2"):
        make.write(Receipt(run_id, f"{run_id}c", "", "", "", "", ""), SHOP)
        # Written and not noted: nobody is shown it.
        assert [one.run_id for one in versions.history()] == ([] if run_id == "r1" else ["r1"])
        versions.note(run_id, f"{run_id}c", Event.published, "", {})
    found = serve.next_basket(4)
    assert found is not None and (found.version.run_id, found.products[0].product_id) == ("r2", 1)
    assert {one.slot for one in serve.next_basket(14).products} == {"start"}  # type: ignore[union-attr]
    # A try that died after it had written is made again.
    make.write(Receipt("r2", "r2c", "", "", "", "", ""), SHOP)
    assert serve.next_basket(4).products == found.products  # type: ignore[union-attr]
    assert make.forget(set(range(1, 15)) - {4}) == 1
    assert serve.next_basket(4) is None and serve.next_basket(5) is not None
    tables.drop_versions(set(versions.servable(versions.history())))
    assert set(tables.rows(tables.NEXT_BASKET, AlwaysTrue(), ("run_id",))["run_id"].to_pylist()) == {"r2"}
    assert set(catalog.tables(branch)) == {f"{branch}.{name}" for name in tables.SCHEMAS}
    assert catalog.head() == main
