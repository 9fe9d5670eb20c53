"""What main's tables consist of, by the metadata that the catalog names: no data and no manifest is read.

A table's metadata has another address after each commit, so only that of tables which have changed is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lake.observe import bounds
from lake.observe.metrics import BYTES, FILES, ROWS, Sample
from lake.platform import catalog, storage

NAME = "lake"
READ_AT_ONCE = 4
COUNTED = ("curated", "marts")
"""Layers whose rows are told from here; those of cleaned and quarantine are in the receipts, as the audit counted."""


@dataclass(frozen=True)
class Summary:
    """What the metadata says of a table's current snapshot; nothing is there before the first one.

    Attributes:
        rows: that are not marked as deleted.
    """

    data_files: int = 0
    delete_files: int = 0
    bytes: int = 0
    rows: int = 0


class Files:
    """Remembers what each table consists of, by the address of its metadata."""

    def __init__(self) -> None:
        self._head = ""
        self._known: dict[str, tuple[str, Summary]] = {}

    def collect(self) -> list[Sample]:
        """What main's tables consist of.

        Raises:
            FileNotFoundError: a table's metadata is gone.
            ServiceError: the catalog or the object store is away.
        """
        head = catalog.head()
        if head != self._head:
            found = catalog.contents(f"{catalog.MAIN}@{head}")
            self._known = {name: known for name, known in self._known.items() if found.get(name) == known[0]}
            self._read({name: address for name, address in found.items() if name not in self._known})
            self._head = head
        return list(samples({name: summary for name, (_, summary) in self._known.items()}))

    def _read(self, addresses: Mapping[str, str]) -> None:
        """Read the metadata of some tables. What was read stays known, also where another one cannot be."""

        def one(name: str) -> None:
            self._known[name] = addresses[name], summary(json.loads(storage.get(addresses[name])))

        with ThreadPoolExecutor(READ_AT_ONCE, thread_name_prefix="files") as pool:
            for _ in pool.map(one, addresses):
                pass


def summary(metadata: Mapping[str, Any]) -> Summary:
    """What a document of Iceberg's table metadata says of the current snapshot.

    The totals are the specification's optional fields of a snapshot's summary, which all of our writers keep:
    https://iceberg.apache.org/spec/#optional-snapshot-summary-fields
    """
    current = metadata.get("current-snapshot-id")
    snapshots = {each["snapshot-id"]: each for each in metadata.get("snapshots", ())}
    if current not in snapshots:
        return Summary()
    told = snapshots[current].get("summary", {})

    def total(name: str) -> int:
        return int(told.get(f"total-{name}", 0))

    return Summary(
        data_files=total("data-files"),
        delete_files=total("delete-files"),
        bytes=total("files-size"),
        rows=total("records") - total("position-deletes"),
    )


def samples(tables: Mapping[str, Summary]) -> Iterator[Sample]:
    """What tables come to, by layer.

    Args:
        tables: by qualified name.
    """
    data, deletes, size = Counter[str](), Counter[str](), Counter[str]()
    for name, told in tables.items():
        layer = _layer(name)
        data[layer] += told.data_files
        deletes[layer] += told.delete_files
        size[layer] += told.bytes
    for layer in sorted(data):
        yield FILES(data[layer], layer, "data")
        yield FILES(deletes[layer], layer, "deletes")
        yield BYTES(size[layer], layer)
    rows = {name: told.rows for name, told in tables.items() if _layer(name) in COUNTED}
    shown = bounds.shown(rows)
    yield shown.sample(NAME)
    for name in rows:
        if name in shown.tables:
            yield ROWS(rows[name], *name.split(".", 1))


def _layer(name: str) -> str:
    return name.partition(".")[0]
