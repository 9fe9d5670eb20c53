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
import time
from typing import Any

import pymysql

TABLES = [f"accounts_{number}" for number in range(8)]
ACCOUNTS = 50
EACH = 1000
TOTAL = len(TABLES) * ACCOUNTS * EACH


def transfer(cursor: Any, dice: random.Random, new: int) -> None:
    """One transaction: from one account to another one, to a new one, or all that is left when it is closed."""
    giving, taking = sorted(dice.sample(TABLES, 2), reverse=dice.random() < 0.5)
    account, other = dice.randrange(ACCOUNTS), dice.randrange(ACCOUNTS)
    kind = dice.random()
    if kind < 0.1:
        cursor.execute(f"UPDATE {giving} SET held = held - 1 WHERE id = %s", (account,))
        cursor.execute(f"INSERT INTO {taking} VALUES (%s, 1)", (new,))
    elif kind < 0.2:
        cursor.execute(f"SELECT id, held FROM {giving} WHERE id >= {ACCOUNTS} ORDER BY id LIMIT 1 FOR UPDATE")
        if row := cursor.fetchone():
            cursor.execute(f"DELETE FROM {giving} WHERE id = %s", row[:1])
            cursor.execute(f"UPDATE {taking} SET held = held + %s WHERE id = %s", (row[1], other))
    else:
        amount = dice.randrange(1, 9)
        cursor.execute(f"UPDATE {giving} SET held = held - %s WHERE id = %s", (amount, account))
        cursor.execute(f"UPDATE {taking} SET held = held + %s WHERE id = %s", (amount, other))


def main(host: str, port: str, user: str, database: str, seed: str, pause: str = "0") -> None:
    """Commit until nobody reads on; print how many were committed a second."""
    dice = random.Random(int(seed))
    password = os.environ["TRANSFERS_PASSWORD"]
    began, commits = time.monotonic(), 0
    with pymysql.connect(host=host, port=int(port), user=user, password=password, database=database) as connection:
        while not select.select([sys.stdin], [], [], float(pause))[0]:
            with connection.cursor() as cursor:
                try:
                    transfer(cursor, dice, ACCOUNTS + int(seed) + 1000 * commits)
                    connection.commit()
                    commits += 1
                except pymysql.err.OperationalError:  # a deadlock with another writer
                    connection.rollback()
    print(commits / (time.monotonic() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
