"""The text that LOAD DATA reads."""

from pathlib import Path

import numpy as np
import pandas as pd

from lake.shop import tsv


def written(frame: pd.DataFrame, folder: Path) -> bytes:
    path = folder / "rows.tsv"
    tsv.write(tsv.table(frame), path)
    return path.read_bytes()


def test_each_type_is_written_exactly(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "order_id": np.array([2**53 + 1, 7]),
            "amount": np.array([143, 0]),
            "starts_on": pd.to_datetime(["2026-02-28", "2026-03-01"]),
            "paid_at": np.array(["2026-01-01T00:00:00.000001", "NaT"], dtype="datetime64[us]"),
            "is_active": [True, False],
            "manufacturer_id": pd.array([5, None], dtype="Int64"),
        }
    )
    assert written(frame, tmp_path) == (
        b"9007199254740993\t1.43\t2026-02-28\t2026-01-01 00:00:00.000001\t1\t5\n7\t0.00\t2026-03-01\t\\N\t0\t\\N\n"
    )


def test_null_empty_and_the_letters_of_null_stay_apart(tmp_path: Path) -> None:
    frame = pd.DataFrame({"title": ["a", "b", "c"], "body": [None, "", "\\N"]})
    assert written(frame, tmp_path) == b"a\t\\N\nb\t\nc\t\\\\N\n"


def test_characters_with_a_meaning_are_escaped(tmp_path: Path) -> None:
    frame = pd.DataFrame({"body": ['tab\there\nand\r\0 "so" on 👍🏽 {"a": "\\""}']})
    assert written(frame, tmp_path) == 'tab\\there\\nand\\r\\0 "so" on 👍🏽 {"a": "\\\\""}\n'.encode()


def test_no_rows_make_an_empty_file(tmp_path: Path) -> None:
    assert written(pd.DataFrame({"order_id": np.array([], dtype="int64")}), tmp_path) == b""


def test_a_slice_writes_only_its_rows(tmp_path: Path) -> None:
    rows = tsv.table(pd.DataFrame({"order_id": [1, 2, 3], "body": ["x", None, "z"]}))
    tsv.write(rows.slice(1, 1), tmp_path / "slice.tsv")
    assert (tmp_path / "slice.tsv").read_bytes() == b"2\t\\N\n"
