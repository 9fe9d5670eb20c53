"""A database that the lake has never seen, by three commands. The oracle is SQL on both sides."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pymysql
import pytest

from lake import contracts
from lake.platform import sql
from tests.end_to_end.driving import lake

TABLES = (
    "CREATE TABLE `Ärzte & co` (`id no` BIGINT UNSIGNED PRIMARY KEY, `näme` VARCHAR(20), fee DECIMAL(30,10))",
    "CREATE TABLE visits (doctor BIGINT UNSIGNED NOT NULL, day DATE NOT NULL, minutes INT, PRIMARY KEY (doctor, day), "
    "FOREIGN KEY (doctor) REFERENCES `Ärzte & co` (`id no`))",
    "CREATE TABLE notes (text TEXT, at DATETIME(6))",
)
ROWS = (
    "INSERT INTO `Ärzte & co` VALUES (18446744073709551615, 'Größe 😀', 1234567890123456789.0123456789), (2, NULL, -1)",
    "INSERT INTO visits VALUES (18446744073709551615, '2026-02-28', 1), (2, '1999-12-31', NULL)",
    "INSERT INTO notes VALUES ('same', NULL), ('same', NULL), (NULL, '2026-01-01 00:00:00.000001')",
)
CHANGES = (
    "DELETE FROM visits WHERE doctor = 2",
    "UPDATE `Ärzte & co` SET fee = 0.5 WHERE `id no` = 18446744073709551615",
    "DELETE FROM notes WHERE text = 'same' LIMIT 1",
)

pytestmark = pytest.mark.thorough


@pytest.mark.usefixtures("published")
def test_every_table_reaches_cleaned_by_three_commands(
    server: Any, shop_database: tuple[str, int, str, str, str]
) -> None:
    host, port, user, password, name = shop_database
    source = f"clinic_{server.kind}"
    with pymysql.connect(
        host=host, port=port, user=user, password=password, database=name, charset="utf8mb4", autocommit=True
    ) as connection:
        cursor = connection.cursor()
        for statement in (f"ALTER DATABASE {name} CHARACTER SET utf8mb4", *TABLES, *ROWS):
            cursor.execute(statement)

        lake("add-source", f"mysql://{user}:{password}@{host}:{port}/{name}", "--name", source)
        try:
            lake("add-table", "--all")
            lake("run", "--source", source)
            assert_equal(cursor, source)

            for statement in CHANGES:
                cursor.execute(statement)
            named = {contract.name_in_source: table for table, contract in contracts.load_all([source]).items()}
            lake("run", "--table", named["visits"])
            assert _count(named["visits"]) == 1
            assert _count(named["notes"]) == 3, "it was not asked for"
            lake("run")
            assert_equal(cursor, source)
        finally:
            lake("remove-source", source)


def _count(table: str) -> int:
    rows = sql.query(f'SELECT count(*) FROM cleaned."{table}"')[1]
    return int(rows[0][0])


def assert_equal(cursor: pymysql.cursors.Cursor, source: str) -> None:
    """Every row of every table, as often as the source has it."""
    found = contracts.load_all([source])
    assert len(found) == len(TABLES)
    for table, contract in found.items():
        here = sql.query(f'SELECT {", ".join(contract.columns)} FROM cleaned."{table}"')[1]
        columns = ", ".join(f"`{contract.column_in_source(column)}`" for column in contract.columns)
        cursor.execute(f"SELECT {columns} FROM `{contract.name_in_source}`")
        assert Counter(map(_plain, here)) == Counter(map(tuple, cursor.fetchall()))


def _plain(row: list[Any]) -> tuple[Any, ...]:
    return tuple(value.replace(tzinfo=None) if getattr(value, "tzinfo", None) else value for value in row)
