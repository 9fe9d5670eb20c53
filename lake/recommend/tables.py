"""The tables of recommendations, on a branch of their own: a new version moves no commit of main.

``lake sql --branch recommend "select * from recommend.next_basket"`` reads them as any branch. The rows of a version
count once `VERSIONS` has a row that says so, which is written last: a version is there whole or not at all.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import BooleanExpression, EqualTo, In
from pyiceberg.table import Table

from lake.contracts.types import INSTANT
from lake.ledger import ops

BRANCH = "recommend"

NEXT_BASKET, TOGETHER, POPULAR, VERSIONS = "next_basket", "bought_together", "popular", "versions"

SCHEMAS = {
    NEXT_BASKET: pa.schema(
        [
            ("run_id", pa.string()), ("lake_commit", pa.string()), ("customer_id", pa.int64()), ("slot", pa.string()),
            ("rank", pa.int32()), ("product_id", pa.int64()), ("score", pa.float64()), ("baskets", pa.int32()),
            ("of_baskets", pa.int32()), ("last_bought_date", pa.date32()), ("like_you", pa.int32()),
        ]
    ),
    TOGETHER: pa.schema(
        [
            ("run_id", pa.string()), ("lake_commit", pa.string()), ("product_id", pa.int64()), ("rank", pa.int32()),
            ("other_product_id", pa.int64()), ("baskets", pa.int32()), ("support", pa.float64()),
            ("confidence", pa.float64()), ("lift", pa.float64()),
        ]
    ),
    POPULAR: pa.schema(
        [
            ("run_id", pa.string()), ("lake_commit", pa.string()), ("segment", pa.string()), ("rank", pa.int32()),
            ("product_id", pa.int64()),
        ]
    ),
    VERSIONS: pa.schema(
        [
            ("at", INSTANT), ("run_id", pa.string()), ("lake_commit", pa.string()), ("event", pa.string()),
            ("reason", pa.string()), ("card", pa.string()),
        ]
    ),
}  # fmt: skip
"""``next_basket``: a row a product shown; of ``of_baskets`` baskets it was in ``baskets``, the last time on
``last_bought_date``, and ``like_you`` of the customers who are most like this one have bought it.
``popular``: for those who have bought nothing yet. ``versions``: what became of versions, a row an event."""

AT_ONCE = 500
"""Ids in one condition."""


def rows(name: str, where: BooleanExpression, columns: tuple[str, ...] = ("*",)) -> pa.Table:
    """Rows of a table; none where there is no table yet."""
    table = ops.find(name, BRANCH)
    if table is None:
        return SCHEMAS[name].empty_table()
    return table.scan(where, selected_fields=columns).to_arrow()


@ops.beside_others
def replace(name: str, run_id: str, content: pa.Table) -> None:
    """Let a version have these rows of a table and no others, whatever a try before has left."""
    table = _made(name)
    if table.scan(EqualTo("run_id", run_id), selected_fields=("run_id",), limit=1).to_arrow().num_rows:
        table.delete(EqualTo("run_id", run_id))
    table.append(content)


@ops.beside_others
def append(content: pa.Table, name: str = VERSIONS) -> None:
    """Add rows to a table, unless it has them; rows of one event have one instant."""
    table, at = _made(name), content["at"][0].as_py().isoformat()
    if not table.scan(EqualTo("at", at), selected_fields=("at",), limit=1).to_arrow().num_rows:
        table.append(content)


@ops.beside_others
def drop_versions(kept: set[str]) -> None:
    """Remove the rows of all versions but these."""
    for name in (NEXT_BASKET, TOGETHER, POPULAR):
        table = ops.find(name, BRANCH)
        if table is None:
            continue
        have = set(pc.unique(table.scan(selected_fields=("run_id",)).to_arrow()["run_id"]).to_pylist())
        if gone := sorted(have - kept):
            table.delete(In("run_id", gone))


@ops.beside_others
def drop_customers(customers: set[int]) -> int:
    """Remove the rows of all but these customers, in every version; how many customers were removed."""
    table = ops.find(NEXT_BASKET, BRANCH)
    if table is None:
        return 0
    have = pc.unique(table.scan(selected_fields=("customer_id",)).to_arrow()["customer_id"]).to_pylist()
    gone = sorted(set(have) - customers)
    for start in range(0, len(gone), AT_ONCE):
        table.delete(In("customer_id", gone[start : start + AT_ONCE]))
    return len(gone)


def _made(name: str) -> Table:
    return ops.table(name, SCHEMAS[name], BRANCH)
