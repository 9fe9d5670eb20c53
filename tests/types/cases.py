"""The values of the matrix: literals as a person would type them into the database.

The numbers behind a case are those of the bad and rare inputs that `docs/types.md` lists.
"""

from __future__ import annotations

from dataclasses import dataclass

CHARACTER_SETS = "SELECT character_set_name FROM information_schema.character_sets ORDER BY 1"
SAMPLE = "'aäßñ€Ωя 中日한😀'"
"""Something for every character set; what a set does not have the server replaces by ? when it is written."""


@dataclass(frozen=True)
class Case:
    """A column, and the values that its rows have.

    Attributes:
        type: its definition.
        values: SQL expressions; NULL is among every column's values without being named. None: the column makes them.
        lossy: the server may change a value while it is written, as MySQL does without a strict mode.
    """

    name: str
    type: str
    values: tuple[str, ...]
    lossy: bool = False


def _case(name: str, column: str, *values: str) -> Case:
    return Case(name, column, values)


def _fractions(name: str, column: str, whole: str, fraction: str) -> list[Case]:
    """A temporal type with 0 to 6 digits of a fraction."""
    return [
        _case(f"{name}_{digits}", f"{column}({digits})", f"'{whole}{('.' + fraction[:digits]) if digits else ''}'")
        for digits in range(7)
    ]


