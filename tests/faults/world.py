"""Servers of a test's own, which it may kill, freeze and start again: MariaDB or MySQL, MinIO and Nessie.

They are the runtime's own services with its own configuration, in a scratch folder and on free ports, but without the
supervisor, which would start them again before a test has seen them dead.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pymysql
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from lake.layers import raw
from lake.platform import storage
from lake.runtime import engines, supervise
from lake.runtime.secrets import ensure_secrets
from lake.runtime.service import Service
from lake.runtime.services import pairs
from lake.settings import settings

PATIENCE_SECONDS = 240
STORE_MIB = 400
PORTS = ("SHOP", "S3", "S3_CONSOLE", "NESSIE", "NESSIE_MANAGEMENT")


class Server:
    """One service of the runtime as a plain child process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._log = settings().home / "logs" / f"{service.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        service = self.service
        self._log.parent.mkdir(exist_ok=True)
        service.folder.mkdir(parents=True, exist_ok=True)
        service.prepare()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                service.full_command,
                cwd=service.folder,
                env={**supervise.base_environment(), **service.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        for step in (service.settle, service.ping):
            attempts = Retrying(
                retry=retry_if_exception(lambda error: self._process is not None and self._process.poll() is None),
                stop=stop_after_delay(PATIENCE_SECONDS),
                wait=wait_fixed(0.1),
            )
            try:
                attempts(step)
            except Exception as error:
                tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
                code = self._process.poll()
                raise RuntimeError(f"{service.name} is not healthy (exit code {code}): {error}\n{tail}") from None

    def kill(self) -> None:
        """End it as a machine that loses its power does."""
        assert self._process
        self._process.kill()
        self._process.wait(10)

    def freeze(self) -> None:
        """Let it stand still with its connections open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on; does nothing to one that is not."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)

    def revive(self) -> None:
        """Start it again, on the same data, if it is dead."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def close(self) -> None:
        """End it for good, in whatever state it is."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)


class World:
    """A source, an object store and a catalog that no other test uses.

    Attributes:
        kind: of the source, mariadb or mysql.
        store_is_mounted: whether the object store's folder is a small file system of its own, which can be filled or
            made read-only; only root may mount one.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.home = Path(mkdtemp(prefix="shoplake-faults-"))
        self.home.chmod(0o755)  # servers that refuse root run as another user
        (self.home / "contracts").mkdir()
        self.environment = {
            "LAKE_HOME": str(self.home),
            "LAKE_CONTRACTS": str(self.home / "contracts"),
            "LAKE_PORT_OFFSET": "0",
            "LAKE_SHOP_SERVER": kind,
            "LAKE_SECOND_SERVER": "",
            "LAKE_SHOP_MEMORY_MIB": "64",
            **{f"LAKE_{name}_PORT": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)},
        }
        self.environment["LAKE_SOURCE_PORT"] = self.environment["LAKE_SHOP_PORT"]
        with self.active():
            ensure_secrets()
            minio, nessie, *_ = engines.services()
            self.primary, self.minio, self.nessie = map(Server, (pairs()[0].services()[0], minio, nessie))
        self.store_is_mounted = False

    @property
    def servers(self) -> tuple[Server, ...]:
        """All three."""
        return self.primary, self.minio, self.nessie

    @contextmanager
    def active(self, **more: str) -> Iterator[None]:
        """Let the code under test see this world instead of the platform that the other tests share.

        Args:
            more: further variables of the environment.
        """
        before = dict(os.environ)
        os.environ.update(self.environment | more)
        forget()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            forget()

    def start(self) -> None:
        """Start the servers side by side."""
        self.store_is_mounted = _mount_small_disk(self.minio.service.folder)
        with self.active(), ThreadPoolExecutor() as pool:
            for done in [pool.submit(server.start) for server in self.servers]:
                done.result()

    def revive(self) -> None:
        """Start the servers again that a test has killed and left so."""
        with self.active():
            for server in self.servers:
                server.thaw()
                server.revive()

    def close(self) -> None:
        """End the servers and remove everything that they wrote."""
        for server in self.servers:
            server.close()
        if self.store_is_mounted:
            subprocess.run(["umount", "--lazy", self.minio.service.folder], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def root(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements as the source's administrator, each committed; the rows of the last one."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def connect(self, database: str | None = None, **options: Any) -> pymysql.connections.Connection[Any]:
        """A connection of the source's administrator, in UTC."""
        return pymysql.connect(
            host="127.0.0.1",
            port=int(self.environment["LAKE_SHOP_PORT"]),
            user="root",
            password=self._settings.mysql_root_password.get_secret_value(),
            database=database,
            **{
                "autocommit": True,
                "charset": "utf8mb4",
                "collation": "utf8mb4_bin",
                "init_command": "SET time_zone='+00:00'",
                "read_timeout": 60,
                **options,
            },
        )

    @property
    def _settings(self) -> Any:
        with self.active():
            return settings()


def forget() -> None:
    """Let settings, and what was opened by them, be read again."""
    settings.cache_clear()
    for opened in vars(storage).values():
        getattr(opened, "cache_clear", bool)()
    raw.open_catalog.cache_clear()


def _mount_small_disk(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={STORE_MIB}m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0


def free_ports(count: int) -> list[int]:
    """Ports below those that the system gives to outgoing connections, which come and go."""
    sockets: list[socket.socket] = []
    while len(sockets) < count:
        with suppress(OSError):
            sockets.append(socket.create_server(("127.0.0.1", random.randrange(15_000, 32_000))))
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
