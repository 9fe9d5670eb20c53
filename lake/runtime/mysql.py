"""MySQL as the shop's database, on machines that can have it (``artifacts.DebianArtifact``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lake.runtime import pair
from lake.runtime.artifacts import artifacts
from lake.runtime.pair import Following, Pair


class MySQL(Pair):
    """Two servers of Debian's package."""

    kind: ClassVar[str] = "mysql"
    reader_rights: ClassVar[str] = "REPLICATION CLIENT, REPLICATION SLAVE"
    exporter_rights: ClassVar[str] = "PROCESS, REPLICATION CLIENT"
    change_source: ClassVar[str] = (
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=%s, SOURCE_USER='replica',"
        " SOURCE_PASSWORD=%s, SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400,"
        " GET_SOURCE_PUBLIC_KEY=1"
    )

    @property
    def program(self) -> Path:
        """The server."""
        return _root() / "usr" / "sbin" / "mysqld"

    @property
    def places(self) -> tuple[str, ...]:
        """Arguments that tell the server where its own files are."""
        base = _root() / "usr"
        return (
            f"--basedir={base}",
            f"--lc-messages-dir={base}/share/mysql",
            f"--character-sets-dir={base}/share/mysql/charsets",
            f"--plugin-dir={base}/lib/mysql/plugin",
            "--secure-file-priv=NULL",  # Debian's default is a folder that only its package makes
        )

    def initialize(self, options: Sequence[str], scratch: Path, statements: Sequence[str]) -> None:
        """Make the system tables; the statements are read from a file, since --initialize takes them no other way."""
        file = scratch / "initialize.sql"
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.writelines(f"{statement};\n" for statement in statements)
        try:
            pair.run(str(self.program), *options, "--initialize-insecure", f"--init-file={file}")
        finally:
            file.unlink()

    def following(self, status: dict[str, Any]) -> Following:
        """What the one row of SHOW REPLICA STATUS says."""
        return Following(
            source_port=status["Source_Port"],
            is_receiving=status["Replica_IO_Running"] == "Yes",
            is_applying=status["Replica_SQL_Running"] == "Yes",
            error=status["Last_IO_Error"] or status["Last_SQL_Error"],
        )


def _root() -> Path:
    return artifacts()["mysql"].folder
