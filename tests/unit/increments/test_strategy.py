"""Which way a table's changes are found, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import mysql_arrow
import pytest

from lake.changes.buckets import Bucket, Buckets, _fingerprint
from lake.changes.strategy import State, columns_of, plan
from lake.contracts import Contract
from lake.source import foreign_keys
from lake.source.mariadb import MariaDb
from lake.source.mysql import MySql
from lake.source.position import Position
from lake.source.server import Server

ABLE = Server(
    dialect=MariaDb({"log_bin": "ON", "binlog_format": "ROW", "log_slave_updates": "ON"}),
    privileges=frozenset({"SELECT", "REPLICATION SLAVE", "BINLOG MONITOR"}),
    is_replica=False,
)
UNABLE = replace(ABLE, privileges=frozenset({"SELECT"}))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _contract(cursor: bool = True, key: str = "bigint", **more: Any) -> Contract:
    columns = {"id": {"type": key, "nullable": False}, "at": {"type": "datetime", "nullable": False}}
    common = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys", "key": ["id"], "columns": columns}
    return Contract.model_validate({**common, "table": "t", **({"cursor": "at"} if cursor else {}), **more})


def _state(contract: Contract) -> State:
    return State(
        columns=columns_of(contract),
        rules=contract.rules_sha256,
        watermark=AT,
        position=Position("uid", "0-1-5", "binlog.000001", 4),
        rows=Buckets(_fingerprint(contract, "rows"), 1, [], [Bucket(0, (0,))]),
    )


@pytest.mark.parametrize(
    "contract, server, way, needs, reason",
    [
        (_contract(), ABLE, "binlog", None, "the binlog tells every change"),
        (_contract(), UNABLE, "cursor", "keys", "REPLICATION SLAVE"),
        (_contract(deletes="none"), UNABLE, "cursor", None, "the cursor at moves with every change"),
        (_contract(cursor=False), UNABLE, "sweep", "rows", "there is no cursor"),
        (_contract(cursor=False, key="float"), UNABLE, "full", None, "cannot be put into buckets"),
        (_contract(key="float", deletes="none"), UNABLE, "cursor", None, "the cursor"),
        (_contract(key="enum('a')"), ABLE, "cursor", "keys", "the key id is enum"),
        (_contract(increment="sweep"), ABLE, "sweep", "rows", "the contract says sweep"),
        (_contract(increment="cursor"), ABLE, "cursor", "keys", "the contract says cursor"),
        (_contract(increment="full"), ABLE, "full", None, "the contract says full"),
        (_contract(increment="binlog"), UNABLE, "cursor", "keys", "no binlog, because"),
    ],
)
def test_the_best_way(contract: Contract, server: Server, way: str, needs: str | None, reason: str) -> None:
    found = plan(contract, server, _state(contract))
    assert (found.way, found.needs) == (way, needs)
    assert reason in found.reason


def test_without_the_extension_there_is_no_binlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_arrow, "NATIVE", False)
    found = plan(_contract(), ABLE, _state(_contract()))
    assert found.way == "cursor" and "no binlog, because the reader's extension is missing" in found.reason


def test_a_first_run_reads_everything_and_leaves_what_the_next_one_needs() -> None:
    assert plan(_contract(), UNABLE, None).way == "full"
    assert plan(_contract(), UNABLE, None).needs == "keys"
    assert plan(_contract(cursor=False), UNABLE, None).needs == "rows"


def test_what_the_last_run_did_not_leave_is_missing() -> None:
    contract = _contract()
    assert "no binlog position" in plan(contract, ABLE, replace(_state(contract), position=None)).reason
    assert "no watermark" in plan(contract, UNABLE, replace(_state(contract), watermark=None)).reason
    swept = _contract(increment="sweep")
    assert "no row sums" in plan(swept, ABLE, replace(_state(swept), rows=None)).reason
    other = replace(_state(contract), columns=[])
    found = plan(contract, ABLE, other)
    assert (found.way, found.needs) == ("full", None) and "columns" in found.reason


@pytest.mark.parametrize(
    "edited",
    [
        {"history": True},
        {"unreadable": "null"},
        {"id": {"type": "bigint", "nullable": False, "min": 1}},
        {"id": {"type": "bigint", "nullable": False, "accepted": ["1"]}},
        {"id": {"type": "bigint", "nullable": False, "references": "others.id"}},
        {"at": {"type": "datetime", "nullable": True}},
    ],
)
def test_rows_that_are_held_are_judged_anew_when_a_rule_was_edited(edited: dict[str, Any]) -> None:
    before = _contract()
    columns = {"id": {"type": "bigint", "nullable": False}, "at": {"type": "datetime", "nullable": False}}
    of_table = {name: value for name, value in edited.items() if name not in columns}
    of_columns = {name: value for name, value in edited.items() if name in columns}
    found = plan(_contract(columns=columns | of_columns, **of_table), ABLE, _state(before))
    assert found.way == "full"
    assert "the contract's rules are not those by which its rows were judged" in found.reason


def test_what_is_written_for_people_changes_no_rule() -> None:
    assert plan(_contract(owner="y", description="z"), ABLE, _state(_contract())).way == "binlog"


def test_what_foreign_keys_do_inside_the_engine_is_compared() -> None:
    def with_actions(*actions: str) -> Server:
        return replace(ABLE, cascades={"t": frozenset(actions)})

    contract = _contract()
    assert plan(contract, with_actions("DELETE"), _state(contract)).way == "cursor"
    assert plan(contract, with_actions("UPDATE"), _state(contract)).way == "sweep"
    never = _contract(deletes="none")
    assert plan(never, with_actions("DELETE"), _state(never)).way == "sweep"


@pytest.mark.parametrize(
    "variables, way",
    [
        ({}, "cursor"),  # 8.0 and 8.4 let the engine do it
        ({"innodb_native_foreign_keys": "ON"}, "cursor"),
        ({"innodb_native_foreign_keys": "OFF"}, "binlog"),
    ],
)
def test_what_foreign_keys_do_is_in_the_binlog_of_servers_that_do_it_themselves(
    variables: dict[str, str], way: str
) -> None:
    contract = _contract()
    mysql = MySql({**ABLE.dialect.variables, **variables})
    server = replace(ABLE, dialect=mysql, cascades={"t": frozenset({"DELETE"})})
    assert plan(contract, server, _state(contract)).way == way
    # Seen on 9.7: the primary has the engine do it, and the replica's binlog holds no more than the primary's.
    replica = replace(server, is_replica=True)
    assert plan(contract, replica, _state(contract)).way == "cursor"


def test_a_run_that_cannot_use_the_binlog_takes_the_next_best_and_keeps_the_binlog_for_later() -> None:
    contract = _contract()
    found = plan(contract, ABLE, _state(contract), "more than 5 keys changed")
    assert (found.way, found.needs) == ("cursor", None)
    assert found.reason.startswith("more than 5 keys changed")


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"dialect": MariaDb({"log_bin": "OFF"})}, "log_bin=OFF"),
        ({"dialect": MariaDb({"log_bin": "ON", "binlog_format": "MIXED"})}, "binlog_format=MIXED"),
        ({"dialect": MariaDb({"log_slave_updates": "OFF"}), "is_replica": True}, "log_slave_updates=OFF"),
        ({"dialect": MySql({"log_replica_updates": "OFF"}), "is_replica": True}, "log_replica_updates=OFF"),
        ({"binlog_filters": "shop"}, "filtered"),
        ({"privileges": frozenset({"REPLICATION SLAVE"})}, "BINLOG MONITOR"),
    ],
)
def test_why_a_binlog_does_not_tell_everything(change: dict[str, Any], reason: str) -> None:
    assert ABLE.why_no_binlog() == ""
    assert reason in replace(ABLE, **change).why_no_binlog()


def test_a_state_survives_json() -> None:
    state = _state(_contract())
    assert State.from_json(state.to_json()) == state
    assert State.from_json({}) == State()


@pytest.mark.parametrize(
    "constraint, actions",
    [
        ("CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parents` (`p`)", set()),
        ("CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parents` (`p`) ON DELETE CASCADE", {"DELETE"}),
        ("CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parents` (`p`) ON DELETE SET NULL", {"UPDATE"}),
        ("CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parents` (`p`) ON UPDATE CASCADE", {"UPDATE"}),
        ("CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parents` (`p`) ON DELETE NO ACTION ON UPDATE NO ACTION", set()),
        (
            "CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `parents` (`p`) ON DELETE CASCADE ON UPDATE SET NULL",
            {"DELETE", "UPDATE"},
        ),
        ("`note` varchar(90) COMMENT 'CONSTRAINT FOREIGN KEY ON DELETE CASCADE'", set()),
        ("CONSTRAINT `ON DELETE CASCADE` CHECK (`x` > 1)", set()),
        ("CONSTRAINT `x` FOREIGN KEY (`ON DELETE CASCADE`) REFERENCES `parents` (`p`)", set()),
    ],
)
def test_what_foreign_keys_do_by_themselves(constraint: str, actions: set[str]) -> None:
    definition = f"CREATE TABLE `t` (\n  `p` bigint(20),\n  {constraint}\n) ENGINE=InnoDB"
    assert foreign_keys.of_definition(definition) == actions


def test_a_table_without_a_key_is_read_whole() -> None:
    keyless = _contract(cursor=False, deletes="none").model_copy(update={"key": ()})
    assert plan(keyless, ABLE, _state(_contract())).way == "full"


def test_sums_of_another_hash_are_not_compared() -> None:
    """The fingerprints are those that the last release wrote: rows were summed by MD5, keys by plain CRC32."""
    contract = _contract(increment="sweep")
    by_md5, by_crc32 = (Buckets(text, 1, [], [Bucket(0, (0,))]) for text in ("43f7a8cb33e76920", "b8745be3d186a249"))
    assert not by_md5.fits(contract, "rows")
    assert not by_crc32.fits(contract, "keys")
    found = plan(contract, ABLE, replace(_state(contract), rows=by_md5))
    assert (found.way, found.reason) == ("full", "the contract says sweep, but the last run left no row sums")
