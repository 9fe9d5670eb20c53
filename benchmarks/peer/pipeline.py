"""The peer: dlt (connectorx) into DuckDB, then the marts with dbt-duckdb, in one process.

Runs in an environment of its own, so nothing of `lake` is imported here. ``PEER_SOURCE`` holds the source's address
(``mysql+pymysql://user:password@host:port/database``), so that no password stands in a command line.

    python pipeline.py full|… STATE_FOLDER RESULT_JSON
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
os.environ.setdefault("DO_NOT_TRACK", "1")

import dlt
import duckdb
from dbt.cli.main import dbtRunner
from dlt.sources.sql_database import sql_table

HERE = Path(__file__).resolve().parent
KEYS = {
    "customers": ["customer_id"],
    "categories": ["category_id"],
    "products": ["product_id"],
    "stores": ["store_id"],
    "orders": ["order_id"],
    "order_items": ["order_item_id"],
    "campaigns": ["campaign_id"],
    "campaign_customers": ["campaign_id", "customer_id"],
    "coupons": ["coupon_upc", "product_id", "campaign_id"],
    "coupon_redemptions": ["redemption_id"],
    "payments": ["payment_id"],
    "refunds": ["refund_id"],
    "shipments": ["shipment_id"],
    "inventory": ["product_id"],
    "reviews": ["review_id"],
    "clickstream": ["event_id"],
}
MARTS = (
    "daily_revenue",
    "product_performance",
    "category_performance",
    "customer_value",
    "cohort_retention",
    "campaign_effect",
    "delivery_times",
)


def load(mode: str, state: Path, database: Path) -> None:
    """Bring all tables of the shop into DuckDB's schema ``shop``: whole (mode `full`), or what changed since
    the last load (any other)."""
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(state / "dlt"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="shop",
    )
    tables = [
        sql_table(
            os.environ["PEER_SOURCE"],
            table=table,
            backend="connectorx",
            reflection_level="full_with_precision",
            incremental=dlt.sources.incremental("updated_at"),
            primary_key=key,
            write_disposition="replace" if mode == "full" else "merge",
        )
        for table, key in KEYS.items()
    ]
    pipeline.run(tables).raise_on_failed_jobs()


def build(state: Path, database: Path) -> None:
    """Build and test the marts; raises when a model or a test fails."""
    os.environ["PEER_DUCKDB"] = str(database)
    folders = ["--project-dir", str(HERE / "dbt"), "--profiles-dir", str(HERE / "dbt")]
    written = ["--target-path", str(state / "target"), "--log-path", str(state / "logs")]
    result = dbtRunner().invoke(["--quiet", "build", *folders, *written])
    if not result.success:
        raise SystemExit(f"dbt build failed: {result.exception or 'see the lines above'}")


def figures(database: Path) -> dict[str, object]:
    """Revenue of the daily mart, as exact text, its units, and the rows of every mart."""
    with duckdb.connect(str(database)) as connection:
        total = "SELECT CAST(sum(revenue) AS VARCHAR), CAST(sum(units) AS BIGINT) FROM marts.daily_revenue"
        revenue, units = connection.execute(total).fetchall()[0]
        rows = {mart: connection.execute(f"SELECT count(*) FROM marts.{mart}").fetchall()[0][0] for mart in MARTS}
    return {"revenue": revenue, "units": units, "mart_rows": rows}


def main(mode: str, state: Path, answer: Path) -> None:
    """One run; its seconds per step go into the JSON file ``answer``."""
    if mode == "full":
        shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True, exist_ok=True)
    database = state / "peer.duckdb"
    begun = time.monotonic()
    load(mode, state, database)
    loaded = time.monotonic()
    build(state, database)
    steps = {"dlt": loaded - begun, "dbt": time.monotonic() - loaded}
    answer.write_text(json.dumps({"seconds": steps, **figures(database), "database_bytes": database.stat().st_size}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
