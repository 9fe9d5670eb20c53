"""The tables of the matrix: made by plain SQL, so that nothing of ours stands between the literals and the server."""

from __future__ import annotations

from typing import Any

from lake.contracts import Contract
from tests.numbers import numbers
from tests.types.cases import (
    BAD,
    BAD_COLUMNS,
    CHARACTER_SETS,
    EXACT,
    MARIADB,
    ORDINARY,
    Case,
    in_every_character_set,
)

STRICT = "SET SESSION sql_mode = 'STRICT_ALL_TABLES'"
"""A literal that the type does not take is an error of the test."""
LAX = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'"
ZONE = "Lake/Test"

SMALL = {
    # An unsigned key above 2^63, sparse and with 0 (12, 37); one that is negative and 0 (13); a composite one whose
    # text is compared without case and blanks (34, 35); a table without rows (38).
    "unsigned_key": (
        "id BIGINT UNSIGNED PRIMARY KEY, note VARCHAR(9)",
        ["0, 'zero'", "1, 'a'", "2, NULL", f"{10**18}, ''", f"{2**63}, 'b'", f"{2**63 + 1}, 'c'", f"{2**64 - 1}, 'd'"],
    ),
    "signed_key": ("id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(9)", ["-2147483648, 'a'", "-1, 'b'", "0, 'c'"]),
    "text_key": (
        "code VARCHAR(20), day DATE, part SMALLINT UNSIGNED, note VARCHAR(9), PRIMARY KEY (code, day, part)",
        [f"{code}, '{day}', {part}, 'x'" for code, day, part in [
            ("'a'", "2021-01-01", 1), ("'A '", "2021-01-01", 2), ("'A'", "9999-12-31", 65535), ("''", "0001-01-01", 0),
            ("'😀'", "2021-01-01", 1),
        ]],
    ),
    # A unique index that lets NULL in is no key (36): the table has none, and two of its rows are the same (33, 45).
    "null_key": ("id INT UNIQUE, note VARCHAR(9)", ["NULL, 'a'", "NULL, 'a'", "1, NULL", "2, ''"]),
    "empty": ("id INT PRIMARY KEY, note TEXT, price DECIMAL(10,2)", []),
}  # fmt: skip

WIDTH = 1_000
LATE = 70_000
"""More rows than a batch has (44)."""
LARGE_BYTES = 10_000_000
"""Of each of two values: their row needs two packets, and no more than the server's own `max_allowed_packet` (39)."""

INSTANTS = [
    # The zone of the session that writes, and what it writes. The zone's clocks go from 2 to 3 on 28 March 2021, and
    # from 3 back to 2 on 31 October (7).
    (ZONE, "2021-03-28 01:59:59.999999"),
    (ZONE, "2021-03-28 02:30:00"),
    (ZONE, "2021-03-28 03:00:00"),
    (ZONE, "2021-10-31 02:30:00"),
    ("+02:00", "2021-10-31 02:30:00"),
    ("+01:00", "2021-10-31 02:30:00"),
    ("-11:30", "2021-06-01 12:00:00.000001"),
    ("+13:00", "2021-06-01 12:00:00"),
]


def make(connection: Any) -> list[str]:
    """Make all tables; their names."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        for name, (columns, rows) in SMALL.items():
            cursor.execute(f"CREATE TABLE `{name}` ({columns})")
            for row in rows:
                cursor.execute(f"INSERT INTO `{name}` VALUES ({row})")
        _exact(cursor)
        _instants(cursor)
        _bad(cursor)
        _wide(cursor)
        cursor.execute("CREATE TABLE late (id INT PRIMARY KEY, note VARCHAR(20), price DECIMAL(10,2))")
        cursor.execute(f"INSERT INTO late SELECT seq, NULL, NULL FROM {numbers(1, LATE)}")
        cursor.execute(f"UPDATE late SET note = 'late', price = 0.01 WHERE id > {LATE - 3}")
        cursor.execute("CREATE TABLE large (id INT PRIMARY KEY, body LONGTEXT, data LONGBLOB)")
        cursor.execute(f"INSERT INTO large VALUES (1, REPEAT('x', {LARGE_BYTES}), REPEAT(0xFF, {LARGE_BYTES}))")
        cursor.execute("INSERT INTO large VALUES (2, 'y', NULL)")
    return [*SMALL, "exact", "instants", "bad", "bad_null", "wide", "late", "large"]


def exact_cases(cursor: Any) -> list[Case]:
    """The columns of the table `exact` on this server."""
    cursor.execute(CHARACTER_SETS)
    sets = [name for (name,) in cursor.fetchall()]
    cursor.execute("SELECT VERSION()")
    more = MARIADB if "MariaDB" in cursor.fetchone()[0] else []
    return [*EXACT, *more, *in_every_character_set(sets)]


def _exact(cursor: Any) -> None:
    """A column a case. In the row after a case's last value, and in those behind, it is NULL."""
    cases = exact_cases(cursor)
    columns = ", ".join(f"`{case.name}` {case.type}" for case in cases)
    cursor.execute(f"CREATE TABLE exact (id INT PRIMARY KEY, {columns})")
    for row in range(max(len(case.values) for case in cases) + 1):
        cursor.execute(f"INSERT INTO exact (id) VALUES ({row})")
    for case in cases:
        cursor.execute(LAX if case.lossy else STRICT)
        for row, value in enumerate(case.values):
            cursor.execute(f"UPDATE exact SET `{case.name}` = {value} WHERE id = {row}")


