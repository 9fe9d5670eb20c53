"""A database of hundreds of tables, as real shops have them: most of them small, of 5 to 120 columns, of every type.

Everything follows from the number of tables: the same number makes the same schema and the same rows everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.servers import DATABASE, Server, numbers

NAME = "many"
"""Of the database, and of the source."""

SEED = 11
LARGE_SHARE = 0.1
ROWS_A_TABLE = 3_000
"""On average; nearly all of them are in the large tables."""

SMALL_ROWS = 1_000
"""A small table has fewer."""

NARROWEST, WIDEST, WIDEST_LARGE = 5, 120, 30
REFERENCES = 0.3
"""Share of the tables that point at another."""

BROKEN_EVERY = 50
"""One table in so many has an ENUM with wrong values in it, whose rows end in quarantine."""

LOADED_AT_ONCE = 2

# Type, and its value in row n. Every value is what both servers take without a warning; SHA2, because newer MySQL has
# no MD5.
TYPES = {
    "tinyint": "n % 100",
    "smallint unsigned": "n % 60000",
    "int": "n * 7919 % 1000003 - 500000",
    "int unsigned": "n * 104729 % 4000000000",
    "bigint": "n * 1000000007",
    "bigint unsigned": "n * 10000000019",
    "decimal(12,2)": "(n * 104729 % 10000000) / 100",
    "decimal(30,10)": "n * 31 % 10007 / 7",
    "float": "n % 977 / 8",
    "double": "n * 31 % 10007 / 7",
    "date": "'2015-01-01' + INTERVAL n % 4000 DAY",
    "datetime": "'2020-01-01' + INTERVAL n * 17 % 100000000 SECOND",
    "datetime(6)": "'2020-01-01' + INTERVAL n * 7919 % 1000000 MICROSECOND",
    "time": "SEC_TO_TIME(n * 61 % 86400)",
    "year": "1990 + n % 40",
    "bit(8)": "n % 256",
    "char(2)": "ELT(1 + n % 4, 'de', 'fr', 'it', 'at')",
    "varchar(40)": "CONCAT('value ', n % 977)",
    "varchar(255)": "LEFT(SHA2(n, 256), 20 + n % 40)",
    "text": "REPEAT('text ', n % 12)",
    "json": "CONCAT('{\"n\": ', n, '}')",
    "enum('new','paid','sent')": "ELT(1 + n % 3, 'new', 'paid', 'sent')",
    "set('a','b','c')": "ELT(1 + n % 3, '', 'a', 'b,c')",
    "varbinary(16)": "UNHEX(LEFT(SHA2(n, 256), 32))",
    "blob": "UNHEX(SHA2(n, 256))",
}


@dataclass(frozen=True)
class Planned:
    """A table of the database.

    Attributes:
        columns: name -> definition, without the key and what points at another table.
        values: name -> the value in row n, in the source's SQL.
        parent: the table that it points at; empty for none.
    """

    name: str
    rows: int
    columns: dict[str, str]
    values: dict[str, str]
    parent: str

    @property
    def is_large(self) -> bool:
        """Whether it is one of the few that hold nearly all rows."""
        return self.rows >= SMALL_ROWS

    def create(self) -> str:
        """The statement that makes it."""
        lines = ["id BIGINT NOT NULL PRIMARY KEY", *(f"`{name}` {kind}" for name, kind in self.columns.items())]
        if self.parent:
            lines.append(f"FOREIGN KEY (parent_id) REFERENCES {self.parent} (id)")
        return f"CREATE TABLE {self.name} ({', '.join(lines)}) ENGINE=InnoDB"

    def fill(self) -> str:
        """The statement that fills it."""
        names, values = ", ".join(f"`{name}`" for name in self.values), ", ".join(self.values.values())
        places = max(1, len(str(self.rows - 1)))
        return (
            f"INSERT INTO {self.name} (id, {names}) SELECT n + 1, {values} FROM {numbers(places)} WHERE n < {self.rows}"
        )


def plan(tables: int) -> list[Planned]:
    """The tables of a database of so many."""
    chance = random.Random(SEED)
    large = max(1, round(tables * LARGE_SHARE))
    small_rows = [int(SMALL_ROWS * chance.random() ** 2) for _ in range(tables - large)]
    weights = [1 / (place + 4) for place in range(large)]
    left = ROWS_A_TABLE * tables - sum(small_rows) - large * SMALL_ROWS
    large_rows = [SMALL_ROWS + round(left * weight / sum(weights)) for weight in weights]
    sizes = [*small_rows, *large_rows]
    chance.shuffle(sizes)
    widths = {sizes.index(min(sizes)): WIDEST, sizes.index(max(sizes)): NARROWEST}
    planned: list[Planned] = []
    for number, rows in enumerate(sizes):
        widest = WIDEST if rows < SMALL_ROWS else WIDEST_LARGE
        width = widths.get(number, NARROWEST + int((widest + 1 - NARROWEST) * chance.random() ** 3))
        possible = [each for each in planned if each.rows]
        parent = chance.choice(possible) if possible and chance.random() < REFERENCES else None
        planned.append(_planned(f"t_{number:04d}", rows, width, parent, number, chance))
    return planned


def _planned(name: str, rows: int, width: int, parent: Planned | None, number: int, chance: random.Random) -> Planned:
    """A table of some width, key included."""
    columns: dict[str, str] = {}
    values: dict[str, str] = {}
    if parent:
        columns["parent_id"], values["parent_id"] = "BIGINT", f"1 + n % {parent.rows}"
    if number % 3 == 0:
        columns["updated_at"] = "TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"
        values["updated_at"] = "'2024-01-01' + INTERVAL n % 10000000 SECOND"
    if number % BROKEN_EVERY == 0:
        columns["state"] = "ENUM('open','closed') NOT NULL"
        values["state"] = "IF(n % 100 = 7, 'wrong', 'open')"
    for place in range(width - 1 - len(columns)):
        kind = chance.choice(list(TYPES))
        filled = chance.random() < 0.5
        columns[f"c{place:03d}"] = f"{kind} NOT NULL" if filled else kind
        values[f"c{place:03d}"] = TYPES[kind] if filled else f"IF(n % 7 = 3, NULL, {TYPES[kind]})"
    return Planned(name, rows, columns, values, parent.name if parent else "")


def make(server: Server, planned: list[Planned]) -> None:
    """Make the database and fill it."""
    server.do(
        f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4",
        # The rows' numbers are made of it, and it must not be one of the tables that are read.
        f"CREATE VIEW {NAME}.digit AS SELECT n FROM {DATABASE}.digit",
    )
    with server.connect(NAME) as connection, connection.cursor() as cursor:
        for table in planned:
            cursor.execute(table.create())
    by_size = sorted(planned, key=lambda table: table.rows, reverse=True)
    with ThreadPoolExecutor(LOADED_AT_ONCE) as pool:
        list(
            pool.map(lambda tables: _fill(server, tables), (by_size[i::LOADED_AT_ONCE] for i in range(LOADED_AT_ONCE)))
        )


def _fill(server: Server, tables: list[Planned]) -> None:
    with server.connect(NAME) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in tables:
            if table.rows:
                cursor.execute(table.fill())


def change(server: Server, planned: list[Planned], tables: int, turn: int = 0) -> dict[str, int]:
    """Change some rows of some tables, of large ones too; how many rows of each.

    Args:
        turn: how often that was done before, so that each time changes something.
    """
    changed = {}
    with server.connect(NAME) as connection, connection.cursor() as cursor:
        for table, column, value in _changes(planned, tables, turn):
            changed[table.name] = cursor.execute(f"UPDATE {table.name} SET {column} = {value} WHERE id <= 20")
    return changed


def _changes(planned: list[Planned], tables: int, turn: int) -> Iterator[tuple[Planned, str, str]]:
    """The largest table, and small ones that have a text to be changed."""
    texts = [
        (table, next((name for name, kind in table.columns.items() if kind.startswith("varchar(255)")), ""))
        for table in sorted(planned, key=lambda table: table.rows, reverse=True)
        if table.rows >= 100
    ]
    usable = [(table, column) for table, column in texts if column]
    for table, column in [usable[0], *usable[-tables + 1 :]][:tables]:
        yield table, column, f"CONCAT('changed {turn} ', id)"
