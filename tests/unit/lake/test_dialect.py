"""Servers that do not run here, by the answers that they gave: MySQL 8.0 and 8.4, whose words are others than 9.7's."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest

from lake.source import dialect, foreign_keys, mysql
from lake.source.detection import detect
from lake.source.dialect import Replication
from lake.source.mariadb import MariaDb
from lake.source.mysql import MySql
from lake.source.position import Position

UNKNOWN = pymysql.err.ProgrammingError(1064, "You have an error in your SQL syntax")
DENIED = pymysql.err.OperationalError(1227, "Access denied; you need (at least one of) the SUPER, … privilege(s)")
SID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"

STATUS = {
    "File": "binlog.000002", "Position": 1317, "Binlog_Do_DB": "", "Binlog_Ignore_DB": "",
    "Executed_Gtid_Set": f"{SID}:1-5",
}  # fmt: skip
REPLICA = {
    "Replica_IO_Running": "Yes", "Replica_SQL_Running": "No", "Seconds_Behind_Source": None, "Last_IO_Error": "",
    "Last_SQL_Error": "Worker 1 failed executing transaction", "Replica_SQL_Running_State": "",
}  # fmt: skip
SLAVE = {
    "Slave_IO_Running": "Yes", "Slave_SQL_Running": "Yes", "Seconds_Behind_Master": 7, "Last_IO_Error": "",
    "Last_SQL_Error": "", "Slave_SQL_Running_State": "Slave has read all relay log",
}  # fmt: skip


class Recorded:
    """A connection that answers as a server did, and refuses what it was not asked then."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def cursor(self) -> Recorded:
        return self

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, *exception: object) -> None: ...

    def execute(self, statement: str, parameters: Any) -> None:
        self.asked.append(statement)
        self.answer = next((rows for start, rows in self.answers.items() if statement.startswith(start)), UNKNOWN)
        if isinstance(self.answer, Exception):
            raise self.answer

    def fetchall(self) -> list[Any]:
        return list(self.answer)


def _variables(**values: str) -> list[dict[str, str]]:
    return [{"Variable_name": name, "Value": value} for name, value in values.items()]


V8_0 = {
    "SHOW GLOBAL VARIABLES": _variables(
        server_uuid=SID, server_id="1", log_bin="ON", gtid_mode="ON", log_slave_updates="ON", log_replica_updates="ON",
        read_only="OFF", super_read_only="OFF", binlog_format="ROW",
    ),
    "SHOW MASTER STATUS": [STATUS],
    "SHOW REPLICA STATUS": [REPLICA],
    "SELECT @@GLOBAL.gtid_executed": [{"gtid": f"{SID}:1-5"}],
}  # fmt: skip
V8_0_OF_2019 = {**V8_0, "SHOW REPLICA STATUS": UNKNOWN, "SHOW SLAVE STATUS": [SLAVE]}
V8_4 = {**V8_0, "SHOW MASTER STATUS": UNKNOWN, "SHOW BINARY LOG STATUS": [STATUS]}


@pytest.mark.parametrize("answers", [V8_0, V8_0_OF_2019, V8_4], ids=["8.0", "8.0.19", "8.4"])
def test_mysql_is_found_out_by_its_answers(answers: dict[str, Any]) -> None:
    connection: Any = Recorded(answers)
    spoken = detect(connection)
    assert (type(spoken), spoken.identity, spoken.tells_cascades) == (MySql, SID, False)
    before = spoken.start_before(connection)
    assert spoken.places(connection, before) == (Position(SID, f"{SID}:1-5"), Position(SID, "", "binlog.000002", 1317))
    assert not any("VERSION()" in statement for statement in connection.asked)


def test_the_state_of_a_replica_in_old_words_and_in_new_ones() -> None:
    new: Any = Recorded(V8_4)
    assert detect(new).replication(new) == [
        Replication(True, False, "Worker 1 failed executing transaction", None, is_receiving=True)
    ]
    old: Any = Recorded(V8_0_OF_2019)
    assert detect(old).replication(old) == [Replication(False, True, "", 7.0, is_receiving=True)]
    denied: Any = Recorded({**V8_4, "SHOW REPLICA STATUS": DENIED})
    assert detect(denied).replication(denied) is None


@pytest.mark.parametrize(
    ("gtids", "count"),
    [
        ("", 0),
        (f"{SID}:1", 1),
        (f"{SID}:1-5:8:11-12", 8),
        (f"{SID}:1-5,\n{SID[:-1]}3:1-1000000", 1_000_005),
        (f"{SID}:1-2:backup:7-9:x1:4", 6),  # with tags, of MySQL 8.3
    ],
)
def test_transactions_of_a_set_are_counted(gtids: str, count: int) -> None:
    assert MySql({}).transactions(gtids) == count


