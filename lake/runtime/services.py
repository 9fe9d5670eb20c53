"""Every service of the local runtime."""

from __future__ import annotations

from lake.errors import ServiceError
from lake.runtime import engines, mariadb, orchestration
from lake.runtime.service import Service


def services() -> dict[str, Service]:
    """All services by name, as the present settings make them."""
    everything = (*mariadb.services(), *engines.services(), *orchestration.services())
    return {service.name: service for service in everything}


def service(name: str) -> Service:
    """One service.

    Raises:
        ServiceError: there is none of this name.
    """
    known = services()
    if name not in known:
        raise ServiceError(f"there is no service {name!r}", f"the services are {', '.join(known)}")
    return known[name]
