"""Ports, disk and memory of the machine that the services run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil

from lake.errors import LakeError
from lake.observe.doctor.finding import Finding, ok, problem, skipped, warning
from lake.observe.doctor.installation import is_elsewhere
from lake.runtime import ports as loopback
from lake.runtime import supervise
from lake.runtime.services import services
from lake.settings import settings

GIB = 1024**3
OTHERS_MIB = 3072
"""What runs beside the Java heaps and buffer pools: Airflow's parts and its workers (2 GiB), MinIO, PostgreSQL."""

SCARCE = 0.05
"""Share of the memory, or of a disk's files, below which what is left is as good as nothing."""


# -- ports
def ports(now: datetime) -> Iterator[Finding]:
    """Whether each port is free, or held by the service that it is for."""
    if elsewhere := is_elsewhere():
        yield skipped("ports", elsewhere)
        return
    try:
        wanted = [(port, service.name) for service in services().values() for port in service.ports]
    except LakeError as error:
        yield problem("ports", error.what, error.fix)
        return
    processes, holders = supervise.processes(), loopback.holders()
    ours, free = 0, 0
    for port, name in wanted:
        if loopback.is_free(port):
            free += 1
        elif holders.get(port) in _family(processes[name].pid if name in processes else None):
            ours += 1
        else:
            seen = f"for {name}, is held by {loopback.named(holders.get(port))}"
            yield problem(
                f"port {port}", seen, "stop that process, or take other ports with `lake up --port-offset 100`"
            )
    if ours + free == len(wanted):
        yield ok("ports", f"{ours} held by our services, {free} free")


def _family(pid: int | None) -> set[int]:
    """A process and what it has started."""
    try:
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))} if pid else set()
    except psutil.Error:
        return set()


# -- disk
def disk(now: datetime) -> Iterator[Finding]:
    """Room where the state is, and where Trino puts what its memory does not hold."""
    home = settings().home
    places = {"state folder": _existing(home)}
    spill = _existing(home / "data" / "trino" / "spill")
    if spill.stat().st_dev != places["state folder"].stat().st_dev:
        places["spill"] = spill
    for name, folder in places.items():
        yield _room(name, folder)


def _room(name: str, folder: Path) -> Finding:
    limit = settings().free_disk_gib
    state = os.statvfs(folder)
    free = state.f_bavail * state.f_frsize / GIB
    seen = f"{free:.1f} GiB free at {folder}"
    remedy = "make room: `lake maintenance` removes what nobody needs any more; or move LAKE_HOME to a larger disk"
    if free < limit:
        return problem(name, f"{seen}, and {limit:g} are wanted (LAKE_FREE_DISK_GIB)", remedy)
    if state.f_files and state.f_favail < SCARCE * state.f_files:
        return problem(name, f"{seen}, and room for {state.f_favail:,} files more", remedy)
    return ok(name, seen)


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


# -- memory
def memory(now: datetime) -> Iterator[Finding]:
    """Whether the machine has what the settings give to the services, and something is left."""
    if elsewhere := is_elsewhere():
        yield skipped("memory", elsewhere)
        return
    machine, given = psutil.virtual_memory(), _given_mib()
    total = machine.total / 1024**2
    seen = f"{machine.total / GIB:.1f} GiB, {machine.available / GIB:.1f} left; {given / 1024:.1f} given to services"
    smaller = "lower LAKE_SPARK_MEMORY_MIB and LAKE_TRINO_MEMORY_MIB, or take a larger machine"
    if given > total:
        yield problem("memory", f"{seen}: more than there is", smaller)
    elif given + OTHERS_MIB > total:
        yield warning("memory", f"{seen}, and what runs beside them takes some {OTHERS_MIB / 1024:.0f} GiB", smaller)
    elif machine.percent > 100 * (1 - SCARCE):
        yield warning("memory", seen, f"end what else runs here, or {smaller}")
    else:
        yield ok("memory", seen)


def _given_mib() -> int:
    """Java heaps and buffer pools, as the settings make them."""
    config = settings()
    engines = config.spark_memory_mib + config.trino_memory_mib + config.nessie_memory_mib
    second = 2 * config.second_memory_mib if config.second_server else 0
    return engines + config.shop_memory_mib + config.source_memory_mib + second
