"""Ports: which are free, and who holds one, named before a service trips over it."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import psutil

from lake.errors import ServiceError
from lake.runtime.service import Service
from lake.settings import Settings


def check_free(services: Iterable[Service]) -> None:
    """Make sure that every port of these services can be had on loopback.

    Raises:
        ServiceError: one or more are taken; it names each with the service that wants it and the process that holds it.
    """
    taken = [(port, service.name) for service in services for port in service.ports if not is_free(port)]
    if taken:
        holding = holders()
        lines = [f"port {port} for {name} is held by {named(holding.get(port))}" for port, name in taken]
        raise ServiceError(
            "\n".join(lines),
            "stop that process, or take other ports with `lake up --port-offset 100` (LAKE_PORT_OFFSET=100)",
        )


def free_offset(offsets: Iterable[int]) -> int:
    """The first of some offsets (LAKE_PORT_OFFSET) at which no port of a service is taken.

    Raises:
        ServiceError: there is none.
    """
    ports = [field.default for name, field in Settings.model_fields.items() if name.endswith("_port")]
    for offset in offsets:
        if all(is_free(port + offset) for port in ports):
            return offset
    raise ServiceError("at each of the port offsets that were tried some port is taken", "end what holds them")


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of loopback."""
    with socket.socket() as probe:
        # As servers do, so that connections which are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holders() -> dict[int, int]:
    """Pid of the process behind each listening port, as far as we may see it."""
    return {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid
    }


def named(pid: int | None) -> str:
    """A process for people, by its name and pid; of one that we may not see, that."""
    try:
        # Airflow's titles hold their arguments.
        return f"{psutil.Process(pid).name().split(' -- ')[0]} (pid {pid})" if pid else "a process of another user"
    except psutil.Error:
        return f"pid {pid}"
