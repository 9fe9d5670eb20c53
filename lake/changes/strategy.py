"""Which way a table's changes are found: the contract's, or the best that table, server and privileges allow.

``binlog``: the server tells every change; nothing is compared. ``cursor``: rows whose cursor moved, and keys compared
in buckets where the contract has rows deleted. ``sweep``: whole rows compared in buckets. ``full``: all rows are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from lake.changes import binlog, buckets
from lake.changes.cursor import Open
from lake.changes.increment import Way
from lake.changes.prepared import Prepared
from lake.contracts import Contract
from lake.source.position import Position
from lake.source.server import Server

RULES_EDITED = "the contract's rules are not those by which its rows were judged"
"""Why a table is read whole whose contract says other rules."""


@dataclass(frozen=True)
class State:
    """What the last published run left for a table's next increment.

    Attributes:
        watermark: greatest cursor in its snapshot, not after its instant.
        open: what was being written when it read.
        position: where the next pass over the binlog starts: everything before it was visible.
        prepared: XA transactions that stand before it in the binlog, and were not decided.
        keys, rows: counts and sums by bucket, of keys and of whole rows; what was not asked for is None.
        columns: the contract's columns as they were read, by `columns_of`.
        rules: `Contract.rules_sha256` by which the rows were judged.
    """

    columns: list[list[str]] = field(default_factory=list)
    rules: str = ""
    watermark: datetime | None = None
    open: Open | None = None
    position: Position | None = None
    prepared: Prepared = field(default_factory=Prepared)
    keys: buckets.Buckets | None = None
    rows: buckets.Buckets | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        parts = {"open": self.open, "position": self.position, "keys": self.keys, "rows": self.rows}
        plain = {name: part.to_json() if part else None for name, part in parts.items()}
        return {
            "columns": self.columns,
            "rules": self.rules,
            "watermark": self.watermark.isoformat() if self.watermark else None,
            "prepared": self.prepared.keys,
            **plain,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> State:
        """The inverse of `to_json`; what is missing is None."""
        return cls(
            columns=value.get("columns", []),
            rules=value.get("rules", ""),
            watermark=datetime.fromisoformat(value["watermark"]) if value.get("watermark") else None,
            open=Open.from_json(value["open"]) if value.get("open") else None,
            position=Position.from_json(value["position"]) if value.get("position") else None,
            prepared=Prepared(value.get("prepared", {})),
            keys=buckets.Buckets.from_json(value["keys"]) if value.get("keys") else None,
            rows=buckets.Buckets.from_json(value["rows"]) if value.get("rows") else None,
        )


@dataclass(frozen=True)
class Plan:
    """How a table is read in this run, and what it leaves for the next.

    Attributes:
        way: how its changes are found; `full` for all of its rows.
        reason: why, in one line for the log and the manifest.
        needs: sums to be left in the state for the next run: `keys`, `rows` or neither.
    """

    way: Way
    reason: str
    needs: buckets.Content | None


def plan(contract: Contract, server: Server, state: State | None, without_binlog: str = "") -> Plan:
    """Choose, from what is known without asking the server anything more.

    Args:
        state: of the last published run; None if there was none, or if everything is to be read anew.
        without_binlog: why this run cannot use the binlog, though the table could; empty for no reason.
    """
    way, reason = _way(contract, server)
    needs = _needs(contract, way)
    if state is None:
        return Plan("full", "nothing was read before", needs)
    if way == "binlog" and without_binlog:
        way, why = _second_best(contract, server)
        reason = f"{without_binlog}; {why}"
    missing = _missing(contract, state, way)
    return Plan("full", f"{reason}, but {missing}", needs) if missing else Plan(way, reason, needs)


def _way(contract: Contract, server: Server) -> tuple[Way, str]:
    """The way that the contract asks for, or the best that is possible."""
    wanted = contract.increment
    if wanted == "full":
        return "full", "the contract says full"
    if wanted == "cursor" or wanted == "sweep":
        return _if_comparable(contract, wanted, f"the contract says {wanted}")
    obstacle = _why_no_binlog(contract, server)
    if not obstacle:
        return "binlog", "the contract says binlog" if wanted == "binlog" else "the binlog tells every change"
    way, reason = _second_best(contract, server)
    return way, f"no binlog, because {obstacle}; {reason}"


def _second_best(contract: Contract, server: Server) -> tuple[Way, str]:
    """The best way without the binlog."""
    actions = server.cascades.get(contract.name_in_source, frozenset())
    if contract.cursor is None:
        return _if_comparable(contract, "sweep", "there is no cursor")
    if "UPDATE" in actions:
        return _if_comparable(contract, "sweep", "a foreign key changes rows and moves no cursor")
    if "DELETE" in actions and contract.deletes == "none":
        return _if_comparable(contract, "sweep", "a foreign key deletes rows, though the contract has none deleted")
    return _if_comparable(contract, "cursor", f"the cursor {contract.cursor} moves with every change")


def _if_comparable(contract: Contract, way: Literal["cursor", "sweep"], reason: str) -> tuple[Way, str]:
    """The way, or `full` where it needs to compare keys that cannot be put into buckets."""
    obstacle = buckets.why_not(contract) if _needs(contract, way) else ""
    return ("full", f"{reason}, but {obstacle}") if obstacle else (way, reason)


def _needs(contract: Contract, way: Way) -> buckets.Content | None:
    if way == "sweep":
        return "rows"
    return "keys" if way == "cursor" and contract.deletes == "keys" else None


def _why_no_binlog(contract: Contract, server: Server) -> str:
    return binlog.why_not() or server.why_no_binlog_for(contract.name_in_source) or binlog.why_not_key(contract)


def _missing(contract: Contract, state: State, way: Way) -> str:
    """What the last run should have left for this way and did not; empty if nothing is missing."""
    if way != "full" and state.columns != columns_of(contract):
        return "the contract's columns are not those of the last run"
    if way != "full" and state.rules != contract.rules_sha256:
        return RULES_EDITED
    if way == "binlog" and state.position is None:
        return "the last run left no binlog position"
    if way == "cursor" and state.watermark is None:
        return "the last run left no watermark"
    if way == "sweep" and (state.rows is None or not state.rows.fits(contract, "rows")):
        return "the last run left no row sums"
    return ""


def columns_of(contract: Contract) -> list[list[str]]:
    """What of a contract must stay the same for increments to add up: the columns as they are read."""
    return [
        [name, contract.column_in_source(name), column.type, column.as_ or ""]
        for name, column in contract.columns.items()
    ] + [["key", *contract.key]]
