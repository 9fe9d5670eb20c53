"""Every type and every bad or rare value: equal to the byte in landing, raw and cleaned, or handled by its policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import mysql_arrow
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema

from lake.commands.add_table import add_tables
from lake.contracts import load_all, type_table
from lake.errors import SourceError
from lake.extract.extract import Request, extract
from lake.layers import raw
from lake.platform import sql, storage
from lake.source import sources
from tests.types.cases import BAD, EXACT, MARIADB, Bad
from tests.types.conftest import Matrix, landed
from tests.types.tables import INSTANTS, LARGE_BYTES, LATE, SMALL, WIDTH, exact_cases

pytestmark = pytest.mark.both_servers
"""Each case costs little; what costs is that the types were loaded, once for all cases of a server."""

NAMES = [case.name for case in [*EXACT, *MARIADB]]
LAYERS = ("raw", "cleaned")


def _column(rows: list[dict[str, str | None]], name: str) -> dict[str, str | None]:
    return {str(row["id"]): row[name] for row in rows}


@pytest.fixture(scope="module")
def in_source(matrix: Matrix) -> list[dict[str, str | None]]:
    """The table `exact` as the server prints it."""
    return matrix.in_source("exact")


@pytest.mark.parametrize("name", NAMES)
def test_values_are_equal_to_the_byte(matrix: Matrix, in_source: list[dict[str, str | None]], name: str) -> None:
    if name not in matrix.contracts["exact"].columns:
        pytest.skip("the server has no such type")
    (case,) = [case for case in [*EXACT, *MARIADB] if case.name == name]
    expected = _column(in_source, name)
    assert sum(value is not None for value in expected.values()) >= max(len(case.values), 1)
    for layer in LAYERS:
        assert _column(matrix.in_lake(layer, "exact"), name) == expected


def test_every_character_set(matrix: Matrix, in_source: list[dict[str, str | None]]) -> None:
    with matrix.connection.cursor() as cursor:
        names = [case.name for case in exact_cases(cursor) if case.name.startswith("in_")]
    assert len(names) >= 30
    for name in names:
        assert _column(in_source, name)["0"]
        for layer in LAYERS:
            assert (name, _column(matrix.in_lake(layer, "exact"), name)) == (name, _column(in_source, name))


@pytest.mark.parametrize("table", [*SMALL, "wide"])
def test_tables_are_equal_to_the_byte(matrix: Matrix, table: str) -> None:
    expected = matrix.in_source(table)
    assert len(expected) == (len(SMALL[table][1]) if table in SMALL else 1)
    for layer in LAYERS:
        assert matrix.in_lake(layer, table) == expected


def test_a_thousand_columns(matrix: Matrix) -> None:
    (row,) = matrix.in_lake("cleaned", "wide")
    assert list(row.values()) == ["1", *(None if number % 3 == 0 else str(number) for number in range(1, WIDTH))]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_column_that_is_null_throughout_the_first_batch(matrix: Matrix, layer: str) -> None:
    totals = f"SELECT count(*), count(note), sum(id) FROM {layer}.late"
    assert sql.query(totals, matrix.run.branch)[1] == [[LATE, 3, LATE * (LATE + 1) // 2]]
    late = sql.query(f"SELECT id, note, price FROM {layer}.late WHERE note IS NOT NULL ORDER BY 1", matrix.run.branch)
    assert late[1] == [[number, "late", Decimal("0.01")] for number in range(LATE - 2, LATE + 1)]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_row_above_16_mb(matrix: Matrix, layer: str) -> None:
    expected = matrix.ask(
        "SELECT id, LENGTH(body), UPPER(SHA2(body, 256)), UPPER(SHA2(data, 256)) FROM large ORDER BY 1"
    )
    assert expected[0][1] == LARGE_BYTES
    digests = "to_hex(sha256(to_utf8(body))), to_hex(sha256(data))"
    found = sql.query(f"SELECT id, length(body), {digests} FROM {layer}.large ORDER BY 1", matrix.run.branch)[1]
    assert [tuple(row) for row in found] == expected


def test_instants_do_not_depend_on_the_zone_of_who_wrote_them(matrix: Matrix) -> None:
    """Neither the hour that the clocks leave out nor the one that they show twice; a DATETIME stays what it shows."""
    printed = matrix.ask("SELECT UNIX_TIMESTAMP(at), CAST(wall AS CHAR) FROM instants ORDER BY id")
    expected = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at * 10**6)), wall) for at, wall in printed
    ]
    first, second = expected[4][0], expected[5][0]
    assert (INSTANTS[4][1], second - first) == (INSTANTS[5][1], timedelta(hours=1))
    for layer in LAYERS:
        rows = sql.query(f"SELECT at, wall FROM {layer}.instants ORDER BY id", matrix.run.branch)[1]
        assert [(at, f"{wall:%Y-%m-%d %H:%M:%S.%f}") for at, wall in rows] == expected


def test_a_geometry_is_its_srid_and_its_wkb(matrix: Matrix) -> None:
    # MySQL alone turns the axes of geographic systems round, unless it is asked not to.
    order = "" if "mariadb" in str(matrix.ask("SELECT VERSION()")).lower() else ", 'axis-order=long-lat'"
    expected = matrix.ask(
        f"SELECT ST_SRID(geometry_), HEX(ST_AsBinary(geometry_{order})) FROM exact WHERE geometry_ IS NOT NULL"
    )
    parts = "from_big_endian_32(reverse(substr(geometry_, 1, 4))), to_hex(substr(geometry_, 5))"
    found = sql.query(f"SELECT {parts} FROM cleaned.exact WHERE geometry_ IS NOT NULL", matrix.run.branch)[1]
    assert {srid for srid, _ in expected} == {0, 4326}
    assert sorted(tuple(row) for row in found) == sorted(expected)


# -- values that cannot be held


@pytest.mark.parametrize(("row", "bad"), list(enumerate(BAD, 1)), ids=[f"{bad.column}={bad.value}" for bad in BAD])
def test_a_bad_value_is_quarantined_with_its_reason(matrix: Matrix, row: int, bad: Bad) -> None:
    if bad.column == "t" and not matrix.keeps_bad_text:
        pytest.skip("the server stores no text that is none")
    reason = f"unreadable:{bad.column}" if bad.problem else f"not_accepted:{bad.column}"
    found = sql.rows(f"SELECT * FROM quarantine.bad WHERE id = {row}", matrix.run.branch)
    assert [(item["_reasons"], item["_problems"]) for item in found] == [([reason], bad.problem)]
    (good,) = sql.rows("SELECT * FROM cleaned.bad WHERE id = 0", matrix.run.branch)
    kept = {name: good[name] for name in matrix.contracts["bad"].columns if name not in ("id", bad.column)}
    assert {name: found[0][name] for name in kept} == kept
    assert found[0][bad.column] == (None if bad.problem else "")
    assert sql.rows(f"SELECT id FROM cleaned.bad WHERE id = {row}", matrix.run.branch) == []


def test_valid_and_quarantined_rows_are_those_that_were_read(matrix: Matrix) -> None:
    if not matrix.keeps_bad_text:
        pytest.skip("the server stores no text that is none, so one of these rows is good there")
    outcome = matrix.outcomes["bad"]
    assert (outcome.judged, outcome.valid, outcome.refused) == (len(BAD) + 3, 2, len(BAD) + 1)
    assert outcome.judged == matrix.manifests["bad"].source_rows
    (all_bad,) = sql.rows(f"SELECT * FROM quarantine.bad WHERE id = {len(BAD) + 1}", matrix.run.branch)
    columns = ["d", "at", "at_3", "seen", "is_on", "n", "t", "u"]
    assert all_bad["_reasons"] == ["not_accepted:e", *(f"unreadable:{column}" for column in columns)]
    assert [problem.split(": ")[0] for problem in all_bad["_problems"].split("; ")] == columns
    assert [table for table, outcome in matrix.outcomes.items() if outcome.refused] == ["bad", "bad_null"]


def test_the_contract_can_ask_for_null_which_is_counted(matrix: Matrix) -> None:
    """Only the ENUM's wrong value, which can be held, is still refused."""
    if not matrix.keeps_bad_text:
        pytest.skip("the server stores no text that is none, so one of these rows is good there")
    assert matrix.manifests["bad"].nulled == {}
    columns = [bad.column for bad in BAD if bad.problem]
    assert matrix.manifests["bad_null"].nulled == {column: columns.count(column) + 1 for column in columns}
    refused = sql.rows("SELECT id, _reasons, _problems FROM quarantine.bad_null ORDER BY 1", matrix.run.branch)
    rows = [len(BAD), len(BAD) + 1]
    assert refused == [{"id": row, "_reasons": ["not_accepted:e"], "_problems": None} for row in rows]
    for row, bad in enumerate(BAD[:-1], 1):
        (found,) = sql.rows(f"SELECT * FROM cleaned.bad_null WHERE id = {row}", matrix.run.branch)
        nulls = [name for name in matrix.contracts["bad_null"].columns if found[name] is None]
        assert nulls == [bad.column]


