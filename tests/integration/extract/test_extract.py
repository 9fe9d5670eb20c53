"""Tries of one run: what was finished is kept where it still holds, and one of them counts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from lake.contracts import Contract
from lake.errors import SourceError
from lake.extract import chunks, extract, landing, manifest, strays
from lake.extract.extract import Request
from lake.extract.manifest import Manifest
from lake.platform import storage
from lake.source.sources import Source
from tests.numbers import numbers

Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def items(run_sql: Sql, contract_of: Callable[[str], Contract], monkeypatch: Any) -> Contract:
    """5,000 rows that are read as several ranges, one after the other."""
    monkeypatch.setattr("lake.extract.pace.BYTES_PER_CHUNK", 64_000)
    monkeypatch.setenv("LAKE_SOURCE_CONNECTIONS", "1")
    run_sql("CREATE TABLE items (id INT PRIMARY KEY, price DECIMAL(12,2) NOT NULL, note VARCHAR(200))")
    run_sql(f"INSERT INTO items SELECT seq, seq / 100, REPEAT('x', 40) FROM {numbers(1, 5000)}")
    run_sql("ANALYZE TABLE items")
    return contract_of("items")


def rows(found: Manifest) -> dict[int, Decimal]:
    """Key and price of every landed row; a key that landed twice is an error."""
    listed: list[tuple[int, Decimal]] = []
    for part in found.parts:
        table = pq.read_table(storage.path_of(part.uri), filesystem=storage.filesystem())
        listed += zip(table["id"].to_pylist(), table["price"].to_pylist(), strict=True)
    assert len({key for key, _ in listed}) == len(listed) == found.rows == found.source_rows
    return dict(listed)


def broken_after(count: int, monkeypatch: Any) -> None:
    """Let the writing of landing files fail after some of them."""
    real, left = landing.write_stream, [count]

    def write(*arguments: Any) -> Any:
        if not left[0]:
            raise SourceError("broken on purpose")
        left[0] -= 1
        return real(*arguments)

    monkeypatch.setattr(landing, "write_stream", write)


def test_a_later_try_reads_only_what_is_missing_or_has_changed(
    items: Contract, origin: Source, run_sql: Sql, monkeypatch: Any
) -> None:
    with monkeypatch.context() as breaking:
        broken_after(3, breaking)
        with pytest.raises(SourceError, match="on purpose"):
            extract.extract(origin, [Request(items)], "r1")
    assert not manifest.is_committed(origin.name, "r1")
    first_try = {uri for uri in storage.list_keys(f"{storage.LANDING}/{origin.name}") if uri.endswith(".parquet")}
    assert len(first_try) == 3
    run_sql("UPDATE items SET price = 777 WHERE id = 2")
    run_sql("DELETE FROM items WHERE id = 5000")
    run_sql("INSERT INTO items VALUES (5001, 1, NULL)")

    (found,) = extract.extract(origin, [Request(items)], "r1")

    expected = {key: Decimal(key) / 100 for key in range(1, 5000)} | {2: Decimal(777), 5001: Decimal(1)}
    assert rows(found) == expected
    kept = first_try & {part.uri for part in found.parts}
    assert len(kept) == 2, "the range with the changed row is read again, the other two are kept"
    removed = strays.remove(origin.name, "r1", [found])
    assert first_try - kept < set(removed)
    left = storage.list_keys(f"{storage.LANDING}/{origin.name}")
    assert sorted(left) == sorted([*(part.uri for part in found.parts), f"{storage.LANDING}/{origin.name}/run=r1.json"])


def test_a_run_that_has_landed_is_not_read_again(items: Contract, origin: Source, run_sql: Sql) -> None:
    (first,) = extract.extract(origin, [Request(items)], "r1")
    run_sql("DELETE FROM items")
    (again,) = extract.extract(origin, [Request(items)], "r1")
    assert again == first


def test_a_try_that_comes_too_late_takes_over_what_counts(
    items: Contract, origin: Source, run_sql: Sql, monkeypatch: Any
) -> None:
    """A try stands still before its last write, another one finishes, then the first wakes up."""
    real = extract._read
    winner: list[Manifest] = []

    def overtaken(*arguments: Any) -> list[Manifest]:
        mine = real(*arguments)
        if not winner:
            run_sql("UPDATE items SET price = 1 WHERE id = 1")
            monkeypatch.setattr(extract, "_read", real)
            winner.extend(extract.extract(origin, [Request(items)], "r1"))
        return mine

    monkeypatch.setattr(extract, "_read", overtaken)
    late = extract.extract(origin, [Request(items)], "r1")

    assert late == winner
    assert rows(late[0])[1] == Decimal(1)


def test_the_hash_sum_is_what_the_source_computes(items: Contract, origin: Source, run_sql: Sql) -> None:
    from lake.extract.checkpoint import hash_sum

    (found,) = extract.extract(origin, [Request(items)], "r1")
    ((expected,),) = run_sql(f"SELECT {hash_sum(items)} FROM items")
    assert len(found.parts) > 3
    assert sum(int(part.hash_sum) for part in found.parts) == expected


def test_rows_of_an_empty_table(origin: Source, run_sql: Sql, contract_of: Callable[[str], Contract]) -> None:
    run_sql("CREATE TABLE nothing (id INT PRIMARY KEY)")
    (found,) = extract.extract(origin, [Request(contract_of("nothing"))], "r1")
    assert (found.parts, found.source_rows) == ([], 0)
    assert chunks.BYTES_PER_CHUNK > 0