def _instants(cursor: Any) -> None:
    _remove_zone(cursor)
    cursor.execute("INSERT INTO mysql.time_zone (use_leap_seconds) VALUES ('N')")
    zone = cursor.lastrowid
    cursor.execute("INSERT INTO mysql.time_zone_name VALUES (%s, %s)", (ZONE, zone))
    types = [(zone, 0, 3600, 0, "CET"), (zone, 1, 7200, 1, "CEST")]
    cursor.executemany("INSERT INTO mysql.time_zone_transition_type VALUES (%s, %s, %s, %s, %s)", types)
    transitions = [(zone, 1_616_893_200, 1), (zone, 1_635_642_000, 0)]
    cursor.executemany("INSERT INTO mysql.time_zone_transition VALUES (%s, %s, %s)", transitions)
    cursor.execute(LAX)
    cursor.execute("CREATE TABLE instants (id INT PRIMARY KEY, at TIMESTAMP(6) NULL, wall DATETIME(6))")
    for row, (session, written) in enumerate(INSTANTS):
        cursor.execute(f"SET SESSION time_zone = '{session}'")
        cursor.execute(f"INSERT INTO instants VALUES ({row}, '{written}', '{written}')")
    cursor.execute("SET SESSION time_zone = '+00:00'")
    _remove_zone(cursor)


def _remove_zone(cursor: Any) -> None:
    cursor.execute("SELECT time_zone_id FROM mysql.time_zone_name WHERE name = %s", (ZONE,))
    for (zone,) in cursor.fetchall():
        for table in ("time_zone", "time_zone_name", "time_zone_transition", "time_zone_transition_type"):
            cursor.execute(f"DELETE FROM mysql.{table} WHERE time_zone_id = %s", (zone,))


def _bad(cursor: Any) -> None:
    """Two ordinary rows, a row for each bad value, and one with all of them that go together."""
    cursor.execute(LAX)
    for name in ("bad", "bad_null"):
        columns = ", ".join(f"`{column}` {definition}" for column, definition in BAD_COLUMNS.items())
        cursor.execute(f"CREATE TABLE {name} (id INT PRIMARY KEY, {columns})")
        together = {bad.column: bad.value for bad in reversed(BAD)}
        rows = [ORDINARY, *({**ORDINARY, bad.column: bad.value} for bad in BAD), {**ORDINARY, **together}, ORDINARY]
        for row, values in enumerate(rows):
            cursor.execute(f"INSERT INTO {name} VALUES ({row}, {', '.join(values.values())})")


def _wide(cursor: Any) -> None:
    """A thousand columns with the key (40), every third of them NULL."""
    names = [f"c{number}" for number in range(1, WIDTH)]
    cursor.execute(f"CREATE TABLE wide (id INT PRIMARY KEY, {', '.join(f'{name} INT' for name in names)})")
    values = ["NULL" if number % 3 == 0 else str(number) for number in range(1, WIDTH)]
    cursor.execute(f"INSERT INTO wide VALUES (1, {', '.join(values)})")


def adjusted(contracts: dict[str, Contract]) -> dict[str, Contract]:
    """The drafted contracts, with booleans and signed ids, and one that wants NULL for what cannot be read."""
    drafts = {name: contract.model_dump(by_alias=True) for name, contract in contracts.items()}
    for name, column in (("exact", "is_flag"), ("bad", "is_on"), ("bad_null", "is_on")):
        drafts[name]["columns"][column]["as"] = "boolean"
    for name, column in (("exact", "id_below_2_63"), ("bad", "n"), ("bad_null", "n")):
        drafts[name]["columns"][column]["as"] = "bigint"
    drafts["bad_null"]["columns"]["at"]["nullable"] = True
    drafts["bad_null"]["unreadable"] = "null"
    return {name: Contract.model_validate(draft) for name, draft in drafts.items()}