@pytest.mark.parametrize("decoder", ["native", "plain"])
def test_the_contract_can_refuse(matrix: Matrix, monkeypatch: pytest.MonkeyPatch, decoder: str) -> None:
    from tests.types.conftest import plainly

    if not matrix.keeps_bad_text:
        pytest.skip("the server stores no text that is none")
    if decoder == "plain":
        monkeypatch.setattr(mysql_arrow, "query", plainly)
    drafted = matrix.contracts["bad"].model_dump(by_alias=True)
    drafted["columns"]["t"]["unreadable"] = "refuse"
    contract = type(matrix.contracts["bad"]).model_validate(drafted)
    with pytest.raises(SourceError, match=r"bad\.t: column t: 0x61EDA08062 is no string.*\n.*unreadable: quarantine"):
        extract(sources.shop(), [Request(contract)], f"{matrix.run.run_id}_refuse_{decoder}")


def test_a_key_that_cannot_be_read_is_refused(matrix: Matrix) -> None:
    """Two rows with the keys 0000-00-00 and 2021-00-00 would both be NULL."""
    matrix.ask("SET SESSION sql_mode = ''")
    matrix.ask("CREATE TABLE zero_key (day DATE PRIMARY KEY)")
    matrix.ask("INSERT INTO zero_key VALUES ('0000-00-00'), ('2021-00-00')")
    add_tables(["zero_key"], source_name=matrix.run.run_id)
    with pytest.raises(SourceError, match=r"zero_key\.day: column day: '0000-00-00' is no date"):
        contract = load_all([matrix.run.run_id])["zero_key"]
        extract(sources.shop(), [Request(contract)], f"{matrix.run.run_id}_key")