DENORMAL = "4.9406564584124654e-324"
EXACT: list[Case] = [
    _case("tinyint", "TINYINT", "-128", "0", "127"),
    _case("tinyint_unsigned", "TINYINT UNSIGNED", "0", "255"),
    _case("tinyint_1", "TINYINT(1)", "2", "-1", "0", "1"),  # 17
    _case("is_flag", "TINYINT(1)", "0", "1"),
    _case("id_below_2_63", "BIGINT UNSIGNED", "9223372036854775807", "0"),
    _case("smallint", "SMALLINT", "-32768", "32767"),
    _case("smallint_unsigned", "SMALLINT UNSIGNED", "65535"),
    _case("mediumint", "MEDIUMINT", "-8388608", "8388607"),
    _case("mediumint_unsigned", "MEDIUMINT UNSIGNED", "16777215"),
    _case("int_", "INT", "-2147483648", "2147483647"),
    _case("int_unsigned", "INT UNSIGNED", "4294967295"),
    _case("int_zerofill", "INT(8) UNSIGNED ZEROFILL", "42", "123456789"),
    _case("bigint", "BIGINT", "-9223372036854775808", "9223372036854775807"),
    _case("bigint_unsigned", "BIGINT UNSIGNED", "18446744073709551615", "9223372036854775808", "0"),  # 11
    _case("bit_1", "BIT(1)", "b'0'", "b'1'"),  # 18
    _case("bit_31", "BIT(31)", "0x7FFFFFFF"),
    _case("bit_32", "BIT(32)", "0xFFFFFFFF"),
    _case("bit_63", "BIT(63)", "0x7FFFFFFFFFFFFFFF"),
    _case("bit_64", "BIT(64)", "0xFFFFFFFFFFFFFFFF", "0x8000000000000000", "b'1'"),  # 18
    _case("decimal_12_2", "DECIMAL(12,2)", "-9999999999.99", "0.01", "-0.00"),
    _case("decimal_38_0", "DECIMAL(38,0)", "9" * 38, "-" + "9" * 38),
    _case("decimal_38_30", "DECIMAL(38,30)", "-99999999." + "9" * 30, "0." + "0" * 29 + "1"),
    _case("decimal_zerofill", "DECIMAL(10,2) ZEROFILL", "1.50"),
    _case("decimal_39_0", "DECIMAL(39,0)", "9" * 39, "0"),
    _case("decimal_65_30", "DECIMAL(65,30)", "9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1", "0"),  # 14
    _case("float_", "FLOAT", "-0e0", "1.401298464324817e-45", "3.4028234663852886e38", "0.1", "16777215"),  # 15
    _case("float_7_3", "FLOAT(7,3)", "1234.567"),
    _case("double_", "DOUBLE", "-0e0", DENORMAL, "1e308", "-1.7976931348623157e308", "0.1e0 + 0.2e0"),  # 15, 16
    _case("double_16_4", "DOUBLE(16,4)", "123456789.1234"),
    _case(
        "date_", "DATE", "'0001-01-01'", "'1582-10-04'", "'1582-10-10'", "'1899-12-31'", "'1969-12-31'",
        "'2000-02-29'", "'9999-12-31'",
    ),
    _case("datetime", "DATETIME", "'0001-01-01 00:00:00'", "'1582-10-10 12:00:00'", "'1969-12-31 23:59:59'"),  # 5
    *_fractions("datetime", "DATETIME", "9999-12-31 23:59:59", "999999"),  # 6
    _case("timestamp", "TIMESTAMP NULL", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"),
    *_fractions("timestamp", "TIMESTAMP", "2021-03-28 01:30:00", "120001"),
    _case("time", "TIME", "'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"),  # 8
    *_fractions("time", "TIME", "-838:59:58", "999999"),
    _case("time_beyond_a_day", "TIME(6)", "'24:00:00.000001'", "'-00:00:00.000001'"),  # 9
    _case("year", "YEAR", "0", "1901", "2155"),  # 10
    _case("char_padded", "CHAR(5)", "'a  '", "''", "' b'"),  # 22, 23
    _case("varchar_blanks", "VARCHAR(20)", "'a  '", "''", "'NULL'", "'a\\tb\\r\\n'"),  # 22, 23
    _case("varchar_emoji", "VARCHAR(20)", "'😀'", "'e\u0301👩‍👩‍👧'"),  # 24
    _case(
        "varchar_rare", "VARCHAR(60)", "CONCAT('a', CHAR(0), 'b')", "_utf8mb4 0xEFBFBF", "_utf8mb4 0xF48FBFBF",  # 28
        # As bounds of a file's values these have to be cut and rounded up, which must not fail on them.
        "REPEAT(_utf8mb4 0xF48FBFBF, 20)", "CONCAT(REPEAT('a', 15), REPEAT(_utf8mb4 0xED9FBF, 5))",
    ),
    _case("varchar_utf8mb3", "VARCHAR(20) CHARACTER SET utf8mb3", "'ä€中'"),
    _case("latin1_all", "VARCHAR(40) CHARACTER SET latin1", f"_latin1 0x{bytes(range(128, 160)).hex()}"),  # 25
    _case("latin1_mojibake", "VARCHAR(20) CHARACTER SET latin1", "_latin1 0xC3A4F09F9880"),  # 26
    _case("tinytext_", "TINYTEXT", "'x'", "''"),
    _case("text_", "TEXT", "REPEAT('ä', 30000)"),
    _case("mediumtext_", "MEDIUMTEXT", "REPEAT('😀', 30000)"),
    _case("longtext_", "LONGTEXT", "REPEAT('ab', 100000)", "CONCAT(REPEAT('[', 100), REPEAT(']', 100))"),  # 19
    _case("json_", "JSON", "'{\"a\": 1, \"a\": 9007199254740993}'", "'null'", "'\"null\"'", "'[1.0]'"),  # 19
    _case("binary_4", "BINARY(4)", "'a'", "0x00FF00FF"),
    _case("varbinary_", "VARBINARY(20)", "'text'", "''", "0x00FFFE"),  # 29
    _case("tinyblob_", "TINYBLOB", "0xFF"),
    _case("blob_", "BLOB", "REPEAT(0x00, 60000)"),
    _case("mediumblob_", "MEDIUMBLOB", "0xC3"),
    _case("longblob_", "LONGBLOB", "REPEAT(0xFF, 70000)", "''"),
    _case("enum_", "ENUM('a','it''s','b\\\\c','')", "'a'", "'it''s'", "'b\\\\c'", "''"),
    _case("enum_emoji", "ENUM('a','😀')", "'😀'"),
    _case("set_", "SET('a','b','it''s')", "'a,b'", "''", "'it''s'"),  # 21
    _case("geometry_", "GEOMETRY", "ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('LINESTRING(0 0,1 -1)')"),
    _case("point_", "POINT", "ST_GeomFromText('POINT(-0.5 1e10)')"),  # 30
    _case("polygon_", "POLYGON", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326)"),
    _case("collection_", "GEOMETRYCOLLECTION", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')"),
    _case("made_virtual", "INT AS (id * 2) VIRTUAL"),  # 31
    _case("made_stored", "VARCHAR(20) AS (CONCAT('row ', id)) STORED"),  # 31
    _case("unseen", "INT DEFAULT 9 INVISIBLE"),  # 32
]  # fmt: skip

MARIADB: list[Case] = [
    _case("uuid_", "UUID", "'123e4567-e89b-12d3-a456-426655440000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
    _case("inet4_", "INET4", "'255.0.0.1'", "'0.0.0.0'"),
    _case("inet6_", "INET6", "'::1'", "'2001:db8::ff00:42:8329'", "'::ffff:192.0.2.1'"),
    _case("compressed_", "TEXT COMPRESSED", "REPEAT('ä', 1000)"),
    _case("decimal_38_38", "DECIMAL(38,38)", "0." + "9" * 38),  # MySQL has 30 decimals at most
    _case("json_huge", "JSON", "'[1.0, 1e400]'"),  # MySQL holds numbers as doubles
]


def in_every_character_set(names: list[str]) -> list[Case]:
    """One column a character set."""
    return [
        Case(f"in_{name}", f"VARCHAR(60) CHARACTER SET {name}", (SAMPLE,), lossy=True)
        for name in names
        if name != "binary"
    ]


# -- what cannot be held: a row each, in which all but one value are ordinary

ORDINARY = {
    "d": "'2021-01-01'",
    "at": "'2021-01-01 10:00:00'",
    "at_3": "'2021-01-01 10:00:00.125'",
    "seen": "'2021-01-01 10:00:00'",
    "t": "'text'",
    "u": "'ucs2'",
    "is_on": "1",
    "n": "9223372036854775807",
    "e": "'a'",
}
BAD_COLUMNS = {
    "d": "DATE",
    "at": "DATETIME NOT NULL",
    "at_3": "DATETIME(3)",
    "seen": "TIMESTAMP NULL",
    "t": "VARCHAR(20)",
    "u": "VARCHAR(20) CHARACTER SET ucs2",
    "is_on": "TINYINT(1)",
    "n": "BIGINT UNSIGNED",
    "e": "ENUM('a','b')",
}


@dataclass(frozen=True)
class Bad:
    """A value that no type of the lake can hold, or no rule of the contract allows.

    Attributes:
        problem: what the reader tells of it; nothing where the value can be held and only a rule refuses it.
    """

    column: str
    value: str
    problem: str | None


BAD: list[Bad] = [
    Bad("d", "'0000-00-00'", "d: '0000-00-00' is no date"),  # 1
    Bad("d", "'2021-00-00'", "d: '2021-00-00' is no date"),  # 2
    Bad("d", "'2021-02-00'", "d: '2021-02-00' is no date"),  # 3
    Bad("d", "'2021-02-31'", "d: '2021-02-31' is no date"),
    Bad("at", "'0000-00-00 00:00:00'", "at: '0000-00-00 00:00:00' is no date and time"),  # 4
    Bad("at_3", "'2021-00-10 01:02:03.5'", "at_3: '2021-00-10 01:02:03.500' is no date and time"),
    Bad("seen", "'0000-00-00 00:00:00'", "seen: '0000-00-00 00:00:00' is no date and time"),
    Bad("t", "0x61EDA08062", "t: 0x61EDA08062 is no text"),  # 27
    Bad("u", "_ucs2 0xD83DDE00", "u: 0xEDA0BDEDB880 is no text"),  # 27
    Bad("is_on", "2", "is_on: 2 is no bool"),  # 17
    Bad("is_on", "-1", "is_on: -1 is no bool"),  # 17
    Bad("n", "9223372036854775808", "n: 9223372036854775808 is no int64"),  # 11
    Bad("e", "0", None),  # 20
]
