"""Parquet files: the same rows as the stream's, appended constants, nothing left behind by a failure."""

from __future__ import annotations

import io
from pathlib import Path

import mysql_arrow
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import Reader, execute


@pytest.fixture
def filled(connection):
    """Twelve thousand rows in `t`: a key, a column of few values, one of many, one with NULL."""
    execute(
        connection,
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, few VARCHAR(9), many VARCHAR(40), amount DECIMAL(12,2))",
        "INSERT INTO t (few, many, amount) VALUES ('a', UUID(), 1.5), ('b', UUID(), NULL), ('c', UUID(), -0.01)",
        *["INSERT INTO t (few, many, amount) SELECT few, UUID(), amount FROM t"] * 12,
    )
    return connection


SQL = "SELECT * FROM t ORDER BY id"


def test_the_rows_are_the_streams(filled, reader: Reader, protocol: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    stream = reader.query(filled, SQL, protocol=protocol, rows_per_batch=1000, hashes=True)
    assert stream.write_parquet(path) == stream.stats.rows == 12_288
    assert pq.read_table(path).equals(reader.table(filled, SQL))
    assert [file.name for file in tmp_path.iterdir()] == ["t.parquet"]
    assert stream.hash_sum > 0


def test_dictionaries_and_statistics(filled, tmp_path: Path) -> None:
    if not mysql_arrow.NATIVE:
        pytest.skip("missing part: the extension is not built")
    path = tmp_path / "t.parquet"
    mysql_arrow.query(filled, SQL).write_parquet(path, level=3, row_group_rows=5000)
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(at).num_rows for at in range(3)] == [5000, 5000, 2288]
    columns = [metadata.row_group(0).column(at) for at in range(4)]
    dictionaries = ["RLE_DICTIONARY" in column.encodings for column in columns]
    assert dictionaries == [False, True, False, True]
    assert columns[0].statistics.max == 5000 or columns[0].statistics.has_min_max
    packed = ["DELTA_BINARY_PACKED" in column.encodings for column in columns]
    assert packed == [True, False, False, False]
    assert [column.compression for column in columns] == ["UNCOMPRESSED", "ZSTD", "ZSTD", "ZSTD"]
    mysql_arrow.query(filled, SQL).write_parquet(path, delta=False)
    assert {pq.read_metadata(path).row_group(0).column(at).compression for at in range(4)} == {"ZSTD"}
    mysql_arrow.query(filled, SQL).write_parquet(path, dictionary=["many"], level=0)
    columns = [pq.read_metadata(path).row_group(0).column(at) for at in range(4)]
    assert ["RLE_DICTIONARY" in column.encodings for column in columns] == [False, False, True, False]


@pytest.mark.parametrize("first", [0, 2**31 - 6000, 2**63 - 6000, 2**64 - 100_000])
def test_packed_integers_at_their_ends(filled, reader: Reader, tmp_path: Path, first: int) -> None:
    path = tmp_path / "t.parquet"
    columns = (
        f"CAST(id AS UNSIGNED) + {first} AS a",
        f"CAST({first // 2} - id AS SIGNED) AS b",
        "CAST(id % 100 - 50 AS SIGNED) AS c",
        "CAST(IF(id % 3, NULL, (id + 7) / 8) AS DECIMAL(18,4)) AS d",
        "CAST('2024-01-01' AS DATETIME(6)) + INTERVAL id SECOND AS e",
        "CAST('1969-12-31' AS DATE) + INTERVAL id DAY AS f",
    )
    sql = f"SELECT {', '.join(columns)} FROM t ORDER BY id"
    reader.query(filled, sql).write_parquet(path)
    assert pq.read_table(path).equals(reader.table(filled, sql))


def test_constants(filled, reader: Reader, tmp_path: Path) -> None:
    constants = {"_run_id": pa.array(["r1"]), "_at": pa.array([5], pa.timestamp("us", tz="UTC")), "_n": pa.nulls(1)}
    constants["_n"] = constants["_n"].cast(pa.string())
    path = tmp_path / "t.parquet"
    reader.query(filled, SQL, rows_per_batch=5000).write_parquet(path, constants=constants)
    table = pq.read_table(path)
    assert table.schema.names[-3:] == ["_run_id", "_at", "_n"]
    assert table["_run_id"].unique().to_pylist() == ["r1"]
    assert table["_at"].type == pa.timestamp("us", tz="UTC")
    assert table["_n"].null_count == table.num_rows == 12_288
    with pytest.raises(ValueError, match="not one value"):
        reader.query(filled, SQL).write_parquet(path, constants={"x": pa.array([1, 2])})


def test_a_file_object(filled, reader: Reader) -> None:
    out = io.BytesIO()
    reader.query(filled, SQL).write_parquet(out)
    assert pq.read_table(io.BytesIO(out.getvalue())).num_rows == 12_288


def test_a_file_object_that_fails(filled, reader: Reader) -> None:
    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        reader.query(filled, SQL).write_parquet(Full())


def test_nothing_is_left_of_a_failed_read(filled, reader: Reader, tmp_path: Path) -> None:
    schema = pa.schema(
        [("id", pa.int8()), ("few", pa.string()), ("many", pa.string()), ("amount", pa.decimal128(12, 2))]
    )
    with pytest.raises(mysql_arrow.ValueRefused):
        reader.query(filled, SQL, schema=schema, rows_per_batch=10).write_parquet(tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_no_rows(connection, reader: Reader, protocol: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    sql = "SELECT 1 AS a, 'x' AS b FROM DUAL LIMIT 0"
    assert reader.query(connection, sql, protocol=protocol).write_parquet(path) == 0
    table = pq.read_table(path)
    assert (table.num_rows, table.schema.names) == (0, ["a", "b"])


def test_field_metadata_is_kept(connection, reader: Reader, tmp_path: Path) -> None:
    field = pa.field("a", pa.int64(), metadata={"PARQUET:field_id": "7"})
    path = tmp_path / "t.parquet"
    reader.query(connection, "SELECT 1 AS a", schema=pa.schema([field])).write_parquet(path)
    assert pq.read_schema(path).field("a").metadata[b"PARQUET:field_id"] == b"7"