def test_a_cursor_that_is_never_a_date_is_no_watermark(matrix: Matrix) -> None:
    matrix.ask("SET SESSION sql_mode = ''")
    moves = "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
    matrix.ask(f"CREATE TABLE zero_cursor (id INT PRIMARY KEY, updated_at {moves})")
    matrix.ask("INSERT INTO zero_cursor VALUES (1, 0)")
    add_tables(["zero_cursor"], source_name=matrix.run.run_id)
    contract = load_all([matrix.run.run_id])["zero_cursor"]
    assert contract.cursor == "updated_at"
    (manifest,) = extract(sources.shop(), [Request(contract)], f"{matrix.run.run_id}_cursor")
    assert manifest.watermark is None
    told = landed(manifest).select(["updated_at", "_problems"]).to_pylist()
    assert told == [{"updated_at": None, "_problems": "updated_at: '0000-00-00 00:00:00' is no date and time"}]


# -- the decoders, the types, the document


def test_both_decoders_land_the_same(matrix: Matrix) -> None:
    if not mysql_arrow.NATIVE:
        pytest.skip("missing part: the extension is not built, both extractions were plain")
    for table, manifest in matrix.manifests.items():
        assert (table, manifest.rows, manifest.nulled) == (table, matrix.plain[table].rows, matrix.plain[table].nulled)
        if manifest.rows:
            assert (table, landed(manifest)) == (table, landed(matrix.plain[table]))


