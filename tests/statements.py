"""SQL for which the two kinds of server have different words."""

from __future__ import annotations

RESET_BINLOG = {"mariadb": "RESET MASTER", "mysql": "RESET BINARY LOGS AND GTIDS"}
"""Begin the binlog anew."""