def test_what_is_not_applied_is_what_the_server_has_left() -> None:
    connection: Any = Recorded({"SELECT GTID_SUBTRACT(%s, @@GLOBAL.gtid_executed)": [{"missing": f"{SID}:6-9"}]})
    assert MySql({}).not_applied(connection, f"{SID}:1-9") == 4


def test_mariadb_numbers_transactions_in_each_domain() -> None:
    assert [MariaDb({}).transactions(gtids) for gtids in ("", "0-1-270", "0-1-270,7-2-30")] == [0, 270, 300]
    for applied, left in (("0-1-260", 40), ("0-2-270,7-2-29", 1), ("0-1-300,7-2-30,9-1-1", 0), (None, 300)):
        connection: Any = Recorded({"SELECT @@GLOBAL.gtid_slave_pos": [{"applied": applied}]})
        assert MariaDb({}).not_applied(connection, "0-1-270,7-2-30") == left, applied


def test_an_applier_is_held_in_old_words_and_in_new_ones() -> None:
    for word in ("REPLICA", "SLAVE"):
        connection: Any = Recorded({f"STOP {word} SQL_THREAD": [], f"START {word} SQL_THREAD": []})
        MySql({}).stop_applier(connection)
        MySql({}).start_applier(connection)
        assert connection.asked[-1] == f"START {word} SQL_THREAD"


@pytest.mark.parametrize(
    ("spoken", "document", "rows"),
    [
        (MySql, '{"query_block": {"select_id": 1, "cost_info": {"query_cost": "19.28"}, "table": {"table_name": "t", '
                '"access_type": "range", "rows_examined_per_scan": 95, "rows_produced_per_join": 31}}}', 95),
        (MySql, '{"query_block": {"select_id": 1, "message": "no matching row in const table"}}', 0),
        (MySql, '{"query_plan": {"inputs": [{"operation": "Index range scan on t", "estimated_rows": 95.4}], '
                '"operation": "Filter: (t.a < 100)", "estimated_rows": 31.0}, "json_schema_version": "2.0"}', 95),
        (MySql, '{"query_plan": {"operation": "Zero rows", "access_type": "zero_rows", "estimated_rows": 0.0}}', 0),
        (MariaDb, '{"query_block": {"select_id": 1, "nested_loop": [{"table": {"access_type": "range", "rows": 95, '
                  '"filtered": 33}}]}}', 95),
        (MariaDb, '{"query_block": {"select_id": 1, "table": {"access_type": "range", "rows": 95}}}', 95),
        (MariaDb, '{"query_block": {"select_id": 1, "table": {"message": "Impossible WHERE noticed"}}}', 0),
    ],
    ids=["first", "first, none", "second", "second, none", "MariaDB 11.4", "MariaDB 10.11", "MariaDB, none"],
)  # fmt: skip
def test_the_rows_of_a_plan(spoken: type[dialect.Dialect], document: str, rows: int) -> None:
    connection: Any = Recorded({"EXPLAIN FORMAT=JSON SELECT": [{"EXPLAIN": document}]})
    assert spoken({}).estimated_rows(connection, "SELECT 1 FROM t") == rows


REPORT = """
------------
TRANSACTIONS
------------
Trx id counter 132775
Purge done for trx's n:o < 132672 undo n:o < 0 state: running but idle
LIST OF TRANSACTIONS FOR EACH SESSION:
---TRANSACTION 376150802997984, not started
0 lock struct(s), heap size 1128, 0 row lock(s)
---TRANSACTION 132774, ACTIVE 0 sec
---TRANSACTION 132773, ACTIVE (PREPARED) 4 sec
---TRANSACTION 132770, COMMITTED IN MEMORY
---TRANSACTION 132769, not started
---TRANSACTION 376150802990712, ACTIVE 9 sec
"""


def test_what_innodb_reports_of_its_transactions() -> None:
    found = mysql.engine(REPORT)
    assert found is not None
    assert (found.next, found.open, found.active) == (132775, {132774, 132773, 132770}, {132774, 132773})
    assert mysql.engine(REPORT + "... truncated...") is None


def test_only_a_table_that_is_gone_has_no_foreign_keys() -> None:
    gone: Any = Recorded({"SHOW CREATE TABLE": pymysql.err.ProgrammingError(1146, "Table 'shop.t' doesn't exist")})
    assert foreign_keys.actions(gone, ["t"]) == {}
    for error in (
        pymysql.err.OperationalError(1142, "SHOW command denied to user"),
        pymysql.err.OperationalError(1194, "Table 't' is marked as crashed"),
        pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"),
    ):
        broken: Any = Recorded({"SHOW CREATE TABLE": error})
        with pytest.raises(pymysql.err.MySQLError):
            foreign_keys.actions(broken, ["t"])