def test_drafts_remark_on_decimals_beyond_38_digits(matrix: Matrix) -> None:
    from lake.settings import settings

    drafted = (settings().contracts / settings().source_name / "exact.yml").read_text()
    lines = {line.split(":")[0].strip(): line for line in drafted.splitlines()}
    for name in ("decimal_39_0", "decimal_65_30"):
        assert lines[name].endswith("# has more than 38 digits: exact text in the lake, not a number")
    assert "#" not in lines.get("decimal_38_38", "")  # MySQL has 30 decimals at most


@pytest.mark.parametrize("name", NAMES)
def test_types_are_as_documented_in_every_engine(matrix: Matrix, engines: dict[str, dict[str, str]], name: str) -> None:
    contract = matrix.contracts["exact"]
    if name not in contract.columns:
        pytest.skip("the server has no such type")
    arrow, parquet, iceberg, trino = type_table.names(contract.columns[name].parsed.arrow)
    documented = {"landing": parquet, "landing in Arrow": arrow, "raw": iceberg, "cleaned": iceberg}
    documented |= {"raw in Trino": trino.replace(", ", ","), "cleaned in Trino": trino.replace(", ", ",")}
    assert {engine: columns[name] for engine, columns in engines.items()} == documented


def test_only_what_is_refused_carries_problems_and_reasons(matrix: Matrix) -> None:
    extra = {}
    for layer in (*LAYERS, "quarantine"):
        table = raw.find(matrix.run.branch, layer, "bad")
        assert table is not None
        names = {field.name for field in table.schema().fields}
        extra[layer] = names - set(matrix.contracts["bad"].columns) - {"_run_id", "_extracted_at"}
    assert extra == {"raw": {"_operation", "_problems"}, "cleaned": set(), "quarantine": {"_problems", "_reasons"}}


@pytest.fixture(scope="module")
def engines(matrix: Matrix) -> dict[str, dict[str, str]]:
    """The types of the table `exact` as each engine tells them."""
    (part,) = matrix.manifests["exact"].parts
    file = pq.ParquetFile(storage.filesystem().open_input_file(storage.path_of(part.uri)))
    found = {
        "landing": {column.name: _parquet(column) for column in file.schema},
        "landing in Arrow": {field.name: str(field.type) for field in file.schema_arrow},
    }
    for layer in LAYERS:
        table = raw.find(matrix.run.branch, layer, "exact")
        assert table is not None
        schema: Schema = table.schema()
        found[layer] = {field.name: str(field.field_type) for field in schema.fields}
        described = sql.query(f"DESCRIBE {layer}.exact", matrix.run.branch)[1]
        found[f"{layer} in Trino"] = {row[0]: row[1] for row in described}
    return found


def _parquet(column: Any) -> str:
    """A column's type in a Parquet file: what it means, or how it is stored where it means no more."""
    meaning = column.logical_type
    if meaning.type == "DECIMAL":
        return f"DECIMAL({column.precision}, {column.scale})"
    if meaning.type == "TIMESTAMP":
        assert "isAdjustedToUTC=true" in str(meaning)
        assert "timeUnit=microseconds" in str(meaning)
        return "TIMESTAMP (µs, UTC)"
    return str(column.physical_type) if meaning.type == "NONE" else str(meaning.type)


@pytest.mark.parametrize("layer", ["cleaned", "quarantine"])
def test_small_tables_are_taken_in_as_spark_would(matrix: Matrix, layer: str) -> None:
    for table in matrix.contracts:
        found, by_spark = (raw.find(run.branch, layer, table) for run in (matrix.run, matrix.by_spark))
        assert found is not None and by_spark is not None
        assert str(found.schema()) == str(by_spark.schema()), table
        # As text, because 0.0 == -0.0.
        rows = (sorted(map(repr, each.scan().to_arrow().to_pylist())) for each in (found, by_spark))
        assert next(rows) == next(rows), table
