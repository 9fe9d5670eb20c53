"""Finished chunks of a run that was not finished: what a later try need not read again.

Beside the Parquet file of a chunk stands a small JSON file, written after it, that says which rows it holds and the sum
of their hashes. A later try reads as of another snapshot, so it asks the source for the sum of the same range there:
where it is equal the file is as good as new, and only what differs is read again.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import Any

import mysql_arrow
from pymysql.connections import Connection

from lake.changes.strategy import columns_of
from lake.contracts import Contract
from lake.extract import manifest
from lake.extract.chunks import Chunk
from lake.extract.manifest import Part
from lake.platform import storage
from lake.source.client import fetch
from lake.source.quoting import quote

log = logging.getLogger(__name__)


def write_plan(source: str, contract: Contract, run_id: str, chunks: list[Chunk]) -> list[Chunk]:
    """Keep the ranges of a table for later tries of the run, or take over those that an earlier try has kept."""
    uri = f"{manifest.folder(source, contract.table, run_id)}/plan.json"
    document = {"columns": columns_of(contract), "conditions": [chunk.condition for chunk in chunks]}
    if storage.put_new(uri, json.dumps(document, indent=1).encode(), "application/json"):
        return chunks
    kept = json.loads(storage.get(uri))
    if kept["columns"] != columns_of(contract):
        return chunks
    return [Chunk(number, condition) for number, condition in enumerate(kept["conditions"])]


def write(contract: Contract, part: Part) -> None:
    """Note that a chunk is complete."""
    document = {"columns": columns_of(contract), "part": asdict(part)}
    storage.put(part.uri.removesuffix(".parquet") + ".json", json.dumps(document).encode(), "application/json")


def finished(source: str, contract: Contract, run_id: str) -> dict[str, Part]:
    """Chunks of earlier tries, by their condition; those of another state of the contract are left out."""
    found: dict[str, Part] = {}
    for uri in storage.list_keys(manifest.folder(source, contract.table, run_id)):
        if "/part-" in uri and uri.endswith(".json"):
            document = json.loads(storage.get(uri))
            if document["columns"] == columns_of(contract):
                part = Part(**document["part"])
                found[part.condition] = part
    return found


def holds(connection: Connection[Any], contract: Contract, part: Part) -> bool:
    """Whether a finished chunk is what the source has in its range now, by number and hashes of the rows."""
    where = f" WHERE {part.condition}" if part.condition else ""
    statement = f"SELECT COUNT(*) AS n, {hash_sum(contract)} AS h FROM {quote(contract.name_in_source)}{where}"
    now = fetch(connection, statement)[0]
    same = (int(now["n"]), str(now["h"] or 0)) == (part.rows, part.hash_sum)
    log.info("%s: chunk %s of an earlier try is %s", contract.table, part.uri, "kept" if same else "read again")
    return same


def hash_sum(contract: Contract) -> str:
    """The aggregate of the hashes of a table's rows, as a template of the source's SQL."""
    columns = [(contract.column_in_source(name), column.type) for name, column in contract.columns.items()]
    expression: str = mysql_arrow.hash_expression(columns)
    return expression.replace("%", "%%")
