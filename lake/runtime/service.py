"""What a service is, to those who start it, watch it and print it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lake.errors import ServiceError

UNPRIVILEGED_USER = "nobody"
"""Who runs the servers that refuse to be root, when we are root."""

CORE = "core"
"""The profile of what the pipeline needs."""

COMPLETE = "shoplake-complete"
"""Empty file in a data folder that was made whole: a folder without it is made anew."""


def nothing() -> None:
    """The step that most services do not need."""


@dataclass(frozen=True)
class Service:
    """One supervised process.

    Args:
        name: what people call it in `lake logs NAME`; also the name of its data folder and its log.
        address: where people or clients reach it.
        ports: every port that it listens on, all on loopback.
        command: program and arguments.
        env: environment beyond the supervisor's own (`supervise.base_environment`).
        folder: working folder; made before the start.
        needs: services that must be healthy before this one is started.
        prepare: makes what the process needs before its first start (a data folder, a schema); does nothing later.
        settle: what is done to the running process before it is of use (users, buckets, replication); repeatable.
            It is tried again until it succeeds or the patience (`start_patience_seconds`) is over.
        ping: raises, whatever the error, while the service is not healthy.
        refuses_root: whether it must not run as root.
        asks_rights: whether it asks the system if it may read a file before it does, as Java does now and then.
        stop_signal: what ends it in good order.
        profile: the set of services that it is started with.
        parts: the artifacts that it runs, of those which not every machine has.
        reads: files, and folders of files, that it reads when it starts. When one of them changes, it is started anew.
    """

    name: str
    address: str
    ports: tuple[int, ...]
    command: tuple[str, ...]
    ping: Callable[[], None]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    prepare: Callable[[], None] = nothing
    settle: Callable[[], None] = nothing
    refuses_root: bool = False
    asks_rights: bool = False
    stop_signal: str = "TERM"
    profile: str = CORE
    parts: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()

    @property
    def full_command(self) -> tuple[str, ...]:
        """The command as it is started: with other rights where the program refuses root."""
        return (*unprivileged(self.asks_rights), *self.command) if self.refuses_root else self.command

    @property
    def full_environment(self) -> Mapping[str, str]:
        """The environment as it is started with: a file that changed alone is nothing that the supervisor would see."""
        if not self.reads:
            return self.env
        files = [file for path in self.reads for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
        read = [part for file in files if file.is_file() for part in (str(file).encode(), file.read_bytes())]
        return {**self.env, "READS_SHA256": hashlib.sha256(b"\0".join(read)).hexdigest()}


def unprivileged(asks_rights: bool = False) -> tuple[str, ...]:
    """The prefix that runs a command as another user when we are root; nothing when we are not.

    The other user may read and search every folder, as we may: a checkout or a cache below ``/root`` is closed to it
    otherwise. It can write only what it owns.

    Args:
        asks_rights: let that right count as well where the program asks, by access(2), which leaves it aside
            otherwise (``SECBIT_NO_SETUID_FIXUP`` in capabilities(7)).

    Raises:
        ServiceError: we are root and util-linux's ``setpriv`` is missing.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServiceError(
            "PostgreSQL and MariaDB refuse to run as root, and `setpriv` (util-linux), which drops it, was not found",
            "install util-linux, or run as a plain user",
        )
    right = "+dac_read_search"
    user = (f"--reuid={UNPRIVILEGED_USER}", f"--regid={_gid()}", "--clear-groups")
    asking = ("--securebits=+no_setuid_fixup",) if asks_rights else ()
    return (setpriv, *user, f"--inh-caps={right}", f"--ambient-caps={right}", *asking, "--")


def own_by_unprivileged(folder: Path) -> None:
    """Make an empty private folder for a server that refuses root, in place of what an interrupted start left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED_USER, _gid())


def _gid() -> int:
    import pwd

    return pwd.getpwnam(UNPRIVILEGED_USER).pw_gid
