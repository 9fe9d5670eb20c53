"""MariaDB as the shop's database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lake.runtime import pair
from lake.runtime.artifacts import artifacts
from lake.runtime.pair import Following, Pair


class MariaDB(Pair):
    """Two servers of the plain binaries from a Maven repository."""

    kind: ClassVar[str] = "mariadb"
    reader_rights: ClassVar[str] = "REPLICA MONITOR, BINLOG MONITOR, REPLICATION SLAVE"
    exporter_rights: ClassVar[str] = "PROCESS, BINLOG MONITOR, REPLICA MONITOR"
    change_source: ClassVar[str] = (
        "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%s, MASTER_USER='replica', MASTER_PASSWORD=%s,"
        " MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
    )

    @property
    def program(self) -> Path:
        """The server."""
        return _base() / "bin" / "mariadbd"

    @property
    def places(self) -> tuple[str, ...]:
        """Arguments that tell the server where its own files are."""
        return f"--basedir={_base()}", f"--lc-messages-dir={_base()}/share"

    def initialize(self, options: Sequence[str], scratch: Path, statements: Sequence[str]) -> None:
        """Make the system tables with MariaDB's script, then run the statements as it runs its own."""
        script = f"{_base()}/scripts/mariadb-install-db"
        pair.run(script, *options, "--auth-root-authentication-method=normal", "--skip-test-db")
        only_root = (
            "FLUSH PRIVILEGES",
            "DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND (User, Host) <> ('root', 'localhost')",
            "FLUSH PRIVILEGES",
        )
        text = "".join(f"{statement};\n" for statement in (*only_root, *statements))
        pair.run(str(self.program), *options, "--bootstrap", text=text)

    def following(self, status: dict[str, Any]) -> Following:
        """What the one row of SHOW REPLICA STATUS says."""
        return Following(
            source_port=status["Master_Port"],
            is_receiving=status["Slave_IO_Running"] == "Yes",
            is_applying=status["Slave_SQL_Running"] == "Yes",
            error=status["Last_IO_Error"] or status["Last_SQL_Error"],
        )


def _base() -> Path:
    return artifacts()["mariadb"].folder
