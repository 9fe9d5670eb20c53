"""Moves money between accounts in several tables, as fast as it goes, until its standard input is closed.

What all accounts hold together is the same in every state that ever was. Accounts are opened and closed meanwhile, so
rows come and go.

    python transfers.py HOST PORT USER DATABASE SEED [PAUSE_SECONDS] < PIPE
"""

from __future__ import annotations

import os
import random
import select
import sys
from typing import Any

import pymysql
from pymysql.constants import CLIENT

TABLES = [f"accounts_{number}" for number in range(8)]
ACCOUNTS = 50
EACH = 1000
TOTAL = len(TABLES) * ACCOUNTS * EACH


BATCH = 10
"""Transactions that travel to the server at once: less waiting, more commits a second."""


def transfer(dice: random.Random, new: int) -> list[str]:
    """One transaction: from one account to another one, to a new one, or all that is left when it is closed."""
    giving, taking = dice.sample(TABLES, 2)
    account, other, amount = dice.randrange(ACCOUNTS), dice.randrange(ACCOUNTS), dice.randrange(1, 9)
    kind = dice.random()
    if kind < 0.1:
        changes = [
            f"UPDATE {giving} SET held = held - {amount} WHERE id = {account}",
            f"INSERT INTO {taking} VALUES ({new}, {amount})",
        ]
    elif kind < 0.2:
        changes = [
            f"SELECT MIN(id), SUM(held) INTO @closed, @left FROM "
            f"(SELECT id, held FROM {giving} WHERE id >= {ACCOUNTS} ORDER BY id LIMIT 1 FOR UPDATE) AS oldest",
            f"DELETE FROM {giving} WHERE id = @closed",
            f"UPDATE {taking} SET held = held + COALESCE(@left, 0) WHERE id = {other}",
        ]
    else:
        changes = [
            f"UPDATE {giving} SET held = held - {amount} WHERE id = {account}",
            f"UPDATE {taking} SET held = held + {amount} WHERE id = {other}",
        ]
    return ["BEGIN", *changes, "COMMIT"]


def committed(cursor: Any, statements: list[str]) -> int:
    """Run a batch; how many transactions came to their end before one met a deadlock with another writer."""
    done = 0
    try:
        cursor.execute("; ".join(statements))
        done = 1
        while cursor.nextset():
            done += 1
    except pymysql.err.OperationalError:
        cursor.connection.rollback()
    return statements[:done].count("COMMIT")


def main(host: str, port: str, user: str, database: str, seed: str, pause: str = "0") -> None:
    """Commit until the standard input is closed; print how many transactions were committed."""
    dice = random.Random(int(seed))
    commits, new = 0, ACCOUNTS + int(seed)
    with pymysql.connect(
        host=host, port=int(port), user=user, password=os.environ["TRANSFERS_PASSWORD"], database=database,
        client_flag=CLIENT.MULTI_STATEMENTS,
    ) as connection:  # fmt: skip
        while not select.select([sys.stdin], [], [], float(pause))[0]:
            statements = []
            for _ in range(BATCH):
                new += 1000
                statements += transfer(dice, new)
            with connection.cursor() as cursor:
                commits += committed(cursor, statements)
    print(commits)


if __name__ == "__main__":
    main(*sys.argv[1:])
