"""How tables are dealt out that are written anew."""

from __future__ import annotations

from lake.maintenance import compact
from lake.maintenance.statistics import Need


def need(name: str, size: int) -> Need:
    return Need(name, True, False, False, size)


def test_a_group_is_neither_too_long_nor_too_large() -> None:
    small = [need(f"raw.t{n}", 1) for n in range(compact.TABLES_PER_GROUP + 1)]
    assert [len(group) for group in compact.groups(small)] == [compact.TABLES_PER_GROUP, 1]
    half = compact.BYTES_PER_GROUP // 2
    large = [need("a.a", half), need("a.b", half), need("a.c", 1), need("a.d", 3 * half), need("a.e", 1)]
    assert [[each.table for each in group] for group in compact.groups(large)] == [
        ["a.a", "a.b"],
        ["a.c"],
        ["a.d"],
        ["a.e"],
    ]
    assert list(compact.groups([])) == []


def test_what_each_run_writes_is_a_group_of_its_own() -> None:
    tables = [need("cleaned.orders", 1), need("audit.check_results", 1), need("raw.orders", 1)]
    assert [[each.table for each in group] for group in compact.groups(tables)] == [
        ["audit.check_results"],
        ["cleaned.orders", "raw.orders"],
    ]
