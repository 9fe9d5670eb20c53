"""Rows out of nothing, in SQL that MySQL and MariaDB both take."""

from __future__ import annotations


def numbers(first: int, last: int) -> str:
    """What stands behind FROM to have a row for each whole number from ``first`` to ``last``, in the column ``seq``.

    A recursive query would need a higher limit of the session's, under a name that differs.
    """
    listed = f"JSON_TABLE(CONCAT('[0', REPEAT(',0', {last - first}), ']'), '$[*]' COLUMNS (position FOR ORDINALITY))"
    return f"(SELECT CAST(position AS SIGNED) + {first - 1} AS seq FROM {listed} AS listed) AS numbers"
