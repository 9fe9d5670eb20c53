"""The README's example does what it says, as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pymysql
import pytest
from support import execute

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_five_lines(connection, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    execute(connection, "CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(9,2))")
    execute(connection, "INSERT INTO orders VALUES (100, 1.5), (101, 2.5), (102, NULL)")
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example and len([line for line in example[1].splitlines() if line]) == 5
    monkeypatch.setattr(pymysql, "connect", lambda **named: connection)
    monkeypatch.chdir(tmp_path)
    exec(compile(example[1], str(README), "exec"), {})
    assert capsys.readouterr().out.startswith("2 Stats(rows=2, ")
    assert pq.read_table("orders.parquet")["id"].to_pylist() == [101, 102]
