"""How the tables of ``cleaned``, ``quarantine``, ``history`` and ``curated`` are laid out, whoever makes them."""

from __future__ import annotations

from collections.abc import Mapping

from lake.layers import built, raw

REASONS = "_reasons"
"""Column of quarantine with the reasons against a row."""

FORMAT_VERSION = "2"

PROPERTIES: Mapping[str, str] = {
    # Row-level changes are written beside the data and merged on reading: an increment costs what it changes, not what
    # the table holds. Data is neither shuffled nor sorted before it is written.
    "write.merge.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.distribution-mode": "none",
    "write.spark.fanout.enabled": "true",
    "write.merge.distribution-mode": "none",
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "1",
    **raw.MERGED_MANIFESTS,
    # Built by nothing yet.
    built.PROPERTY: "",
}
