"""Random writes between runs, whichever way finds them: after every run the lake is equal to the source."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from lake.changes import buckets, compare
from tests.numbers import numbers

CREATE = (
    "CREATE TABLE t (a INT NOT NULL, b VARCHAR(10) COLLATE utf8mb4_unicode_ci NOT NULL, n INT, "
    "at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6), PRIMARY KEY {key})"
)


@pytest.mark.parametrize("key", [("a",), ("a", "b")], ids=["ranges", "hashes"])
@pytest.mark.parametrize("way", ["binlog", "cursor", "sweep"])
def test_the_lake_converges(
    lab: Callable[..., Any], way: str, key: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "SMALLEST", 5)
    monkeypatch.setattr(compare, "KEYS_AT_ONCE", 20)
    monkeypatch.setattr(compare, "ROWS_AT_ONCE", 20)
    contract = {
        "table": "t",
        "key": list(key),
        "cursor": "at",
        "increment": way,
        "columns": {
            "a": {"type": "int", "nullable": False},
            "b": {"type": "varchar(10)", "nullable": False},
            "n": {"type": "int"},
            "at": {"type": "datetime(6)", "nullable": False},
        },
    }
    shop = lab(CREATE.format(key=f"({', '.join(key)})"), contract)
    random = Random(f"{way} {key}")
    kinds = []
    for _ in range(7):
        low = random.randrange(-300, 300)
        shop.do(*(_statement(random, low) for _ in range(6)))
        kinds.append(shop.run().kind)
    assert kinds[0] == "full" and set(kinds[1:]) == {way}


def _statement(random: Random, low: int) -> str:
    many = f"SELECT CAST(seq AS SIGNED) + {random.randrange(-300, 300)}, CONCAT('x', seq % 7), 1 FROM {numbers(1, 60)}"
    span = f"a BETWEEN {low} AND {low + random.choice([0, 3, 40])}"
    first = random.randrange(-300, 300)
    return random.choice(
        [
            f"INSERT IGNORE INTO t (a, b, n) {many}",
            f"INSERT IGNORE INTO t (a, b, n, at) VALUES ({first}, 'old', 1, '2020-01-01')",
            f"UPDATE t SET n = n + 1 WHERE {span}",
            f"DELETE FROM t WHERE {span}",
            f"UPDATE IGNORE t SET a = a + 1000 WHERE {span}",
            f"UPDATE t SET b = UPPER(b) WHERE {span}",
            f"REPLACE INTO t (a, b, n) VALUES ({first}, 'new', 3)",
        ]
    )
